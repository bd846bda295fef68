"""Beta-divergence of whole arrays and the parts of its gradient, in plain loops.

`formulas` has the same formulas for vectors of bins, and a table of both. The exponents β = 0, ½,
1, 1½ and 2 have separate code, since a general power is much slower.
"""

from __future__ import annotations

import math

import numpy as np

from nmfaudio.kernels.jit import kernel


@kernel
def multiply(weights: np.ndarray, A: np.ndarray) -> None:
    """``A *= weights``, both (row, column); a NumPy expression would take seconds to compile."""
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            A[i, j] *= weights[i, j]


@kernel
def gradient_parts(
    V: np.ndarray,
    Y: np.ndarray,
    weights: np.ndarray,
    beta: float,
    floor: float,
    B: np.ndarray,
) -> None:
    """Turn Y into ``A = weights · V · Y^(β−2)``, and write ``B = weights · Y^(β−1)``.

    It works in place, because vector code needs to know which arrays overlap. Called by
    `factorisation.divergences.Beta` and by `strips_portable`.

    Parameters
    ----------
    V : np.ndarray [shape=(row, column)]
        C-contiguous, like all other arrays.
    Y : np.ndarray [shape=(row, column)]
        Model, taken as at least `floor`; on return A.
    weights : np.ndarray [shape=(row, column)]
        Of size 0: 1 everywhere.
    beta, floor : float
    B : np.ndarray [shape=(row, column)]
        Result.
    """
    rows, columns = V.shape
    low = V.dtype.type(floor)
    one = V.dtype.type(1)
    power = V.dtype.type(beta - 2)
    for i in range(rows):
        # One inner loop for each case, so that each becomes vector code.
        v, y, b = V[i], Y[i], B[i]
        if beta == 1:
            for j in range(columns):
                y[j], b[j] = v[j] / max(y[j], low), one
        elif beta == 2:
            for j in range(columns):
                y[j], b[j] = v[j], max(y[j], low)
        elif beta == 0:
            for j in range(columns):
                r = one / max(y[j], low)
                y[j], b[j] = v[j] * r * r, r
        elif beta == 0.5:
            for j in range(columns):
                r = one / max(y[j], low)
                root = math.sqrt(r)
                y[j], b[j] = v[j] * root * r, root
        elif beta == 1.5:
            for j in range(columns):
                root = math.sqrt(max(y[j], low))
                y[j], b[j] = v[j] / root, root
        else:
            for j in range(columns):
                floored = max(y[j], low)
                r = floored**power
                y[j], b[j] = v[j] * r, floored * r
    if weights.size > 0:
        multiply(weights, Y)
        multiply(weights, B)


@kernel
def divergence(
    V: np.ndarray, Y: np.ndarray, weights: np.ndarray, beta: float, floor: float
) -> float:
    """``Σ weights · d_β(V, max(Y, floor))``, in double precision, with 0 · log 0 = 0.

    The arrays are those of `gradient_parts`. Called by `factorisation.divergences.Beta`,
    `factorisation.recipes.feature_weighting` and `strips_portable`.
    """
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
            elif v == y:
                d = 0.0  # a difference of huge powers could be anything
            else:
                # v^β / (β(β−1)) + y^β / β − v y^(β−1) / (β−1); for β < 0, 0^β is infinite
                s = y ** (beta - 1)
                d = (s * y) / beta - v * s / (beta - 1)
                if v > 0 or beta < 0:
                    d += v**beta / (beta * (beta - 1))
            if weights.size > 0:
                d *= weights[i, j]
            total += d
    return total
