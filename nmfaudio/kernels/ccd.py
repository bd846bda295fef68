"""Coordinate descent for the Kullback–Leibler divergence, one entry after another.

With all else held, the objective is a convex function of one entry x, and its derivative
``pos − Σ v·a / (y + (x − x̃)·a) + lin + quad·x − pull / x − push / x²`` rises and is concave. So a
Newton step never passes the minimum from below, and from above passes it at most once.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.jit import kernel

# Of the model, and of an entry unless it is 0: the cubes of what is divided by it stay finite.
LOWEST = 2.0**-300
NEAR = 1e-4  # a relative step after which the next would be lost in rounding
MOST_STEPS = 200

Arrays = tuple[np.ndarray, ...]


@kernel
def gathered(v: np.ndarray, y: np.ndarray, a: np.ndarray, shift: float) -> tuple[float, float]:
    """The sums of ``v·r`` and ``v·r²`` for ``r = a / (y + shift·a)``."""
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
    pos: float,
    quad: float,
    pull: float,
    push: float,
) -> float:
    """Where the entry that is x now costs least; `lin` is in `pos`. Poles keep a zero at 0."""
    barred = pull > 0.0 or push > 0.0
    at = max(x, LOWEST)
    if x == 0.0:
        neg, bend = gathered(v, y, a, 0.0)
        if barred or pos >= neg:
            return 0.0
        # From nothing Newton would only double: begin no lower than where the data alone end it.
        at = v.sum() / pos if pos > 0.0 else (neg - pos) / (bend + quad)
    for _ in range(MOST_STEPS):
        neg, bend = gathered(v, y, a, at - x)
        slope = pos + quad * at - neg - (pull + push / at) / at
        bend += quad + (pull + 2.0 * push / at) / at / at
        if bend <= 0.0:  # a straight line
            return 0.0 if slope > 0.0 else at
        new = at - slope / bend
        if new < LOWEST:
            if not barred and (at == LOWEST or pos >= gathered(v, y, a, -x)[0]):
                return 0.0
            new = max(at / 16.0, LOWEST)
        near = abs(new - at) <= NEAR * new
        at = new
        if near:
            break
    return at


@kernel
def descend_entries(
    V: np.ndarray,
    weights: np.ndarray,
    A: np.ndarray,
    X: np.ndarray,
    terms: Arrays,
    free: np.ndarray,
    first: int,
    last: int,
) -> None:
    """Move each entry of rows `first` … `last` − 1 of X to its minimum under ``V ≈ X A``, in place.

    All are C-contiguous, float64. `terms` are lin, quad, pull and push like X; of size 0 they stand
    for 0, `weights` and `free` of size 0 for 1 and True.
    """
    lin, quad, pull, push = terms
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
            pos = lin[t, k] if lin.size > 0 else 0.0
            for i in range(len(a)):
                pos += a[i] * weights[t, i] if weights.size > 0 else a[i]
            new = minimiser(
                v,
                y,
                a,
                x,
                pos,
                quad[t, k] if quad.size > 0 else 0.0,
                pull[t, k] if pull.size > 0 else 0.0,
                push[t, k] if push.size > 0 else 0.0,
            )
            for i in range(len(y)):
                y[i] += (new - x) * a[i]
            X[t, k] = new
