"""Steps of the update of activations in a sum of masked factorisations, for one block of frames.

All arrays of a block are (time, freq) or (time, component), and C-contiguous. A mask of size 0 is 1
everywhere. Called by `factorisation.solvers.masked`.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.gemm import add_nn, add_nt
from nmfaudio.kernels.jit import kernel


@kernel
def add_masked(part: np.ndarray, mask: np.ndarray, Y: np.ndarray) -> None:
    """``Y += mask · part``."""
    for t in range(Y.shape[0]):
        if mask.size > 0:
            for f in range(Y.shape[1]):
                Y[t, f] += mask[t, f] * part[t, f]
        else:
            for f in range(Y.shape[1]):
                Y[t, f] += part[t, f]


@kernel
def masked_ratio(
    V: np.ndarray, Y: np.ndarray, mask: np.ndarray, floor: float, out: np.ndarray
) -> None:
    """``out = mask · V / max(Y, floor)``."""
    low = V.dtype.type(floor)
    for t in range(V.shape[0]):
        if mask.size > 0:
            for f in range(V.shape[1]):
                out[t, f] = mask[t, f] * (V[t, f] / max(Y[t, f], low))
        else:
            for f in range(V.shape[1]):
                out[t, f] = V[t, f] / max(Y[t, f], low)


@kernel
def expand(H: np.ndarray, W: np.ndarray, spans: np.ndarray, out: np.ndarray) -> None:
    """``out = H W`` for H (time, component) and W (component, freq).

    Row k of W is 0 outside columns ``spans[k, 0]`` … ``spans[k, 1] − 1``; without rows of `spans`
    it may be anything.
    """
    out[:] = 0
    if len(spans) == 0:
        add_nn(H, W, out)
        return
    for t in range(len(H)):
        for k in range(len(W)):
            h = H[t, k]
            for f in range(spans[k, 0], spans[k, 1]):
                out[t, f] += h * W[k, f]


@kernel
def project(Q: np.ndarray, W: np.ndarray, spans: np.ndarray, out: np.ndarray) -> None:
    """``out = Q Wᵀ`` for Q (time, freq), with W and `spans` of `expand`."""
    out[:] = 0
    if len(spans) == 0:
        add_nt(Q, W, out)
        return
    for t in range(len(Q)):
        for k in range(len(W)):
            total = Q.dtype.type(0)
            for f in range(spans[k, 0], spans[k, 1]):
                total += Q[t, f] * W[k, f]
            out[t, k] = total
