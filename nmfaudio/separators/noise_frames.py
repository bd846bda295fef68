"""Frames of a recording that are assumed to be noise, and frames that represent all of it."""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.median import running_median

# Share of the frames that is assumed to be noise if no noise is specified: those with the lowest
# level. The level is smoothed by a median over `_NEIGHBOURS` frames on each side.
_QUIETEST = 0.1
_NEIGHBOURS = 2
COMPARED_FRAMES = 1024
"""Number of frames of a long recording on which models are compared."""


def quietest_frames(V: np.ndarray) -> np.ndarray:
    """Return the frames with the lowest level, smoothed by a median.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]

    Returns
    -------
    np.ndarray [shape=(time,), dtype=bool]
    """
    level = V.sum(axis=0, dtype=np.float64)
    if len(level) > _NEIGHBOURS:
        level = running_median(np.ascontiguousarray(level[None]), _NEIGHBOURS)[0]
    count = max(1, round(_QUIETEST * len(level)))
    frames = np.zeros(len(level), bool)
    frames[np.argsort(level, kind="stable")[:count]] = True
    # Digital silence has no noise to learn from.
    return frames if V[:, frames].any() else np.ones(len(level), bool)


def spread_frames(V: np.ndarray) -> np.ndarray:
    """Return up to `COMPARED_FRAMES` single frames, spread evenly over a recording.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]

    Returns
    -------
    np.ndarray [shape=(freq, frame)]
    """
    if V.shape[1] <= COMPARED_FRAMES:
        return V
    spread: np.ndarray = V[:, np.linspace(0, V.shape[1] - 1, COMPARED_FRAMES).astype(int)]
    return spread
