"""Interval between the tuning of a recording and that of a dictionary of notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

_STEPS = (0.2, 0.1, 0.05)  # semitones between intervals that are compared, coarse to fine
_WIDEST = 0.5  # semitones
_SMALLEST = 0.04  # semitones, below which templates fit as they are


def detuning(cost: Callable[[float], float], pitches: Sequence[float]) -> float:
    """Estimate how much higher a recording is than the notes of a dictionary.

    Parameters
    ----------
    cost : callable
        Divergence of the recording from a model whose templates are transposed by an interval in
        semitones.
    pitches : sequence of float
        MIDI numbers of the notes.

    Returns
    -------
    float
        Semitones: at most half a semitone and half the distance between two notes, and 0 if it is
        less than 0.04.

    Examples
    --------
    >>> round(detuning(lambda interval: (interval - 0.31) ** 2, [60, 61, 62]), 2)
    0.31
    """
    cost = cache(cost)
    widest = min([_WIDEST, *np.diff(np.unique(pitches)) / 2])
    count = int(widest / _STEPS[0])
    best = min((_STEPS[0] * n for n in range(-count, count + 1)), key=cost)
    for step in _STEPS[1:]:
        best = min((best, best - step, best + step), key=cost)
    # Vertex of the parabola through the costs of three intervals.
    lower, middle, upper = (cost(best + step) for step in (-_STEPS[-1], 0, _STEPS[-1]))
    curvature = lower - 2 * middle + upper
    if curvature > 0:
        best += _STEPS[-1] * float(np.clip((lower - upper) / (2 * curvature), -0.5, 0.5))
    best = float(np.clip(best, -widest, widest))
    return best if abs(best) >= _SMALLEST else 0.0
