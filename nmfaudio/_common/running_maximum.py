"""Running maximum of non-negative values."""

from __future__ import annotations

import numpy as np


def running_maximum(values: np.ndarray, half: int) -> np.ndarray:
    """Return the maximum of each value and `half` neighbours on each side, along the last axis.

    Parameters
    ----------
    values : np.ndarray [shape=(…, n)]
        ≥ 0.
    half : int
        Number of neighbours on each side.

    Returns
    -------
    np.ndarray [shape=(…, n)]

    Examples
    --------
    >>> running_maximum(np.array([0, 3, 0, 0, 1]), 1).tolist()
    [3, 3, 3, 1, 1]
    """
    out = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(half, half)])
    # Two overlapping windows make a longer one; `width` is that of the windows so far.
    width, full = 1, 2 * half + 1
    while width < full:
        shift = min(width, full - width)
        out = np.maximum(out[..., :-shift], out[..., shift:])
        width += shift
    return out
