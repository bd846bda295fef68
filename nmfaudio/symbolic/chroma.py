"""Chroma of recordings and of scores, for their alignment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.audio.feature_blocks import analysed_blocks
from nmfaudio.audio.transforms import Stft
from nmfaudio.symbolic.note import Note

_STEP = 0.025  # s between frames, about
_BLOCK = 512  # frames analysed at a time
_PARTIALS = (1.0, 0.6, 0.4, 0.25, 0.15)  # amplitudes that model a note of the score
_SILENT = 1e-2  # norm of a silent frame's chroma, relative to the strongest frame


def frame_hop(sr: int) -> int:
    """Return the number of samples between frames, about 25 ms.

    Parameters
    ----------
    sr : int
        Sample rate in Hz.

    Returns
    -------
    int
    """
    return max(1, round(_STEP * sr))


def audio_chroma(y: np.ndarray | LazyAudio, sr: int) -> np.ndarray:
    """Compute the power of each pitch class in a recording.

    Parameters
    ----------
    y : np.ndarray or LazyAudio [shape=(channel, sample)]
    sr : int
        Sample rate in Hz.

    Returns
    -------
    np.ndarray [shape=(12, time)]
        A frame every `frame_hop` samples.

    Examples
    --------
    >>> tone = np.sin(440 * 2 * np.pi * np.arange(8000) / 8000)[None]
    >>> int(audio_chroma(tone, 8000).sum(axis=1).argmax())  # A is nine semitones above C
    9
    """
    from nmfaudio._common.librosa_loader import load_librosa

    chroma_stft = load_librosa("feature.spectral").chroma_stft
    hop = frame_hop(sr)
    n_fft = int(2 ** np.ceil(np.log2(4 * hop)))
    stft = Stft(sr, n_fft, hop, power=2.0)
    blocks = (
        chroma_stft(S=power, sr=sr, n_fft=n_fft, norm=None, tuning=0.0)
        for _, power in analysed_blocks(y, stft, _BLOCK)
    )
    return np.concatenate(list(blocks), axis=1)


def score_chroma(notes: Sequence[Note], step: float, end: float) -> np.ndarray:
    """Compute the amplitude of each pitch class in a score.

    Parameters
    ----------
    notes : sequence of Note
    step, end : float
        Seconds between frames, and of the score.

    Returns
    -------
    np.ndarray [shape=(12, time)]

    Examples
    --------
    >>> score_chroma([Note(0.0, 1.0, 60)], 0.25, 1.0).argmax(axis=0).tolist()
    [0, 0, 0, 0, 0]
    """
    chroma = np.zeros((12, int(end / step) + 1))
    for note in notes:
        first = int(note.onset / step)
        frames = slice(first, max(int(note.offset / step), first + 1))
        for h, amplitude in enumerate(_PARTIALS, 1):
            pitch_class = round(note.pitch + 12 * np.log2(h)) % 12
            chroma[pitch_class, frames] += amplitude * (0.5 + note.velocity)
    return chroma


def pooled(chroma: np.ndarray, count: int) -> np.ndarray:
    """Average successive frames; the last ones may be fewer.

    Parameters
    ----------
    chroma : np.ndarray [shape=(12, time)]
    count : int
        Frames that make one.

    Returns
    -------
    np.ndarray [shape=(12, time)]

    Examples
    --------
    >>> pooled(np.array([[1.0, 3.0, 5.0]]), 2).tolist()
    [[2.0, 5.0]]
    """
    if count == 1:
        return chroma
    starts = np.arange(0, chroma.shape[1], count)
    sums = np.add.reduceat(chroma, starts, axis=1)
    return np.asarray(sums / np.diff(starts, append=chroma.shape[1]))


def unit_features(chroma: np.ndarray) -> np.ndarray:
    """Scale frames to norm 1, with one more row that stands for silence.

    Parameters
    ----------
    chroma : np.ndarray [shape=(12, time)]

    Returns
    -------
    np.ndarray [shape=(13, time)]

    Examples
    --------
    >>> unit_features(np.array([[3.0, 0.0], [4.0, 0.0]])).tolist()
    [[0.6, 0.0], [0.8, 0.0], [0.0, 1.0]]
    """
    norms = np.linalg.norm(chroma, axis=0)
    silent = norms <= _SILENT * norms.max()
    chroma = np.where(silent, 0, chroma / np.where(silent, 1, norms))
    return np.vstack([chroma, silent])
