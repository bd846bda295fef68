"""The templates of a dictionary, to be heard."""

from __future__ import annotations

import numpy as np

from nmfaudio.audio.transforms import Transform
from nmfaudio.dictionaries.dictionary import Dictionary

SOUND, PAUSE = 0.3, 0.1  # seconds of a template that is a single frame, and of silence after each
PEAK = 0.5
_ROUNDS = 8  # of phases made consistent


def audition(
    dictionary: Dictionary, label: str, *, rng: int | np.random.Generator | None = 0
) -> np.ndarray:
    """All templates of a label, one after the other.

    A template says nothing of phases: they begin at random and are brought nearer to those of a
    real sound. A template that is one frame sounds for 0.3 s.

    Parameters
    ----------
    dictionary : Dictionary
    label : str
    rng : int, np.random.Generator or None
        Where chance comes from.

    Returns
    -------
    np.ndarray [shape=(1, sample)]
        At the sample rate of the dictionary's transform, peak 0.5.

    Raises
    ------
    ParameterError
        There is no such label.

    References
    ----------
    D. Griffin, J. Lim, "Signal estimation from modified short-time Fourier transform", IEEE TASSP
    32(2), 1984, doi:10.1109/TASSP.1984.1164317.

    Examples
    --------
    >>> import nmfaudio as na
    >>> known = na.Dictionary(np.eye(257)[:, 20:22], ["high", "low"], na.Stft(8000, 512))
    >>> audition(known, "low").shape
    (1, 3328)
    """
    transform = dictionary.transform
    seconds_per_frame = transform.hop_seconds
    hold = round(SOUND / seconds_per_frame) + 1 if dictionary.lags == 1 else 1
    pause = round(PAUSE / seconds_per_frame) + 1
    stretches = dictionary.select(label).templates
    if stretches.ndim == 2:
        stretches = stretches[None]
    sounds = [np.repeat(stretches[..., k], hold, axis=0) for k in range(stretches.shape[-1])]
    silence = np.zeros((pause, stretches.shape[1]), stretches.dtype)
    V = np.concatenate([part for sound in sounds for part in (sound, silence)]).T
    length = round((V.shape[1] - 1) * seconds_per_frame * transform.sr)
    y = _with_phases(transform.lift(V)[None] ** (1 / _power(transform)), length, transform, rng)
    loudest = np.abs(y).max()
    return y * (PEAK / loudest) if loudest > 0 else y


def _with_phases(
    magnitudes: np.ndarray,
    length: int,
    transform: Transform,
    rng: int | np.random.Generator | None,
) -> np.ndarray:
    turns = np.random.default_rng(rng).random(magnitudes.shape, np.float32)
    phases = np.exp(2j * np.pi * turns)
    for _ in range(_ROUNDS):
        Z = (magnitudes * phases).astype(np.result_type(magnitudes, np.complex64))
        y = transform.inverse(Z, length)
        phases = np.exp(1j * np.angle(transform.forward(y)))
    return y


def _power(transform: Transform) -> float:
    return transform.power
