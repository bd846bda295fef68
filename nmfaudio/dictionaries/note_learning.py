"""Templates of isolated notes: onset detection, stages and the common settings."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from nmfaudio._common.validation import as_count, as_sample_rate
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.transforms import Stft, Transform, default_n_fft
from nmfaudio.dictionaries.note_dictionary import NoteDictionary
from nmfaudio.dictionaries.note_stages import Stage, as_stages
from nmfaudio.dictionaries.template_conversion import unit_sums
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.engine import decompose
from nmfaudio.factorisation.factors import Factor

PIANO_KEYS = range(21, 109)
"""MIDI numbers of the keys of a piano."""
_ONSET_SHARE = 0.0025  # of the highest mean power at which a note begins: -26 dB
_POWER_WINDOW = 0.002  # s, up to the present sample
_ITERATIONS = 50


class IsolatedNote(NamedTuple):
    """Recording of a single note."""

    samples: np.ndarray  # (channel, sample)
    pitch: float
    velocity: float | None
    name: str  # in messages


def default_note_transform(sr: int, beta: float) -> Stft:
    """Return the default transform of note dictionaries: windows of 186 ms, for low notes.

    Parameters
    ----------
    sr : int
        Sample rate in Hz.
    beta : float
        β-divergence of the templates; 0 needs a power spectrogram.

    Returns
    -------
    Stft
    """
    n_fft = 2 * default_n_fft(sr)
    return Stft(sr, n_fft, n_fft // 8, power=2.0 if beta == 0 else 1.0)


def sample_rate_of(audio: str | os.PathLike[str] | np.ndarray, sr: int | None = None) -> int:
    """Return the sample rate of a file, or `sr` for an array.

    Parameters
    ----------
    audio : path or np.ndarray
    sr : int, optional
        Sample rate of an array in Hz.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        `audio` is an array, and `sr` is None.
    AudioFileError
        The file cannot be read.
    """
    if isinstance(audio, np.ndarray):
        if sr is None:
            raise ParameterError("sr is missing; give the sample rate of the array in Hz")
        return as_sample_rate(sr)
    from nmfaudio.audio.io.decoding import open_audio

    with open_audio(audio) as opened:
        return opened.sr


def learn_isolated_notes(
    notes: Iterable[IsolatedNote],
    transform: Transform,
    *,
    instrument: str,
    stages: Mapping[str, tuple[float, float]] | None,
    lags: int | None,
    beta: float,
    metadata: dict[str, Any],
) -> NoteDictionary:
    """Learn templates from isolated notes; see `learn_notes` for the parameters."""
    if lags is not None and stages is not None:
        raise ParameterError(
            "lags and stages are both given; templates of several frames have no stages, omit one"
        )
    spans = as_stages(stages)
    lags = None if lags is None else as_count(lags, "lags", low=2)
    templates, pitches, velocities, names = [], [], [], []
    for note in notes:
        if lags is None:
            learned = stage_templates(note, transform, spans, beta)
        else:
            learned = [(_first_frames(from_onset(note, transform, 0), lags), None)]
        if not learned:
            raise ContentError(
                f"{note.name}: ends before its {' and '.join(str(s.name) for s in spans)} begin; "
                "give stages that the note lasts for, or leave the recording out"
            )
        templates += [template for template, _ in learned]
        names += [name for _, name in learned]
        pitches += [note.pitch] * len(learned)
        velocities += [note.velocity] * len(learned)
    if not templates:
        raise ContentError(f"{instrument}: no notes to learn from; give at least one")
    return NoteDictionary(
        unit_sums(np.stack(templates, axis=-1)),
        (instrument,) * len(templates),
        transform,
        tuple(pitches),
        beta,
        "templates" if lags is None else "convolutive",
        metadata,
        tuple(velocities),
        tuple(names),
    )


def from_onset(note: IsolatedNote, transform: Transform, lead: int) -> np.ndarray:
    """Return the spectrogram of a note with frame `lead` centred on its onset.

    What precedes the onset is replaced by silence, so that noise does not enter the attack.

    Parameters
    ----------
    note : IsolatedNote
    transform : Transform
    lead : int
        Frames before the onset.

    Returns
    -------
    np.ndarray [shape=(freq, time)]
    """
    onset = find_onset(note, transform.sr)
    before = round(lead * transform.hop_seconds * transform.sr)
    return analyse(np.pad(note.samples[:, onset:], ((0, 0), (before, 0))), transform)


def find_onset(note: IsolatedNote, sr: int) -> int:
    """Find the sample at which the power of a note comes within 26 dB of its highest.

    Parameters
    ----------
    note : IsolatedNote
    sr : int
        Sample rate in Hz.

    Returns
    -------
    int

    Raises
    ------
    ContentError
        The recording is silent.
    """
    power = (note.samples.astype(np.float64) ** 2).sum(axis=0)
    width = max(1, round(_POWER_WINDOW * sr))
    sums = np.cumsum(np.pad(power, (width, 0)))
    # Rounding may leave a difference of cumulative sums below 0.
    level = np.maximum(sums[width:] - sums[:-width], 0)
    if not level.any():
        raise ContentError(f"{note.name}: is silent; nothing can be learned from it")
    return int(np.argmax(level > _ONSET_SHARE * level.max()))


def stage_templates(
    note: IsolatedNote, transform: Transform, stages: list[Stage], beta: float
) -> list[tuple[np.ndarray, str | None]]:
    """Return the spectrum [shape=(freq,)] and the name of each stage that is not silent."""
    step = transform.hop_seconds
    lead = max(0, math.ceil(-stages[0].begin / step))
    V = from_onset(note, transform, lead)
    times = (np.arange(V.shape[1]) - lead) * step
    templates = []
    for stage in stages:
        inside = V[:, (times >= stage.begin) & (times < stage.end)]
        if inside.any():
            templates.append((spectrum(inside, beta), stage.name))
    return templates


def spectrum(V: np.ndarray, beta: float) -> np.ndarray:
    """Return the template of the rank-1 NMF of a spectrogram [shape=(freq,)]."""
    # For Kullback-Leibler the sums over time and frequency are the optimum already.
    d = decompose(
        V,
        [Factor(V.sum(axis=1, keepdims=True)), Factor(V.sum(axis=0, keepdims=True) / V.sum())],
        divergence=Beta(beta),
        max_iter=_ITERATIONS,
        tol=1e-5,
    )
    template: np.ndarray = d.W[:, 0]
    return template


def _first_frames(V: np.ndarray, lags: int) -> np.ndarray:
    """First frames of V, padded with silence [shape=(lag, freq)]."""
    frames = V.T[:lags]
    return np.pad(frames, ((0, lags - len(frames)), (0, 0)))
