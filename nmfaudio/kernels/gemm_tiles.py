"""Matrix product that adds to its result, in tiles of vector registers.

`gemm` has the same function in plain loops, and `backend` selects one of the two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.vectors import (
    MODEL_NARROW,
    MODEL_WIDE,
    ROW_NARROW,
    ROW_WIDE,
    add_outer,
    load,
    store,
    view,
    width,
)

ROWS = MODEL_WIDE.rows


@kernel
def add_nn(A: np.ndarray, B: np.ndarray, C: np.ndarray) -> None:
    """``C += A @ B`` for A (m, depth), B (depth, n) and C (m, n), all C-contiguous.

    A row of the result does not depend on the rows beside it. Called by `products`, `hals` and
    `blocks`.
    """
    m, n = C.shape
    depth = A.shape[1]
    a, b, c = view(A), view(B), view(C)
    wide, narrow = width(MODEL_WIDE, C), width(MODEL_NARROW, C)
    j = int(np.int64(0))  # for a literal 0 Numba compiles a second version of the callees
    while j + wide <= n:
        _add_columns(MODEL_WIDE, ROW_WIDE, a, b, c, j, m, depth)
        j += wide
    while j + narrow <= n:
        _add_columns(MODEL_NARROW, ROW_NARROW, a, b, c, j, m, depth)
        j += narrow
    if j < n:  # the remaining columns, padded to a vector
        B_rest, C_rest = np.zeros((depth, narrow), B.dtype), np.zeros((m, narrow), C.dtype)
        B_rest[:, : n - j], C_rest[:, : n - j] = B[:, j:], C[:, j:]
        _add_rest(A, B_rest, C_rest)
        C[:, j:] = C_rest[:, : n - j]


@kernel
def _add_rest(A: np.ndarray, B: np.ndarray, C: np.ndarray) -> None:
    """`add_nn` for as many columns as a narrow tile has.

    As arguments the arrays outlive their views: Numba frees an array after the last line that names
    it, even if a view of it is in use.
    """
    origin = int(np.int64(0))
    _add_columns(MODEL_NARROW, ROW_NARROW, view(A), view(B), view(C), origin, len(C), A.shape[1])


@kernel
def _add_columns(shape: Any, row: Any, A: Any, B: Any, C: Any, j: int, m: int, depth: int) -> None:
    """`add_nn` for the columns of a tile, which is of a given `shape`, or a single `row`."""
    whole = m // ROWS * ROWS
    for i in range(0, whole, ROWS):
        u = load(shape, C, i, j)
        for k in range(depth):
            u = add_outer(u, A, i, k, B, k, j)
        store(u, C, i, j)
    for i in range(whole, m):
        v = load(row, C, i, j)
        for k in range(depth):
            v = add_outer(v, A, i, k, B, k, j)
        store(v, C, i, j)
