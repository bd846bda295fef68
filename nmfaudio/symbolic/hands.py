"""Hands of a pianist: the lower and the upper one, by voice leading."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from nmfaudio._public import public
from nmfaudio.symbolic.note import Note

_LOWEST, _HIGHEST = 20, 109
_BORDERS = np.arange(_LOWEST, _HIGHEST + 1) + 0.5
_TOGETHER = 0.045  # s between neighbouring onsets that one movement of the hands plays
_REACH = 11  # semitones that a hand spans with ease
_MEMORY = 0.8  # s for which a note counts as near a hand after its onset
_STRETCH = 0.5  # cost of each semitone beyond the reach
_NEAR = 0.2  # cost of a border that is close to a note
_MOVE = 0.6  # cost of a semitone by which the border moves
_MIDDLE = 0.008  # cost of a semitone between the border and middle C


@public
def split_hands(notes: Sequence[Note]) -> list[int]:
    """Divide notes between two hands.

    A border between the hands moves through the piece: the cheapest path of those that keep each
    hand within its reach, avoid the neighbourhood of notes and move little.

    Parameters
    ----------
    notes : sequence of Note
        By onset.

    Returns
    -------
    list of int
        For each note 0, the right hand, or 1, the left one.

    Examples
    --------
    >>> split_hands([Note(0, 1, 40), Note(0, 1, 72), Note(1, 2, 43), Note(1, 2, 74)])
    [1, 0, 1, 0]
    """
    if not notes:
        return []
    onsets = np.array([note.onset for note in notes])
    pitches = np.array([note.pitch for note in notes], float)
    starts = np.flatnonzero(np.diff(onsets, prepend=-np.inf) > _TOGETHER)
    bounds = [*starts, len(notes)]
    costs = []
    for first, stop in pairwise(bounds):
        recent = int(np.searchsorted(onsets, onsets[first] - _MEMORY))
        costs.append(_border_costs(pitches[recent:stop], stop - first))
    path = _BORDERS[_cheapest(np.array(costs))]
    sizes = np.diff(bounds)
    return [int(left) for left in pitches < np.repeat(path, sizes)]


def _border_costs(pitches: np.ndarray, struck: int) -> np.ndarray:
    """Cost of each border for the recent notes, of which the last ones are struck now."""
    now = pitches[len(pitches) - struck :]
    cost = _MIDDLE * np.abs(_BORDERS - 60)
    distance = np.abs(_BORDERS[:, None] - pitches).min(axis=1)
    cost += _NEAR * np.exp(-distance / 3)
    for side in (-1, 1):
        for group, weight in ((now, 1.0), (pitches, 0.3)):
            inside = side * (group - _BORDERS[:, None]) > 0
            high = np.where(inside, group, -np.inf).max(axis=1)
            low = np.where(inside, group, np.inf).min(axis=1)
            span = np.where(inside.any(axis=1), high - low, 0.0)
            cost += weight * _STRETCH * np.maximum(0, span - _REACH)
    return np.asarray(cost)


def _cheapest(costs: np.ndarray) -> np.ndarray:
    """Index of the border at each time, on the path of least cost."""
    steps = np.arange(costs.shape[1])
    moves = _MOVE * np.abs(steps[:, None] - steps)  # (to, from)
    total = costs[0]
    origins = []
    for cost in costs[1:]:
        reach = total + moves
        origin = reach.argmin(axis=1)
        origins.append(origin)
        total = reach[steps, origin] + cost
    path = [int(total.argmin())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return np.array(path[::-1])
