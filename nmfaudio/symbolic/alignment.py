"""A score moved onto a recording of it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nmfaudio._common.validation import as_audio
from nmfaudio.audio.transforms import Stft
from nmfaudio.errors import AudioWarning, ContentError
from nmfaudio.symbolic.note import Note

_STEP = 0.025  # s between frames, more where there would be too many
_MOST = 4000  # frames
_RATE = 11025  # Hz: enough for chroma
_PARTIALS = (1.0, 0.6, 0.4, 0.25, 0.15)  # strengths that a note of the score is given
_SILENT = 1e-2  # of the loudest frame
_EXCERPT = 1.5  # how much longer than the recording a score is that goes on beyond it
_UNLIKE = 0.45  # mean distance along the path of a score of other music
_LIKE = 0.6  # mean likeness of a score in time


def align(notes: Sequence[Note], y: np.ndarray, sr: int) -> list[Note]:
    """Move the notes of a score to where a recording plays them.

    Dynamic time warping over chroma; good to about a tenth of a second. A recording of much less
    than the whole score is looked for in it.

    Parameters
    ----------
    notes : sequence of Note
    y : np.ndarray [shape=(channel, sample) or (sample,)]
        The recording.
    sr : int
        Its sample rate in Hz.

    Returns
    -------
    list of Note
        In the same order. Notes that the recording does not have lie at its end, with no length.

    Raises
    ------
    ContentError
        There are no notes, or none has a length.

    Warns
    -----
    AudioWarning
        The recording does not sound like the score.

    References
    ----------
    S. Ewert, M. Müller, P. Grosche, "High resolution audio synchronization using chroma onset
    features", ICASSP 2009, doi:10.1109/ICASSP.2009.4959972.

    Examples
    --------
    >>> t = np.arange(3 * 8000) / 8000
    >>> tune = np.where(t < 2, np.sin(440 * 2 * np.pi * t), np.sin(523.25 * 2 * np.pi * t))
    >>> score = [Note(0.0, 1.0, 69), Note(1.0, 1.5, 72)]  # twice as fast
    >>> [round(note.onset, 1) for note in align(score, tune, 8000)]
    [0.0, 2.0]
    """
    y = as_audio(y)
    end = max((note.offset for note in notes), default=0.0)
    if end <= 0:
        raise ContentError("the score has no note of any length; need one to align")
    duration = y.shape[1] / sr
    step = max(_STEP, duration / _MOST, end / _MOST)
    heard, written = _heard(y, sr, step), _written(notes, step, end)
    path = _path(heard, written, within=end > _EXCERPT * duration)
    if (1 - (heard[:, path[:, 0]] * written[:, path[:, 1]]).sum(axis=0)).mean() > _UNLIKE:
        warnings.warn(
            "the recording does not sound like the score; is it the right one?",
            AudioWarning,
            stacklevel=2,
        )
    # Where a sound lasts, any path through it fits; only its two ends are certain.
    places, firsts = np.unique(path[:, 1], return_index=True)
    lasts = np.append(firsts[1:], len(path)) - 1

    def moved(note: Note) -> Note:
        begun, ended = int(note.onset / step), int(note.offset / step)
        if ended < places[0] or begun > places[-1]:
            return replace(note, onset=duration, offset=duration)
        onset = float(np.interp(begun, places, path[firsts, 0])) * step
        offset = float(np.interp(ended, places, path[lasts, 0])) * step
        onset = min(onset, duration)
        return replace(note, onset=onset, offset=min(max(onset, offset), duration))

    return [moved(note) for note in notes]


def _path(heard: np.ndarray, written: np.ndarray, *, within: bool) -> np.ndarray:
    """Pairs of frames of a recording and of its score, ascending [shape=(pair, 2)].

    They begin together and the recording may end first, or it lies `within` the score, at half to
    twice its tempo.
    """
    from nmfaudio._common.librosa_loader import load_librosa

    librosa = load_librosa()
    if _in_time(heard, written):
        written, within = written[:, : heard.shape[1]], False
    first, begin = (0, 0) if within else (_first_sound(heard), _first_sound(written))
    cost = 1 - heard[:, first:].T @ written[:, begin:]
    sigma = np.array([[1, 1], [1, 2], [2, 1]] if within else [[1, 1], [0, 1], [1, 0]])
    if not within:
        cost[0, 1:] += cost.size
    total, steps = librosa.sequence.dtw(
        C=cost, subseq=True, step_sizes_sigma=sigma, backtrack=False, return_steps=True
    )
    ends = total[-1]
    if not within:
        ends = ends / (len(cost) + np.arange(len(ends)))
        ends[: len(ends) // 2] = np.inf
    path = librosa.sequence.dtw_backtracking(
        steps, step_sizes_sigma=sigma, subseq=True, start=int(np.argmin(ends))
    )
    aligned: np.ndarray = np.asarray(path)[::-1] + np.array([first, begin])
    return aligned


def _in_time(heard: np.ndarray, written: np.ndarray) -> bool:
    """Whether the score fits as it is."""
    both = min(heard.shape[1], written.shape[1])
    return float((heard[:, :both] * written[:, :both]).sum(axis=0).mean()) > _LIKE


def _heard(y: np.ndarray, sr: int, step: float) -> np.ndarray:
    """Chroma of a recording, and whether it is silent [shape=(13, frame)]."""
    from nmfaudio._common.librosa_loader import load_librosa

    librosa = load_librosa()
    hop = max(1, round(step * sr))
    n_fft = int(2 ** np.ceil(np.log2(4 * hop)))
    stft = Stft(sr, n_fft, hop, power=2.0)
    power = stft.features(stft.forward(y))
    chroma = librosa.feature.chroma_stft(S=power, sr=sr, n_fft=n_fft, norm=None, tuning=0.0)
    return _features(np.sqrt(chroma))


def _written(notes: Sequence[Note], step: float, end: float) -> np.ndarray:
    """The same of a score."""
    chroma = np.zeros((12, int(end / step) + 1))
    for note in notes:
        first = int(note.onset / step)
        frames = slice(first, max(int(note.offset / step), first + 1))
        for h, strength in enumerate(_PARTIALS, 1):
            tone = round(note.pitch + 12 * np.log2(h)) % 12
            chroma[tone, frames] += strength * (0.5 + note.velocity)
    return _features(chroma)


def _first_sound(features: np.ndarray) -> int:
    """The first frame that is not silent."""
    return int(np.argmin(features[-1]))


def _features(chroma: np.ndarray) -> np.ndarray:
    """Columns of length 1, in 13 dimensions of which the last is silence."""
    loudness = np.linalg.norm(chroma, axis=0)
    silent = loudness <= _SILENT * loudness.max()
    chroma = np.where(silent, 0, chroma / np.where(silent, 1, loudness))
    return np.vstack([chroma, silent])
