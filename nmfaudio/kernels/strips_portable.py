"""What `strips` does, in plain loops: for machines without fused multiply-adds, or where tiles of
registers do not compile.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nmfaudio.kernels import beta_divergence as cells
from nmfaudio.kernels.gemm import add_nn
from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.layout import FRAMES


@kernel
def gradient_parts(
    formula: Any,
    V: np.ndarray,
    j: int,
    columns: int,
    H: np.ndarray,
    W: np.ndarray,
    heard: np.ndarray,
    beta: float,
    low: float,
    A: np.ndarray,
    B: np.ndarray,
    Y: np.ndarray,
) -> None:
    v, y = V[:, j : j + columns].copy(), np.zeros((FRAMES, columns), V.dtype)
    add_nn(H, W[:, j : j + columns].copy(), y)
    if Y.size > 0:
        for n in range(FRAMES):
            for c in range(columns):
                Y[n, c] = max(y[n, c], V.dtype.type(low))
    b = np.empty_like(y)
    cells.gradient_parts(v, y, np.empty((0, 0), V.dtype), beta, low, b)
    for n in range(FRAMES):
        for c in range(columns):
            A[n, c] = y[n, c]
            if B.size > 0:
                B[n, c] = b[n, c]


@kernel
def misfit(
    formula: Any,
    V: np.ndarray,
    j: int,
    columns: int,
    Y: np.ndarray,
    weights: np.ndarray,
    beta: float,
) -> float:
    strip = slice(j, j + columns)
    said = weights[:, strip].copy() if weights.size > 0 else weights
    return cells.divergence(V[:, strip].copy(), Y[:, :columns].copy(), said, beta, 0.0)


@kernel
def pull_back(
    A: np.ndarray,
    a: int,
    wide: np.ndarray,
    narrow: np.ndarray,
    freq: int,
    j: int,
    columns: int,
    heard: np.ndarray,
    up: np.ndarray,
) -> None:
    k = 0
    for panels in (wide, narrow):
        for first in range(j, len(panels), freq):
            for n in range(FRAMES):
                for c in range(columns):
                    x, w = A[n, a + c], panels[first + c]
                    for i in range(len(w)):
                        up[n, k + i] += x * w[i]
            k += panels.shape[1]


@kernel
def gather(
    H: np.ndarray,
    A: np.ndarray,
    a: int,
    j: int,
    columns: int,
    heard: np.ndarray,
    neg: np.ndarray,
) -> None:
    for run in range(len(heard)):
        for k in range(heard[run, 0], heard[run, 1]):
            row = neg[k, j : j + columns]
            for n in range(FRAMES):
                x, strip = H[n, k], A[n, a : a + columns]
                for c in range(columns):
                    row[c] += x * strip[c]
