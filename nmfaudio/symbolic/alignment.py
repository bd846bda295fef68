"""Alignment of a score to a recording by dynamic time warping."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nmfaudio._common.validation import as_audio, as_sample_rate
from nmfaudio.errors import AudioWarning, ContentError
from nmfaudio.symbolic.chroma import audio_chroma, frame_hop, pooled, score_chroma, unit_features
from nmfaudio.symbolic.conversion import Notes, as_notes
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.onset_refinement import refined_onsets
from nmfaudio.symbolic.warping import warping_memory, warping_path

_EXCERPT = 1.5  # a score longer than this many recordings is searched for an excerpt
_FASTEST = 3.0  # of the tempo of a score, at which it may be played as a whole
MAX_MISMATCH = 0.62
"""Largest mismatch of a score with a recording of it.

On 27 recordings of 15 pieces (pianos and ensembles from soundfonts, dry or with room and noise,
tempo free): right scores 0.27 to 0.62, median 0.45; wrong ones (other pieces, other keys, shuffled
pitches, other sections) median 0.81, of which 7 % are not told, most of them of the same piece.
Limits that keep 98 % of the right scores of 14 pieces warn of 4 % of those of the fifteenth. The
distance itself separates them less: at best it confuses 11 % of either kind, this ratio 6 %.
"""
_STEP = 0.02  # s between frames, at least, unless the sample rate is very low
_REFINEMENT = 96 * 2**20  # bytes of blocks and sections while onsets are refined
_FRAME_BYTES = 13 * 8 * 4  # per frame: chroma, features and path
_ENDS = ("onset", "offset")
_PAIRS = 2**15  # of a path that are compared at a time
_IN_TIME = 0.6  # smallest mean cosine similarity of a score that lies in time with the audio


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
        The notes in the same order, with onsets and offsets of the recording. Onsets of pianos and
        plucked strings are mostly accurate to 20 ms, with a median of 3 to 6 ms; notes that swell
        are found up to 50 ms late, slow strings 0.1 s. Where passages repeat, or the recording ends
        within the score, they may be off by a second or more. Notes outside the recording lie at
        its end with zero length.

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
    step = frame_hop(sr) / sr  # exact: a rounded one would drift
    played, written = audio_chroma(y, sr), score_chroma(notes, step, end)
    audio, score = unit_features(np.sqrt(played)), unit_features(written)
    is_excerpt = end > _EXCERPT * duration

    def features(count: int) -> tuple[np.ndarray, np.ndarray]:
        """Features in frames that are averaged from `count`."""
        if count == 1:
            return audio, score
        return (
            unit_features(np.sqrt(pooled(played, count))),
            unit_features(pooled(written, count)),
        )

    kinds = [False]
    if _in_time(audio, score):
        score, written = score[:, : audio.shape[1]], written[:, : audio.shape[1]]
    elif is_excerpt:
        # A recording may also be of the whole score, at a faster tempo.
        kinds = [True, False] if end <= _FASTEST * duration else [True]
    frames = max(audio.shape[1], score.shape[1])
    paths = [warping_path(features, frames, is_excerpt=kind) for kind in kinds]
    mismatch, path = min(
        ((_mismatch(audio, score, path), path) for path in paths), key=lambda pair: pair[0]
    )
    if mismatch > MAX_MISMATCH:
        _warn_of_mismatch(mismatch, is_excerpt=is_excerpt)
    return Alignment(_at_path(notes, path, step, (y, sr)), mismatch)


def _at_path(
    notes: Sequence[Note], path: np.ndarray, step: float, recording: tuple[np.ndarray, int]
) -> list[Note]:
    """Notes at the times of a path, refined by the onsets of the recording."""
    y, sr = recording
    duration = y.shape[1] / sr
    # Within a sustained sound any path fits equally well; only its two ends are certain. So onsets
    # take the first audio frame of a score frame, and offsets the last.
    frames, firsts = np.unique(path[:, 1], return_index=True)
    lasts = np.append(firsts[1:], len(path)) - 1
    begins, ends = (np.array([int(getattr(note, name) / step) for note in notes]) for name in _ENDS)
    onsets = np.interp(begins, frames, path[firsts, 0]) * step
    offsets = np.interp(ends, frames, path[lasts, 0]) * step
    inside = (ends >= frames[0]) & (begins <= frames[-1])
    onsets, offsets = _refined(notes, onsets, offsets, inside, recording)
    onsets = np.where(inside, np.clip(onsets, 0, duration), duration)
    offsets = np.where(inside, np.clip(offsets, onsets, duration), duration)
    return [
        replace(note, onset=float(onset), offset=float(offset))
        for note, onset, offset in zip(notes, onsets, offsets, strict=True)
    ]


def _refined(
    notes: Sequence[Note],
    onsets: np.ndarray,
    offsets: np.ndarray,
    inside: np.ndarray,
    recording: tuple[np.ndarray, int],
) -> tuple[np.ndarray, np.ndarray]:
    """Onsets by those in the recording, and offsets moved like the onsets around them."""
    places = np.flatnonzero(inside)
    if not len(places):
        return onsets, offsets
    played = [notes[place] for place in places.tolist()]
    refined = onsets.copy()
    refined[places] = refined_onsets(played, onsets[places], *recording)
    order = places[np.argsort(onsets[places], kind="stable")]
    moves = np.interp(offsets, onsets[order], (refined - onsets)[order])
    return refined, offsets + moves


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
    frames = int(duration / _STEP) + 2, int(end / _STEP) + 2
    return max(warping_memory(*frames), _REFINEMENT) + _FRAME_BYTES * sum(frames)


def _mismatch(audio: np.ndarray, score: np.ndarray, path: np.ndarray) -> float:
    """Mean distance along a path, relative to that in other keys."""
    # Products of the pitch classes of audio and score, averaged over the path.
    parts = np.split(path, range(_PAIRS, len(path), _PAIRS))
    products = sum(audio[:, part[:, 0]] @ score[:, part[:, 1]].T for part in parts)  # (13, 13)
    products = products / len(path)
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


def _in_time(audio: np.ndarray, score: np.ndarray) -> bool:
    """Return whether the score fits without warping."""
    n_frames = min(audio.shape[1], score.shape[1])
    return float((audio[:, :n_frames] * score[:, :n_frames]).sum(axis=0).mean()) > _IN_TIME
