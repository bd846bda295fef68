"""Choice between two implementations of the operations on a strip: `strips`, `strips_portable`.

The latter is for machines without fused multiply-adds, for versions of Numba with which tiles do
not compile, and for the environment variable ``NMFAUDIO_VECTORS=0``.
"""

from __future__ import annotations

import warnings

import numpy as np

from nmfaudio.errors import AudioWarning
from nmfaudio.kernels import gemm, gemm_tiles, strips, strips_portable
from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.layout import aligned_zeros
from nmfaudio.kernels.machine import HAS_FMA
from nmfaudio.kernels.machine_code import VECTORS_REQUESTED
from nmfaudio.kernels.vectors import MODEL_NARROW, add_outer, load, store


@kernel
def _probe(A: np.ndarray) -> None:
    """``A[r] += A[r, 0] · A[0]`` for one tile of A (row, column)."""
    store(add_outer(load(MODEL_NARROW, A, 0, 0), A, 0, 0, A, 0, 0), A, 0, 0)


def _vector_failure() -> str | None:
    """Reason for which tiles do not compile or compute wrongly here, None if they work."""
    A = aligned_zeros((MODEL_NARROW.rows, 64), np.dtype(np.float32))
    A[:] = 2
    try:
        _probe(A)
    except Exception as error:  # anything that LLVM, llvmlite or Numba may raise
        first_line = str(error).strip().partition("\n")[0]
        return f"{type(error).__name__}: {first_line}"
    return None if (A[:, 0] == 6).all() else "the result of a test is wrong"


def _choose_vectors() -> bool:
    """Return whether `strips` can be used; warn if it should be and cannot."""
    if not (VECTORS_REQUESTED and HAS_FMA):
        return False
    failure = _vector_failure()
    if failure is not None:
        warnings.warn(
            f"vector kernels do not compile ({failure}), so plain loops are used, which take about "
            "2.9 times as long; install numba 0.61 or newer, or set NMFAUDIO_VECTORS=0 to use "
            "plain loops without this warning",
            AudioWarning,
            stacklevel=2,
        )
    return failure is None


# Evaluated once, on import: so there is one warning for each process.
VECTORS = _choose_vectors()
_backend = strips if VECTORS else strips_portable
gradient_parts_H, gradient_parts_W = _backend.gradient_parts_H, _backend.gradient_parts_W
gradient_part_H_euclidean = _backend.gradient_part_H_euclidean
gradient_part_W_euclidean = _backend.gradient_part_W_euclidean
add_nn = gemm_tiles.add_nn if VECTORS else gemm.add_nn
