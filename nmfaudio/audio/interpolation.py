"""Linear interpolation of arrays along one axis."""

from __future__ import annotations

from typing import Literal

import numpy as np


def interpolate(
    X: np.ndarray,
    positions: np.ndarray,
    *,
    axis: int,
    coordinates: np.ndarray | None = None,
    outside: Literal["nearest", "zero"] = "nearest",
) -> np.ndarray:
    """Interpolate an array linearly along one axis.

    Parameters
    ----------
    X : np.ndarray
    positions : np.ndarray [shape=(position,)]
        Coordinates at which values are wanted.
    axis : int
        Axis of `X` to interpolate along.
    coordinates : np.ndarray [shape=(X.shape[axis],)], optional
        Coordinates of the entries of `X`, ascending; by default their indices.
    outside : "nearest" or "zero"
        Value beyond the first and the last coordinate: the nearest entry, or 0.

    Returns
    -------
    np.ndarray
        Of the same precision, as long as `positions` along `axis`.

    Examples
    --------
    >>> interpolate(np.array([1.0, 3.0]), np.array([0.0, 0.25, 1.0, 2.0]), axis=0).tolist()
    [1.0, 1.5, 3.0, 3.0]
    """
    x = np.arange(X.shape[axis], dtype=np.float64) if coordinates is None else coordinates
    right = np.clip(np.searchsorted(x, positions, side="right"), 1, max(len(x) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(x) - 1)
    steps = np.where(right > left, x[right] - x[left], 1.0)
    weight = np.clip((positions - x[left]) / steps, 0, 1)
    # One weight per position, broadcast along the other axes.
    shape = [-1 if a == axis % X.ndim else 1 for a in range(X.ndim)]
    weight = weight.astype(X.dtype).reshape(shape)
    between: np.ndarray = X.take(left, axis) * (1 - weight) + X.take(right, axis) * weight
    if outside == "nearest":
        return between
    tolerance = 1e-9 * abs(x[-1])  # for positions that rounding moved beyond the edge
    inside = (positions >= x[0] - tolerance) & (positions <= x[-1] + tolerance)
    masked: np.ndarray = np.where(inside.reshape(shape), between, X.dtype.type(0))
    return masked
