"""Which code the sweeps are made of: `strips`, or `plain` where that cannot be fast or compile.

The environment variable ``NMFAUDIO_VECTORS=0`` asks for `plain`.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels import strips
from nmfaudio.kernels import strips_portable as plain
from nmfaudio.kernels.jit import VECTORS_WANTED, kernel
from nmfaudio.kernels.layout import aligned_zeros
from nmfaudio.kernels.vectors import FUSED, THIN, add_outer, load, store


@kernel
def _probe(A: np.ndarray) -> None:
    store(add_outer(load(THIN, A, 0, 0), A, 0, 0, A, 0, 0), A, 0, 0)


def _vectors_work() -> bool:
    """Whether tiles compile here and compute what they should."""
    A = aligned_zeros((THIN.rows, 64), np.dtype(np.float32))
    A[:] = 2
    try:
        _probe(A)
    except Exception:  # whatever LLVM, llvmlite or Numba say of it
        return False
    return bool((A[:, 0] == 6).all())


VECTORS = VECTORS_WANTED and FUSED and _vectors_work()
_chosen = strips if VECTORS else plain
gradient_parts, misfit = _chosen.gradient_parts, _chosen.misfit
pull_back, gather = _chosen.pull_back, _chosen.gather
