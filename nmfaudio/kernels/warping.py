"""Dynamic time warping with any moves, for alignment.

Called by `symbolic.alignment`.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.jit import kernel


@kernel
def accumulate_costs(
    cost: np.ndarray, moves: np.ndarray, penalties: np.ndarray, steps: np.ndarray
) -> np.ndarray:
    """Cost of the cheapest path from the first row to each cell of the last.

    A path may begin in any column, and pays the cost of each of its cells.

    Parameters
    ----------
    cost : np.ndarray [shape=(row, column)]
        Cost of each cell.
    moves : np.ndarray [shape=(move, 2)]
        Rows and columns of each move, ≥ 0 and not both 0.
    penalties : np.ndarray [shape=(move,)]
        Cost of each move.
    steps : np.ndarray [shape=(row, column)]
        Result: the move to each cell from the one before; of equal ones the first.

    Returns
    -------
    np.ndarray [shape=(column,)]
        Costs of the paths; infinite where no path ends.
    """
    rows, columns = cost.shape
    # As many rows as a move spans are kept, the total of row n in row n modulo their number.
    depth = int(moves[:, 0].max()) + 1
    totals = np.full((depth, columns), np.inf)
    totals[0] = cost[0]
    steps[0] = 0
    for n in range(1, rows):
        current = totals[n % depth]
        for m in range(columns):
            best, chosen = np.inf, 0
            for k in range(len(moves)):
                i, j = moves[k, 0], moves[k, 1]
                if i <= n and j <= m:
                    total = totals[(n - i) % depth, m - j] + penalties[k]
                    if total < best:
                        best, chosen = total, k
            current[m] = best + cost[n, m]
            steps[n, m] = chosen
    last: np.ndarray = totals[(rows - 1) % depth]
    return last


@kernel
def trace_path(steps: np.ndarray, moves: np.ndarray, end: int) -> np.ndarray:
    """Path from the first row to column `end` of the last [shape=(pair, 2)], ascending."""
    rows, columns = steps.shape
    path = np.empty((rows + columns, 2), np.int64)
    n, m, length = rows - 1, end, 0
    while n >= 0 and m >= 0:
        path[length, 0], path[length, 1] = n, m
        length += 1
        if n == 0:
            break
        k = steps[n, m]
        n, m = n - moves[k, 0], m - moves[k, 1]
    return path[:length][::-1].copy()
