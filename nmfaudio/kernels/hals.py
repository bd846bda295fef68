"""Coordinate descent for the squared Euclidean distance, one component after another.

With the other factor fixed, the objective is quadratic in each component of a factor, which then
has its minimum in closed form (Cichocki and Phan 2009, doi:10.1587/transfun.E92.A.708). Called by
`factorisation.solvers.hals`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nmfaudio.kernels import majorisation
from nmfaudio.kernels.backend import add_nn
from nmfaudio.kernels.bundles import Majoriser, StepTerms
from nmfaudio.kernels.gemm import add_nt
from nmfaudio.kernels.jit import kernel

BLOCK = 64  # frames


class Factors(NamedTuple):
    """Factors of ``V ≈ W H`` and the Gram matrix of W; component-major, unlike in `sweep`.

    Parameters
    ----------
    W : np.ndarray [shape=(component, freq)]
    gram : np.ndarray [shape=(component, component)]
        ``W Wᵀ``.
    H : np.ndarray [shape=(component, time)]
    """

    W: np.ndarray
    gram: np.ndarray
    H: np.ndarray


@kernel
def descend_rows(
    X: np.ndarray, cross: np.ndarray, gram: np.ndarray, terms: StepTerms, rounds: int
) -> None:
    """Minimise ``½⟨X, gram X⟩ − ⟨X, cross⟩`` plus penalties over X ≥ 0, in place.

    Row k moves to ``max(0, (cross_k − Σ_{i≠k} gram_ki X_i − linear) / (gram_kk + quadratic))``.

    Parameters
    ----------
    X : np.ndarray [shape=(component, n)]
    cross : np.ndarray [shape=(component, n)]
        Product of the other factor with V.
    gram : np.ndarray [shape=(component, component)]
        Gram matrix of the other factor.
    terms : StepTerms
        Penalty terms like X. Where an entry has a log or an inverse term, a zero stays zero.
    rounds : int
        Passes through the components.
    """
    rank, n = X.shape
    linear, quadratic, free = terms.linear, terms.quadratic, terms.free
    log_weight, inverse_weight = terms.log, terms.inverse
    has_poles = log_weight.size > 0 or inverse_weight.size > 0
    zero = X.dtype.type(0)
    descent = np.empty(n, X.dtype)  # minus the gradient, without the part of row k itself
    for _ in range(rounds):
        for k in range(rank):
            x = X[k]
            for j in range(n):
                descent[j] = cross[k, j]
            for i in range(rank):
                if i != k and gram[k, i] != 0:
                    g, row = gram[k, i], X[i]
                    for j in range(n):
                        descent[j] -= g * row[j]
            if linear.size > 0:
                for j in range(n):
                    descent[j] -= linear[k, j]
            for j in range(n):
                curvature = gram[k, k] + (quadratic[k, j] if quadratic.size > 0 else zero)
                if free.size > 0 and not free[k, j]:
                    continue
                if has_poles:
                    at = float(x[j])
                    d = float(log_weight[k, j]) if log_weight.size > 0 else 0.0
                    e = float(inverse_weight[k, j]) if inverse_weight.size > 0 else 0.0
                    if d > 0 or e > 0:
                        if at > 0:
                            e = e / at / at if e > 0 else 0.0  # 1 / at² may be infinite
                            # In u = x / at: curvature·at·u − descent − d / (at·u) − …
                            slope, offset = float(curvature) * at, -float(descent[j])
                            m = Majoriser(0.0, slope, offset, 0.0, d / at, e, 1.0, 0.0)
                            x[j] = X.dtype.type(at * majorisation.ratio(m))
                        continue
                if curvature > 0:
                    x[j] = max(descent[j] / curvature, zero)


@kernel
def sweep_rows(
    V: np.ndarray,
    factors: Factors,
    terms: StepTerms,
    rounds: int,
    need_loss: bool,
    cross: np.ndarray,
    first: int,
    last: int,
) -> float:
    """Update H in frames `first` … `last` − 1, and add ``H V`` of these frames to `cross`.

    Parameters
    ----------
    V : np.ndarray [shape=(time, freq)]
    factors : Factors
        H is updated in place if `rounds` is above 0.
    terms : StepTerms
        Of H, (component, time).
    rounds : int
        Passes through the components, see `descend_rows`.
    need_loss : bool
    cross : np.ndarray [shape=(component, freq)]
        Product for the update of W; of size 0 if not needed.

    Returns
    -------
    float
        ``½‖V − WH‖²`` of these frames in double precision if `need_loss`, else 0.
    """
    loss = 0.0
    W, gram, H = factors.W, factors.gram, factors.H
    linear, quadratic, free = terms.linear, terms.quadratic, terms.free
    log_weight, inverse_weight = terms.log, terms.inverse
    for t0 in range(first, last, BLOCK):
        t1 = min(t0 + BLOCK, last)
        v, h = V[t0:t1], H[:, t0:t1].copy()
        if rounds > 0:
            Wv = np.zeros_like(h)
            add_nt(W, v, Wv)  # (component, frame)
            descend_rows(
                h,
                Wv,
                gram,
                StepTerms(
                    linear[:, t0:t1].copy() if linear.size > 0 else linear,
                    quadratic[:, t0:t1].copy() if quadratic.size > 0 else quadratic,
                    log_weight[:, t0:t1].copy() if log_weight.size > 0 else log_weight,
                    inverse_weight[:, t0:t1].copy() if inverse_weight.size > 0 else inverse_weight,
                    free[:, t0:t1].copy() if free.size > 0 else free,
                ),
                rounds,
            )
            for k in range(len(h)):  # an assignment of arrays would take seconds to compile
                for t in range(t0, t1):
                    H[k, t] = h[k, t - t0]
        if cross.size > 0:
            add_nn(h, v, cross)
        if need_loss:
            Y = np.zeros_like(v)
            add_nn(h.T.copy(), W, Y)
            for i in range(len(v)):
                for j in range(v.shape[1]):
                    loss += 0.5 * (float(v[i, j]) - float(Y[i, j])) ** 2
    return loss
