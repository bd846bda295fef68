"""Running medians, for harmonic-percussive masks and noise floors.

Called by `stems.percussiveness` and `separators.denoise`.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.threads import parallel_for

ROWS = 16  # in one part of the work
LANES = 8  # windows are padded to a multiple of it, for vector code


def running_median(X: np.ndarray, half: int) -> np.ndarray:
    """Return medians along the rows over ``2 * half + 1`` values, mirrored at the ends.

    Parameters
    ----------
    X : np.ndarray [shape=(row, column)]
        C-contiguous, without NaN.
    half : int
        From 1 to the number of columns.

    Returns
    -------
    np.ndarray [shape=(row, column)]
    """
    out = np.empty_like(X)

    def work(parts: range) -> None:
        for part in parts:
            rows = slice(part * ROWS, (part + 1) * ROWS)
            _medians(X[rows], half, out[rows])

    parallel_for(work, -(-len(X) // ROWS))
    return out


@kernel
def _medians(X: np.ndarray, half: int, out: np.ndarray) -> None:
    """`running_median` of a few rows (row, column), with one sorted window for each.

    A step along a row inserts one value into its window and removes one. All rows advance by one
    step before any advances by the next, so that a window has been stored long before it is read
    again. No branch depends on a value, so the positions of a window are computed in vector
    registers: each position computes its own and its successor's value after the insertion, and
    selects one of them by the position of the removed value.
    """
    rows, columns = X.shape
    places = -(-(2 * half + 1) // LANES) * LANES
    # Windows are padded by -inf and inf. Of two copies, each step reads one and writes the other.
    windows = np.full((2, rows, places + 2), np.inf, X.dtype)
    windows[:, :, 0] = -np.inf
    for step in range(-half, columns + half):
        coming, leaving = _mirrored(step, columns), _mirrored(step - 2 * half - 1, columns)
        before, after = step % 2, 1 - step % 2
        for row in range(rows):
            new = X[row, coming]
            # A window that is not full yet drops one of its infinite values.
            old = X[row, leaving] if step > half else windows[0, row, places + 1]
            for i in range(1, places + 1):
                left, value = windows[before, row, i - 1], windows[before, row, i]
                right = windows[before, row, i + 1]
                # Positions i and i + 1 after the insertion: medians of new and two neighbours.
                first = value if value < new else new
                first = first if first > left else left
                second = right if right < new else new
                second = second if second > value else value
                windows[after, row, i] = first if first < old else second
            if step >= half:
                out[row, step - half] = windows[after, row, half + 1]


@kernel
def _mirrored(i: int, columns: int) -> int:
    """Index of the column that index i, before the first or behind the last, mirrors."""
    if i < 0:
        return -1 - i
    return i if i < columns else 2 * columns - 1 - i
