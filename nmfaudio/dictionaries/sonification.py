"""Audio of the templates of a dictionary."""

from __future__ import annotations

import numpy as np

from nmfaudio.audio.transforms import Transform
from nmfaudio.dictionaries.dictionary import Dictionary

DURATION, PAUSE = 0.3, 0.1
"""Seconds of a single-frame template, and of the silence after each template."""
PEAK = 0.5
_ITERATIONS = 8  # of Griffin and Lim's algorithm
_BYTES = 48  # of the largest arrays for each bin and frame, as measured


def sonify_dictionary(
    dictionary: Dictionary, label: str, *, rng: int | np.random.Generator | None = 0
) -> np.ndarray:
    """Synthesise the templates of a label, one after the other.

    Templates have no phases: random ones are made more consistent by a few iterations of Griffin
    and Lim's algorithm. A template of a single frame lasts 0.3 s.

    Parameters
    ----------
    dictionary : Dictionary
        Templates of any transform that can be inverted.
    label : str
        Label of the components to synthesise.
    rng : int, np.random.Generator or None
        Seed or generator of the initial phases.

    Returns
    -------
    np.ndarray [shape=(1, sample)]
        At the sample rate of the dictionary's transform, with a peak of 0.5.

    Raises
    ------
    ParameterError
        The dictionary has no such label.

    References
    ----------
    D. Griffin and J. Lim, "Signal estimation from modified short-time Fourier transform", IEEE
    TASSP 32(2), 1984, doi:10.1109/TASSP.1984.1164317.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> tones = na.Dictionary(np.eye(257)[:, 20:22], ["low", "high"], na.Stft(8000, 512))
    >>> na.dictionaries.sonify_dictionary(tones, "low").shape
    (1, 3328)
    """
    transform = dictionary.transform
    hop = transform.hop_seconds
    repeats, pause = _repeats_and_pause(dictionary)
    templates = dictionary.select(label).templates
    if templates.ndim == 2:
        templates = templates[None]  # (lag, freq, component)
    silence = np.zeros((pause, templates.shape[1]), templates.dtype)
    frames = [
        part
        for k in range(templates.shape[-1])
        for part in (np.repeat(templates[..., k], repeats, axis=0), silence)
    ]
    V = np.concatenate(frames).T
    length = round((V.shape[1] - 1) * hop * transform.sr)
    magnitudes = transform.lift(V)[None] ** (1 / transform.power)  # (channel, bin, time)
    y = _griffin_lim(magnitudes, length, transform, rng)
    peak = np.abs(y).max()
    return y * (PEAK / peak) if peak > 0 else y


def sonification_memory(dictionary: Dictionary) -> int:
    """Estimate the memory for the sounds of all labels, synthesised one after the other.

    Parameters
    ----------
    dictionary : Dictionary

    Returns
    -------
    int
        Bytes.
    """
    repeats, pause = _repeats_and_pause(dictionary)
    frames = dictionary.lags * repeats + pause  # of a template
    most = max(dictionary.labels.count(label) for label in dictionary.names)
    transform = dictionary.transform
    bins = len(transform.lift(np.zeros((len(transform.frequencies), 1))))
    samples = len(dictionary.labels) * frames * transform.hop_seconds * transform.sr
    return _BYTES * most * frames * bins + round(samples * np.dtype(np.float64).itemsize)


def _repeats_and_pause(dictionary: Dictionary) -> tuple[int, int]:
    """Frames of each template per lag, and of the silence after it."""
    hop = dictionary.transform.hop_seconds
    repeats = round(DURATION / hop) + 1 if dictionary.lags == 1 else 1
    return repeats, round(PAUSE / hop) + 1


def _griffin_lim(
    magnitudes: np.ndarray,
    length: int,
    transform: Transform,
    rng: int | np.random.Generator | None,
) -> np.ndarray:
    """Audio whose spectrogram is near these magnitudes [shape=(1, sample)]."""
    turns = np.random.default_rng(rng).random(magnitudes.shape, np.float32)
    phases = np.exp(2j * np.pi * turns)
    for _ in range(_ITERATIONS):
        Z = (magnitudes * phases).astype(np.result_type(magnitudes, np.complex64))
        y = transform.inverse(Z, length)
        phases = np.exp(1j * np.angle(transform.forward(y)))
    return y
