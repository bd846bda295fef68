"""Threaded matrix products with a fixed order of summation, for models without a sweep.

BLAS gives different bits on one thread and on two; these do not.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.backend import add_nn
from nmfaudio.kernels.gemm import add_nt
from nmfaudio.kernels.threads import parallel_for

ROWS = 64  # of the result in one part of the work; a multiple of the four rows of `gemm`
DEPTH = 512  # terms of the sum in one part, where the result has too few rows to divide


def product(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Return ``A @ B`` of two matrices of one dtype, as a Fortran-ordered array.

    It is computed transposed, so that (freq, component) times (component, time) is stored
    time-major. Fortran-ordered arguments are not copied.
    """
    out = np.zeros((B.shape[1], A.shape[0]), A.dtype)
    accumulate(np.ascontiguousarray(B.T), np.ascontiguousarray(A.T), out)
    return out.T


def accumulate(A: np.ndarray, B: np.ndarray, C: np.ndarray) -> None:
    """``C += A @ B`` for C-contiguous A (m, depth), B (depth, n) and C (m, n)."""
    rows, columns = C.shape
    depth = len(B)
    if rows <= ROWS and depth >= 2 * DEPTH:
        _accumulate_by_depth(A, B, C)
        return
    # Few columns make short inner loops: then run them along the depth instead.
    narrow = columns < ROWS and depth > columns
    second = np.ascontiguousarray(B.T) if narrow else B
    add = add_nt if narrow else add_nn

    def work(parts: range) -> None:
        for part in parts:
            block = slice(part * ROWS, (part + 1) * ROWS)
            add(A[block], second, C[block])

    parallel_for(work, -(-rows // ROWS))


def _accumulate_by_depth(A: np.ndarray, B: np.ndarray, C: np.ndarray) -> None:
    """`accumulate` with the sum divided into parts, which are added in order."""
    parts = -(-len(B) // DEPTH)
    sums = np.zeros((parts, *C.shape), C.dtype)

    def work(numbers: range) -> None:
        for number in numbers:
            terms = slice(number * DEPTH, (number + 1) * DEPTH)
            add_nn(np.ascontiguousarray(A[:, terms]), B[terms], sums[number])

    parallel_for(work, parts)
    for partial in sums:
        C += partial
