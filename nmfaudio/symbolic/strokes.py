"""Strokes: notes that begin together, with the properties that mark beats and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from nmfaudio.symbolic.note import Note

_TOGETHER = 0.045  # s between neighbouring onsets of a stroke
# Spans are no multiples of common note values: rounding of times does not change what they hold.
_CONTEXT = 2.0005  # s on each side with which a stroke is compared
_RECENT = 1.0005  # s before a stroke in which its pitch classes may have sounded
_HARMONY = (0.3505, 0.8005, 2.0005)  # s on each side whose pitch classes are compared
_REGISTER = 1.0005  # s on each side with whose lowest and highest pitches a stroke is compared


ACCENTS = 7  # features of a stroke that compare it with its neighbours


@dataclass(frozen=True)
class Strokes:
    """Notes that begin together.

    Parameters
    ----------
    times : np.ndarray [shape=(stroke,)]
        Median onset of each stroke in seconds.
    features : np.ndarray [shape=(stroke, feature)]
        Number of notes, duration, distance to the next and to the previous stroke, depth of the
        bass, and loudness, each in comparison with the neighbours, and share of new pitch classes:
        the `ACCENTS` first ones. Then changes of harmony, distances of the lowest and of the
        highest note to those nearby and to those of the previous stroke, whether the pitch classes
        are those of the previous stroke, number of notes, and duration.
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
    times = np.array([median(note.onset for note in group) for group in groups])
    classes = [[round(note.pitch) % 12 for note in group] for group in groups]
    chroma = np.array([np.bincount(numbers, minlength=12) for numbers in classes])
    return Strokes(times, _features(groups, times, chroma), chroma)


def _features(
    groups: Sequence[Sequence[Note]], times: np.ndarray, chroma: np.ndarray
) -> np.ndarray:
    count = np.log([len(group) for group in groups])
    length = np.log([max(0.03, *(n.offset - n.onset for n in group)) for group in groups])
    lowest = np.array([min(note.pitch for note in group) for group in groups], float)
    highest = np.array([max(note.pitch for note in group) for group in groups], float)
    loud = np.array([max(note.velocity for note in group) for group in groups])
    gaps = np.log(np.clip(np.diff(times, append=times[-1:] + 1), 0.03, 2))
    before = np.concatenate([gaps[:1], gaps[:-1]])
    classes = chroma > 0
    columns = [
        _relative(count, times),
        _relative(length, times),
        _relative(gaps, times),
        _relative(before, times),
        -_relative(lowest, times) / 12,
        _relative(loud, times) * 4,
        _novelty(chroma, times),
        *(_harmony_change(chroma, times, span) for span in _HARMONY),
        (lowest - _nearby(lowest, times, np.minimum)) / 12,
        (_nearby(highest, times, np.maximum) - highest) / 12,
        np.diff(lowest, prepend=lowest[:1]) / 12,
        np.diff(highest, prepend=highest[:1]) / 12,
        np.append(0.0, (classes[1:] == classes[:-1]).all(axis=1)),
        count / 2,
        (length + 1) / 2,
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


def _nearby(values: np.ndarray, times: np.ndarray, extreme: np.ufunc) -> np.ndarray:
    """Smallest or largest value within `_REGISTER`."""
    low = np.searchsorted(times, times - _REGISTER).tolist()
    high = np.searchsorted(times, times + _REGISTER, side="right").tolist()
    return np.array([extreme.reduce(values[a:b]) for a, b in zip(low, high, strict=True)])


def _novelty(chroma: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Share of the pitch classes of a stroke that did not begin within `_RECENT` before it."""
    first = np.searchsorted(times, times - _RECENT)
    total = np.concatenate([np.zeros((1, 12)), np.cumsum(chroma, axis=0)])
    recent = total[:-1] - total[first]
    classes = chroma > 0
    return np.asarray((classes & (recent == 0)).sum(axis=1) / classes.sum(axis=1))


def cosine_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosine distance of the rows of two arrays.

    Parameters
    ----------
    first, second : np.ndarray [shape=(row, column)]
        ≥ 0.

    Returns
    -------
    np.ndarray [shape=(row,)]
        1 where either row is 0.
    """
    sizes = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.asarray(1 - (first * second).sum(axis=1) / np.maximum(sizes, 1e-9))


def _harmony_change(chroma: np.ndarray, times: np.ndarray, span: float) -> np.ndarray:
    """Cosine distance of the pitch classes of `span` seconds before and from each stroke.

    It is 0 where none precedes.
    """
    total = np.concatenate([np.zeros((1, 12)), np.cumsum(chroma, axis=0)])
    before = total[:-1] - total[np.searchsorted(times, times - span)]
    after = total[np.searchsorted(times, times + span)] - total[:-1]
    return np.where(before.any(axis=1), cosine_distance(before, after), 0.0)
