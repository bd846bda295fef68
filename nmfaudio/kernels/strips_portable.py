"""Portable implementation of the functions of `strips`, in plain loops.

For machines without fused multiply-adds, and for versions of Numba that cannot compile tiles of
registers.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels import beta_divergence
from nmfaudio.kernels.bundles import Params, Strip, Templates
from nmfaudio.kernels.gemm import add_nn
from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.layout import FRAMES


@kernel
def gradient_parts(
    params: Params,
    strip: Strip,
    V: np.ndarray,
    H: np.ndarray,
    W: np.ndarray,
    active: np.ndarray,
    A: np.ndarray,
    B: np.ndarray,
    Y: np.ndarray,
) -> None:
    """As `strips.gradient_parts`; components that are not `active` add zeros."""
    j, columns = strip.first, strip.columns
    v, y = V[:, j : j + columns].copy(), np.zeros((FRAMES, columns), V.dtype)
    add_nn(H, W[:, j : j + columns].copy(), y)
    floor = params.model_floor
    if Y.size > 0:
        for n in range(FRAMES):
            for c in range(columns):
                Y[n, c] = max(y[n, c], V.dtype.type(floor))
    b = np.empty_like(y)
    beta_divergence.gradient_parts(v, y, np.empty((0, 0), V.dtype), params.beta, floor, b)
    for n in range(FRAMES):
        for c in range(columns):
            A[n, c] = y[n, c]  # y has been overwritten with A
            if B.size > 0:
                B[n, c] = b[n, c]


@kernel
def strip_divergence(
    params: Params, strip: Strip, V: np.ndarray, Y: np.ndarray, weights: np.ndarray
) -> float:
    """As `strips.strip_divergence`."""
    j, columns = strip.first, strip.columns
    m = weights[:, j : j + columns].copy() if weights.size > 0 else weights
    v, y = V[:, j : j + columns].copy(), Y[:, :columns].copy()
    return beta_divergence.divergence(v, y, m, params.beta, 0.0)


@kernel
def accumulate_AWt(
    A: np.ndarray, a: int, templates: Templates, strip: Strip, active: np.ndarray, AWt: np.ndarray
) -> None:
    """As `strips.accumulate_AWt`, for all components."""
    k, freq = 0, templates.W.shape[1]
    for panels in (templates.wide_panels, templates.narrow_panels):
        for first in range(strip.first, len(panels), freq):
            for n in range(FRAMES):
                for c in range(strip.columns):
                    x, w = A[n, a + c], panels[first + c]
                    for i in range(len(w)):
                        AWt[n, k + i] += x * w[i]
            k += panels.shape[1]


@kernel
def accumulate_HtA(
    H: np.ndarray, A: np.ndarray, a: int, strip: Strip, active: np.ndarray, HtA: np.ndarray
) -> None:
    """As `strips.accumulate_HtA`."""
    j, columns = strip.first, strip.columns
    for run in range(len(active)):
        for k in range(active[run, 0], active[run, 1]):
            row = HtA[k, j : j + columns]
            for n in range(FRAMES):
                x, source = H[n, k], A[n, a : a + columns]
                for c in range(columns):
                    row[c] += x * source[c]
