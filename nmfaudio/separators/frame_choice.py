"""Choice of the frames of a long recording from which templates are learned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def thinned(indices: np.ndarray, count: int) -> np.ndarray:
    """Return at most `count` of some indices, spread evenly.

    Parameters
    ----------
    indices : np.ndarray [shape=(frame,)]
    count : int

    Returns
    -------
    np.ndarray [shape=(frame,)]

    Examples
    --------
    >>> thinned(np.arange(10), 4).tolist()
    [0, 3, 6, 9]
    """
    if len(indices) <= count:
        return indices
    chosen: np.ndarray = indices[np.linspace(0, len(indices) - 1, count).astype(int)]
    return chosen


def covering_frames(
    parts: Sequence[np.ndarray], total: int, count: int, *, least: int = 1
) -> np.ndarray:
    """Choose frames of every part of a recording, and of all of it.

    Parameters
    ----------
    parts : sequence of np.ndarray [shape=(frame,)]
        Indices of the frames of each part, ascending.
    total : int
        Number of frames of the recording.
    count : int
        Number of frames to choose; half of them from the parts. A recording with no more frames
        has all of them.
    least : int
        Number of frames of each part that are chosen in any case, as far as it has them.

    Returns
    -------
    np.ndarray [shape=(frame,)]
        Indices, ascending.

    Examples
    --------
    >>> covering_frames([np.arange(50, 53)], 100, 8).tolist()
    [0, 33, 50, 51, 52, 66, 99]
    """
    if total <= count:
        return np.arange(total)
    each = max(least, count // (2 * max(len(parts), 1)))
    chosen = np.unique(np.concatenate([[0], *(thinned(part, each) for part in parts)]).astype(int))
    return np.union1d(chosen, thinned(np.arange(total), max(count - len(chosen), 1)))
