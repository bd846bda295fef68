"""Coordinate descent for the Kullback–Leibler divergence, one entry after another.

With all else fixed, the objective is a convex function of one entry x, and its derivative
``positive − Σ v·a / (y + (x − x̃)·a) + linear + quadratic·x − log / x − inverse / x²`` rises and is
concave. So a Newton step never passes the minimum from below, and from above passes it at most once
(Hsieh and Dhillon 2011, doi:10.1145/2020408.2020577). Called by `factorisation.solvers.ccd`.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.bundles import StepTerms
from nmfaudio.kernels.jit import kernel

# Lower bound of the model, and of non-zero entries. Terms divided by its third power stay finite.
LOWEST = 2.0**-300
TOLERANCE = 1e-4  # relative step, after which a further Newton step is below rounding
MAX_STEPS = 200


@kernel
def ratio_sums(v: np.ndarray, y: np.ndarray, a: np.ndarray, shift: float) -> tuple[float, float]:
    """``Σ v·r`` and ``Σ v·r²`` for ``r = a / (y + shift·a)``, all (n,).

    They are minus the first and the second derivative of the divergence's data part.
    """
    first, second = 0.0, 0.0
    for i in range(len(v)):
        r = a[i] / max(y[i] + shift * a[i], LOWEST)
        first += v[i] * r
        second += v[i] * r * r
    return first, second


@kernel
def minimiser(
    v: np.ndarray,
    y: np.ndarray,
    a: np.ndarray,
    x: float,
    positive: float,
    quadratic: float,
    log_weight: float,
    inverse_weight: float,
) -> float:
    """Minimiser of the objective in one entry that is now x.

    v is the row of the data, y its model and a the row of the other factor, all (n,). `positive`
    includes the linear term. With a log or an inverse term a zero stays 0.
    """
    has_pole = log_weight > 0.0 or inverse_weight > 0.0
    at = max(x, LOWEST)
    if x == 0.0:
        negative, curvature = ratio_sums(v, y, a, 0.0)
        if has_pole or positive >= negative:
            return 0.0
        # From about 0 Newton would only double: begin no lower than the minimum for y = 0.
        at = (
            v.sum() / positive
            if positive > 0.0
            else (negative - positive) / (curvature + quadratic)
        )
    for _ in range(MAX_STEPS):
        negative, curvature = ratio_sums(v, y, a, at - x)
        slope = positive + quadratic * at - negative - (log_weight + inverse_weight / at) / at
        curvature += quadratic + (log_weight + 2.0 * inverse_weight / at) / at / at
        if curvature <= 0.0:  # a straight line
            return 0.0 if slope > 0.0 else at
        new = at - slope / curvature
        if new < LOWEST:
            if not has_pole and (at == LOWEST or positive >= ratio_sums(v, y, a, -x)[0]):
                return 0.0
            new = max(at / 16.0, LOWEST)
        converged = abs(new - at) <= TOLERANCE * new
        at = new
        if converged:
            break
    return at


@kernel
def descend_entries(
    V: np.ndarray,
    weights: np.ndarray,
    A: np.ndarray,
    X: np.ndarray,
    terms: StepTerms,
    first: int,
    last: int,
) -> None:
    """Move each entry of rows `first` … `last` − 1 of X to its minimum under ``V ≈ X A``, in place.

    Parameters
    ----------
    V : np.ndarray [shape=(row, n)], float64
        C-contiguous, like all other arrays.
    weights : np.ndarray [shape=(row, n)], float64
        Of size 0: 1 everywhere.
    A : np.ndarray [shape=(component, n)], float64
    X : np.ndarray [shape=(row, component)], float64
    terms : StepTerms
        Penalty terms like X.
    """
    linear, quadratic, free = terms.linear, terms.quadratic, terms.free
    log_weight, inverse_weight = terms.log, terms.inverse
    for t in range(first, last):
        v, y = V[t].copy(), np.zeros(V.shape[1])
        for k in range(len(A)):
            for i in range(len(y)):
                y[i] += X[t, k] * A[k, i]
        if weights.size > 0:
            for i in range(len(v)):
                v[i] *= weights[t, i]
        for k in range(len(A)):
            if free.size > 0 and not free[t, k]:
                continue
            a, x = A[k], X[t, k]
            positive = linear[t, k] if linear.size > 0 else 0.0
            for i in range(len(a)):
                positive += a[i] * weights[t, i] if weights.size > 0 else a[i]
            new = minimiser(
                v,
                y,
                a,
                x,
                positive,
                quadratic[t, k] if quadratic.size > 0 else 0.0,
                log_weight[t, k] if log_weight.size > 0 else 0.0,
                inverse_weight[t, k] if inverse_weight.size > 0 else 0.0,
            )
            # Update the model of this row incrementally instead of summing it again.
            for i in range(len(y)):
                y[i] += (new - x) * a[i]
            X[t, k] = new
