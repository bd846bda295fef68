"""Matrix products over threads with a fixed summation order, for the generic path.

BLAS gives other bits on one and on two threads; these do not.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.gemm import add_nn, add_nt
from nmfaudio.kernels.threads import parallel_for

ROWS = 64  # rows of the result in one part of the work: a multiple of the tiles' four
DEPTH = 512  # terms of the sum in one part, where the result has too few rows to share out


def product(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """``A @ B`` of two matrices of one dtype, as a Fortran-ordered array.

    The result is built transposed, row by row, so that (freq, component) times (component, time)
    is stored time-major. No copies are made of Fortran-ordered arguments.
    """
    out = np.zeros((B.shape[1], A.shape[0]), A.dtype)
    accumulate(np.ascontiguousarray(B.T), np.ascontiguousarray(A.T), out)
    return out.T


def accumulate(A: np.ndarray, B: np.ndarray, C: np.ndarray) -> None:
    """``C += A @ B`` for C-contiguous arrays."""
    rows, columns = C.shape
    depth = len(B)
    if rows <= ROWS and depth >= 2 * DEPTH:
        _accumulate_by_depth(A, B, C)
        return
    narrow = columns < ROWS and depth > columns
    second = np.ascontiguousarray(B.T) if narrow else B
    add = add_nt if narrow else add_nn

    def work(parts: range) -> None:
        for part in parts:
            some = slice(part * ROWS, (part + 1) * ROWS)
            add(A[some], second, C[some])

    parallel_for(work, -(-rows // ROWS))


def _accumulate_by_depth(A: np.ndarray, B: np.ndarray, C: np.ndarray) -> None:
    parts = -(-len(B) // DEPTH)
    sums = np.zeros((parts, *C.shape), C.dtype)

    def work(mine: range) -> None:
        for part in mine:
            some = slice(part * DEPTH, (part + 1) * DEPTH)
            add_nn(np.ascontiguousarray(A[:, some]), B[some], sums[part])

    parallel_for(work, parts)
    for one in sums:
        C += one
