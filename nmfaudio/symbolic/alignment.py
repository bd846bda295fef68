"""Alignment of a score to a recording by dynamic time warping."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nmfaudio._common.validation import as_audio, as_sample_rate
from nmfaudio.audio.transforms import Stft
from nmfaudio.errors import AudioWarning, ContentError
from nmfaudio.kernels.products import product
from nmfaudio.kernels.warping import accumulate_costs, trace_path
from nmfaudio.symbolic.conversion import Notes, as_notes
from nmfaudio.symbolic.note import Note

_STEP = 0.025  # s between frames; longer if there would be more than _MAX_FRAMES
_MAX_FRAMES = 4000
_CELL_BYTES = 11  # per pair of frames, 9 of them measured: distances, steps
_PARTIALS = (1.0, 0.6, 0.4, 0.25, 0.15)  # amplitudes that model a note of the score
_CENTRE, _SPREAD = 5.0, 2.0  # octaves above A0, and their standard deviation, of chroma
_SILENT = 1e-2  # norm of a silent frame's chroma, relative to the strongest frame
_EXCERPT = 1.5  # a score longer than this many recordings is searched for an excerpt
MAX_MISMATCH = 0.62
"""Largest mismatch of a score with a recording of it.

On 27 recordings of 15 pieces (pianos and ensembles from soundfonts, dry or with room and noise,
tempo free): right scores 0.27 to 0.62, median 0.45; wrong ones (other pieces, other keys, shuffled
pitches, other sections) median 0.81, of which 7 % are not told, most of them of the same piece.
Limits that keep 98 % of the right scores of 14 pieces warn of 4 % of those of the fifteenth. The
distance itself separates them less: at best it confuses 11 % of either kind, this ratio 6 %.
"""
_IN_TIME = 0.6  # smallest mean cosine similarity of a score that lies in time with the audio
# Cost of a step in which only one of audio and score goes on, beside its distance; without it,
# paths jump between repeated chords. On seven pieces (four piano pieces, the three scores of the
# samples), shifted and at changed tempo, 11.5 % of the onsets were off by more than 0.2 s without
# it, and 5.6 % with it; of scores aligned already 5.9 % and none. 0.4 is worse at changed tempo.
_PAUSE = 0.2


@dataclass(frozen=True)
class Alignment:
    """Notes of a score at the times of a recording.

    Parameters
    ----------
    notes : list of Note
        Notes in the order of the score.
    mismatch : float
        Mean distance of the aligned frames, relative to that of the score in the eleven other
        keys: 0 for equal frames, about 1 for unrelated music.
    """

    notes: list[Note]
    mismatch: float


def align(notes: Notes, y: np.ndarray, sr: int) -> list[Note]:
    """Align the notes of a score to a recording of it.

    Parameters
    ----------
    notes : sequence of Note, path, or object of another package
        In any form that `as_notes` accepts.
    y : np.ndarray [shape=(channel, sample) or (sample,)]
        The recording. If it is much shorter than the score, it is located within the score.
    sr : int
        Sample rate in Hz.

    Returns
    -------
    list of Note
        The notes in the same order, with onsets and offsets of the recording, mostly accurate to
        0.1 s, but off by a second or more where chords repeat or the tempo is quite another: in
        tests 6 % of the onsets by more than 0.2 s. Notes outside the recording lie at its end with
        zero length.

    Raises
    ------
    ContentError
        There are no notes, or none has a length.

    Warns
    -----
    AudioWarning
        The recording does not match the score.

    References
    ----------
    S. Ewert, M. Müller, P. Grosche, "High resolution audio synchronization using chroma onset
    features", ICASSP 2009, doi:10.1109/ICASSP.2009.4959972.

    Examples
    --------
    >>> import numpy as np
    >>> import nmfaudio as na
    >>> t = np.arange(3 * 8000) / 8000
    >>> tune = np.where(t < 2, np.sin(440 * 2 * np.pi * t), np.sin(523.25 * 2 * np.pi * t))
    >>> score = [na.Note(0.0, 1.0, 69), na.Note(1.0, 1.5, 72)]  # twice as fast
    >>> [round(note.onset, 1) for note in na.symbolic.align(score, tune, 8000)]
    [0.0, 2.0]
    """
    return align_with_mismatch(notes, y, sr).notes


def align_with_mismatch(notes: Notes, y: np.ndarray, sr: int) -> Alignment:
    """Align the notes of a score to a recording as `align` does, and measure how well they match.

    Parameters
    ----------
    notes : sequence of Note, path, or object of another package
    y : np.ndarray [shape=(channel, sample) or (sample,)]
    sr : int
        Sample rate in Hz.

    Returns
    -------
    Alignment

    Raises
    ------
    ContentError
        There are no notes, or none has a length.

    Warns
    -----
    AudioWarning
        The recording does not match the score.
    """
    y, sr, notes = as_audio(y), as_sample_rate(sr), as_notes(notes)
    end = max((note.offset for note in notes), default=0.0)
    if end <= 0:
        raise ContentError("the score has no note of any length; need one to align")
    duration = y.shape[1] / sr
    step = _step(duration, end)
    audio, score = _audio_features(y, sr, step), _score_features(notes, step, end)
    is_excerpt = end > _EXCERPT * duration
    path = _warping_path(audio, score, is_excerpt=is_excerpt)
    mismatch = _mismatch(audio, score, path)
    if mismatch > MAX_MISMATCH:
        _warn_of_mismatch(mismatch, is_excerpt=is_excerpt)
    # Within a sustained sound any path fits equally well; only its two ends are certain. So onsets
    # take the first audio frame of a score frame, and offsets the last.
    frames, firsts = np.unique(path[:, 1], return_index=True)
    lasts = np.append(firsts[1:], len(path)) - 1

    def aligned(note: Note) -> Note:
        first, last = int(note.onset / step), int(note.offset / step)
        if last < frames[0] or first > frames[-1]:
            return replace(note, onset=duration, offset=duration)
        onset = float(np.interp(first, frames, path[firsts, 0])) * step
        offset = float(np.interp(last, frames, path[lasts, 0])) * step
        onset = min(onset, duration)
        return replace(note, onset=onset, offset=min(max(onset, offset), duration))

    return Alignment([aligned(note) for note in notes], mismatch)


def alignment_memory(duration: float, end: float) -> int:
    """Estimate the memory that aligning a score to a recording needs.

    Parameters
    ----------
    duration, end : float
        Seconds of the recording and of the score.

    Returns
    -------
    int
        Upper bound in bytes, without the recording.
    """
    step = _step(duration, end)
    return int(_CELL_BYTES * (duration / step + 2) * (end / step + 2))


def _step(duration: float, end: float) -> float:
    """Seconds between frames."""
    return max(_STEP, duration / _MAX_FRAMES, end / _MAX_FRAMES)


def _mismatch(audio: np.ndarray, score: np.ndarray, path: np.ndarray) -> float:
    """Mean distance along a path, relative to that in other keys."""
    # Products of the pitch classes of audio and score, averaged over the path.
    products = audio[:, path[:, 0]] @ score[:, path[:, 1]].T / len(path)  # (13, 13)
    silence = products[-1, -1]
    classes = products[:-1, :-1]
    distances = [
        max(1 - silence - np.trace(np.roll(classes, key, axis=1)), 0.0) for key in range(12)
    ]
    others = float(np.mean(distances[1:]))
    return float(distances[0]) / others if others > 0 else 0.0


def _warn_of_mismatch(mismatch: float, *, is_excerpt: bool) -> None:
    """Warn that the recording does not match the score."""
    cure = "is it the right one, in the right key?"
    if is_excerpt:
        cure += (
            " A short excerpt may not be located in its score: use the whole recording, or a score"
            " at its times with --aligned"
        )
    warnings.warn(
        f"the recording does not sound like the score: mismatch {mismatch:.2f}, more than "
        f"{MAX_MISMATCH}; {cure}",
        AudioWarning,
        stacklevel=3,
    )


def _warping_path(audio: np.ndarray, score: np.ndarray, *, is_excerpt: bool) -> np.ndarray:
    """Ascending pairs of audio and score frames [shape=(pair, 2)].

    Audio and score start together, and the audio may end first; or the audio is an excerpt of the
    score, played at half to twice its tempo.
    """
    if _in_time(audio, score):
        score, is_excerpt = score[:, : audio.shape[1]], False
    starts = (0, 0) if is_excerpt else (_first_sound(audio), _first_sound(score))
    cost = product(score[:, starts[1] :].T, audio[:, starts[0] :]).T  # (audio frame, score frame)
    np.subtract(1, cost, out=cost)
    # Steps of an excerpt limit its tempo; otherwise pauses and jumps are allowed.
    moves = np.array([[1, 1], [1, 2], [2, 1]] if is_excerpt else [[1, 1], [0, 1], [1, 0]])
    penalties = np.array([0, 0, 0] if is_excerpt else [0, _PAUSE, _PAUSE], np.float64)
    if not is_excerpt:
        cost[0, 1:] += cost.size  # more than any path costs: the first frames must match
    steps = np.empty(cost.shape, np.int8)
    ends = accumulate_costs(cost, moves, penalties, steps)
    if not is_excerpt:
        # Mean cost per step, so that long paths are not at a disadvantage; at least half of the
        # score must be covered.
        ends = ends / (len(cost) + np.arange(len(ends)))
        ends[: len(ends) // 2] = np.inf
    path = trace_path(steps, moves, int(np.argmin(ends)))
    return np.asarray(path + np.array(starts))


def _in_time(audio: np.ndarray, score: np.ndarray) -> bool:
    """Return whether the score fits without warping."""
    n_frames = min(audio.shape[1], score.shape[1])
    return float((audio[:, :n_frames] * score[:, :n_frames]).sum(axis=0).mean()) > _IN_TIME


def _audio_features(y: np.ndarray, sr: int, step: float) -> np.ndarray:
    """Chroma and silence of a recording [shape=(13, frame)]."""
    hop = max(1, round(step * sr))
    n_fft = int(2 ** np.ceil(np.log2(4 * hop)))
    stft = Stft(sr, n_fft, hop, power=2.0)
    power = stft.features(stft.forward(y))
    chroma = product(_chroma_filters(stft).astype(power.dtype), power)
    return _unit_columns(np.sqrt(chroma, dtype=np.float64))


def _chroma_filters(stft: Stft) -> np.ndarray:
    """Weight of each bin in each pitch class, from C up [shape=(12, freq)], as in librosa.

    A bin belongs to the classes within about a semitone, or within its own width at low
    frequencies. Weights are largest around 440 Hz and fall by a Gaussian of two octaves.
    """
    # Semitones above A0, which is 27.5 Hz; 0 Hz is put one and a half octaves below the next bin.
    semitones = 12 * np.log2(np.arange(1, stft.n_fft // 2 + 2) * (stft.sr / stft.n_fft) / 27.5)
    semitones = np.concatenate([[semitones[0] - 18], semitones])
    widths = np.maximum(np.diff(semitones), 1)
    semitones = semitones[:-1]
    distance = (semitones - np.arange(12)[:, None] + 6) % 12 - 6
    weights = np.exp(-0.5 * (2 * distance / widths) ** 2)
    weights /= np.linalg.norm(weights, axis=0)
    weights *= np.exp(-0.5 * ((semitones / 12 - _CENTRE) / _SPREAD) ** 2)
    return np.roll(weights, -3, axis=0)


def _score_features(notes: Sequence[Note], step: float, end: float) -> np.ndarray:
    """Chroma and silence of a score [shape=(13, frame)]."""
    chroma = np.zeros((12, int(end / step) + 1))
    for note in notes:
        first = int(note.onset / step)
        frames = slice(first, max(int(note.offset / step), first + 1))
        for h, amplitude in enumerate(_PARTIALS, 1):
            pitch_class = round(note.pitch + 12 * np.log2(h)) % 12
            chroma[pitch_class, frames] += amplitude * (0.5 + note.velocity)
    return _unit_columns(chroma)


def _first_sound(features: np.ndarray) -> int:
    """First frame that is not silent."""
    return int(np.argmin(features[-1]))


def _unit_columns(chroma: np.ndarray) -> np.ndarray:
    """Columns of norm 1 in 13 dimensions, of which the last stands for silence."""
    norms = np.linalg.norm(chroma, axis=0)
    silent = norms <= _SILENT * norms.max()
    chroma = np.where(silent, 0, chroma / np.where(silent, 1, norms))
    return np.vstack([chroma, silent])
