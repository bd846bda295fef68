"""Simple peak picking for drums: hits where activations rise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import maximum_filter1d

from nmfaudio.symbolic.note import Note

THRESHOLDS = tuple(float(x) for x in np.geomspace(0.01, 0.5, 18))
"""Thresholds of the rise, relative to the largest rise of each drum."""
_MIN_GAP = 0.05  # s between two hits of a drum
_RISE_FRAMES = 3  # frames over which a rise is measured


def hits(
    salience: np.ndarray, keys: Sequence[int], times: np.ndarray, threshold: float
) -> list[Note]:
    """Pick the hits of each drum, relative to its largest rise."""
    rises = _rises(salience)
    return [
        Note(float(times[t]), float(times[t]) + 0.1, key, channel=9)
        for rise, key in zip(rises, keys, strict=True)
        for t in _peaks(rise, times, threshold * rise.max())
    ]


def _rises(salience: np.ndarray) -> np.ndarray:
    """Increase of each frame over the one `_RISE_FRAMES` earlier."""
    padded = np.pad(salience, ((0, 0), (_RISE_FRAMES, 0)))
    return np.maximum(salience - padded[:, : salience.shape[1]], 0)


def _peaks(rise: np.ndarray, times: np.ndarray, minimum: float) -> np.ndarray:
    """Indices of local maxima above `minimum`."""
    near = max(1, round(_MIN_GAP / float(times[1] - times[0])))
    highest = maximum_filter1d(rise, 2 * near + 1)
    return np.flatnonzero((rise == highest) & (rise > minimum) & (rise > 0))
