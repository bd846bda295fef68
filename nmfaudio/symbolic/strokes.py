"""Strokes: notes that begin together, with the properties that mark beats and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.symbolic.note import Note

_TOGETHER = 0.045  # s between neighbouring onsets of a stroke
_CONTEXT = 2.0  # s on each side with which a stroke is compared
_RECENT = 1.0  # s before a stroke in which its pitch classes may have sounded


@dataclass(frozen=True)
class Strokes:
    """Notes that begin together.

    Parameters
    ----------
    times : np.ndarray [shape=(stroke,)]
        Median onset of each stroke in seconds.
    features : np.ndarray [shape=(stroke, feature)]
        Number of notes, duration, distance to the next and to the previous stroke, depth of the
        bass, loudness, and share of new pitch classes, each in comparison with the neighbours.
    chroma : np.ndarray [shape=(stroke, 12)]
        Notes of each pitch class.
    """

    times: np.ndarray
    features: np.ndarray
    chroma: np.ndarray


def strokes_of(notes: Sequence[Note]) -> Strokes:
    """Group notes into strokes.

    Parameters
    ----------
    notes : sequence of Note
        Sorted by onset.

    Returns
    -------
    Strokes
    """
    onsets = np.array([note.onset for note in notes])
    starts = np.flatnonzero(np.diff(onsets, prepend=-np.inf) > _TOGETHER).tolist()
    groups = [list(notes[a:b]) for a, b in zip(starts, [*starts[1:], len(notes)], strict=True)]
    times = np.array([np.median([note.onset for note in group]) for group in groups])
    classes = [[round(note.pitch) % 12 for note in group] for group in groups]
    chroma = np.array([np.bincount(numbers, minlength=12) for numbers in classes])
    return Strokes(times, _features(groups, times), chroma)


def _features(groups: Sequence[Sequence[Note]], times: np.ndarray) -> np.ndarray:
    count = np.log([len(group) for group in groups])
    length = np.log([max(0.03, *(n.offset - n.onset for n in group)) for group in groups])
    lowest = np.array([min(note.pitch for note in group) for group in groups], float)
    loud = np.array([max(note.velocity for note in group) for group in groups])
    gaps = np.log(np.clip(np.diff(times, append=times[-1:] + 1), 0.03, 2))
    before = np.concatenate([gaps[:1], gaps[:-1]])
    columns = [
        _relative(count, times),
        _relative(length, times),
        _relative(gaps, times),
        _relative(before, times),
        -_relative(lowest, times) / 12,
        _relative(loud, times) * 4,
        _novelty(groups, times),
    ]
    features: np.ndarray = np.clip(np.stack(columns, axis=1), -2, 2)
    return features


def _relative(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Values less their mean within `_CONTEXT`."""
    low = np.searchsorted(times, times - _CONTEXT)
    high = np.searchsorted(times, times + _CONTEXT, side="right")
    total = np.concatenate([[0.0], np.cumsum(values)])
    centred: np.ndarray = values - (total[high] - total[low]) / (high - low)
    return centred


def _novelty(groups: Sequence[Sequence[Note]], times: np.ndarray) -> np.ndarray:
    """Share of the pitch classes of a stroke that did not begin within `_RECENT` before it."""
    classes = [{round(note.pitch) % 12 for note in group} for group in groups]
    first = np.searchsorted(times, times - _RECENT)
    recent = [{c for group in classes[a:i] for c in group} for i, a in enumerate(first.tolist())]
    shares = [len(new - old) / len(new) for new, old in zip(classes, recent, strict=True)]
    return np.array(shares, float)
