"""Running medians."""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.threads import parallel_for

ROWS = 16  # in one part of the work
PLACES = 8  # in a register


def running_median(X: np.ndarray, half: int) -> np.ndarray:
    """Medians along the last axis over ``2 * half + 1`` values, mirrored at the ends.

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
            some = slice(part * ROWS, (part + 1) * ROWS)
            _medians(X[some], half, out[some])

    parallel_for(work, -(-len(X) // ROWS))
    return out


@kernel
def _medians(X: np.ndarray, half: int, out: np.ndarray) -> None:
    """A step along a row takes one value into its sorted window and one out of it.

    All rows take a step before any takes the next: what one has stored need not be there yet when
    the next is worked on. Nothing branches on a value, so places go through the vector units
    together: each looks what it and the next one would hold with the new value in, and takes the
    one or the other, depending on where the old one was.
    """
    rows, columns = X.shape
    places = -(-(2 * half + 1) // PLACES) * PLACES
    # Windows lie between -inf and inf, twice: each step reads one copy and writes the other.
    windows = np.full((2, rows, places + 2), np.inf, X.dtype)
    windows[:, :, 0] = -np.inf
    for step in range(-half, columns + half):
        coming, leaving = _mirrored(step, columns), _mirrored(step - 2 * half - 1, columns)
        now, later = step % 2, 1 - step % 2
        for row in range(rows):
            new = X[row, coming]
            old = X[row, leaving] if step > half else windows[0, row, places + 1]
            for i in range(1, places + 1):
                here = windows[now, row, i]
                first = here if here < new else new
                first = first if first > windows[now, row, i - 1] else windows[now, row, i - 1]
                second = windows[now, row, i + 1] if windows[now, row, i + 1] < new else new
                second = second if second > here else here
                windows[later, row, i] = first if first < old else second
            if step >= half:
                out[row, step - half] = windows[later, row, half + 1]


@kernel
def _mirrored(i: int, columns: int) -> int:
    if i < 0:
        return -1 - i
    return i if i < columns else 2 * columns - 1 - i
