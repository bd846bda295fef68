"""What the beta-divergence does to single time-frequency bins.

The exponents β = 0, ½, 1, 1½ and 2 have code of their own: a general power costs far more.
All arrays have the same shape; `weights` may have size 0, which stands for 1 everywhere.
"""

from __future__ import annotations

import math

import numpy as np

from nmfaudio.kernels.jit import kernel


@kernel
def halves(
    V: np.ndarray,
    Y: np.ndarray,
    weights: np.ndarray,
    beta: float,
    floor: float,
    A: np.ndarray,
    B: np.ndarray,
) -> None:
    """Write ``weights · V · Y^(β−2)`` to A and ``weights · Y^(β−1)`` to B.

    Y is taken as at least `floor`. A or B may be Y itself; a B of size 0 is not wanted.
    """
    rows, columns = V.shape
    low = V.dtype.type(floor)
    one = V.dtype.type(1)
    power = V.dtype.type(beta - 2)
    second = B.size > 0
    for i in range(rows):
        for j in range(columns):
            y = max(Y[i, j], low)
            if beta == 1:
                a, b = V[i, j] / y, one
            elif beta == 2:
                a, b = V[i, j], y
            elif beta == 0:
                b = one / y
                a = V[i, j] * b * b
            elif beta == 0.5:
                r = one / y
                b = math.sqrt(r)
                a = V[i, j] * b * r
            elif beta == 1.5:
                b = math.sqrt(y)
                a = V[i, j] / b
            else:
                r = y**power
                a, b = V[i, j] * r, y * r
            A[i, j] = a
            if second:
                B[i, j] = b
    if weights.size > 0:
        for i in range(rows):
            for j in range(columns):
                A[i, j] *= weights[i, j]
        if second:
            for i in range(rows):
                for j in range(columns):
                    B[i, j] *= weights[i, j]


@kernel
def divergence(
    V: np.ndarray, Y: np.ndarray, weights: np.ndarray, beta: float, floor: float
) -> float:
    """Sum of the weighted beta-divergences of all bins, in double precision (0 · log 0 = 0)."""
    rows, columns = V.shape
    total = 0.0
    for i in range(rows):
        for j in range(columns):
            v = float(V[i, j])
            y = max(float(Y[i, j]), floor)
            if beta == 2:
                d = 0.5 * (v - y) * (v - y)
            elif beta == 1:
                d = y - v
                if v > 0:
                    d += v * math.log(v / y)
            elif beta == 0:
                r = v / y
                d = r - math.log(r) - 1.0
            else:
                s = y ** (beta - 1)
                d = (s * y) / beta - v * s / (beta - 1)
                if v > 0 or beta < 0:
                    d += v**beta / (beta * (beta - 1))
            if weights.size > 0:
                d *= weights[i, j]
            total += d
    return total
