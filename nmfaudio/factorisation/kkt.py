"""Distance of a decomposition from a stationary point, by the KKT conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.checks import as_spectrogram
from nmfaudio.factorisation.decomposition import Decomposition, require_decomposition
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.initialisation import power_of_two, weighted_mean
from nmfaudio.factorisation.problem import Problem


def kkt_residual(
    V: Any,
    decomposition: Decomposition,
    factors: Sequence[Factor] | None = None,
    *,
    weights: Any = None,
    missing: str | None = None,
) -> float:
    r"""Measure the distance of a decomposition from a stationary point of its objective.

    Unlike the objective, it distinguishes a converged run from one that makes slow progress. It is
    computed in double precision and takes about as long as two iterations of multiplicative
    updates.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Data that was decomposed.
    decomposition : Decomposition
        Result of `decompose` or `nmf`.
    factors : sequence of Factor, optional
        Factors passed to `decompose`, whose free entries, penalties and norms matter here; initial
        values do not. Default: those of the fit, ``decomposition.fitted``.
    weights : np.ndarray, optional
        As in `decompose`. Default: those of the fit, unless `factors` are passed.
    missing : "nan" or None
        As in `decompose`.

    Returns
    -------
    float
        0 at a stationary point, else positive.

    Raises
    ------
    ParameterError, ShapeError, ContentError
        An argument does not fit V or the decomposition, or `factors` is needed: the decomposition
        was loaded, or its factors were changed after the fit.

    Notes
    -----
    By the conditions of Karush, Kuhn and Tucker, every entry F with gradient G satisfies
    :math:`\min(F, G) = 0` at a stationary point. The result is the largest violation over all free
    entries,

    .. math::
        \max_{i, j} \left| \min\left(
        \frac{F_{ij}}{\operatorname{mean} F_{k}}, \frac{G_{ij}}{\operatorname{mean} \nabla^+_{k}}
        \right)\right|,

    relative to the means over the component k of an entry, of F and of the positive part of the
    gradient of the divergence. It depends neither on the scale of V nor on that between W and H.
    For an entry that a multiplicative update would change by 1 % it is about 0.01.

    References
    ----------
    C.-J. Lin, "Projected gradient methods for nonnegative matrix factorization", Neural Computation
    19(10), 2007, doi:10.1162/neco.2007.19.10.2756 (KKT conditions as a stopping criterion).

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 50))
    >>> runs = [na.nmf(V, 3, max_iter=n, tol=0, rng=0) for n in (10, 1000)]
    >>> early, late = (na.factorisation.kkt_residual(V, d) for d in runs)
    >>> bool(late < 0.01 * early)
    True
    """
    problem, X = _posed(V, decomposition, factors, weights, missing)
    return max(_residual(problem, i, X) for i in range(len(X)))


def _posed(
    V: Any, d: Decomposition, factors: Sequence[Factor] | None, weights: Any, missing: str | None
) -> tuple[Problem, list[np.ndarray]]:
    """Problem that was solved and the factors of the decomposition, in double precision."""
    require_decomposition(d)
    if factors is None:
        factors = _fitted(d)
        weights = d.weights if weights is None else weights
    data, weights = as_spectrogram(V, weights=weights, missing=missing)
    shape = d.structure.shape(d.factors)
    if data.shape != shape:
        raise ShapeError(f"V has shape {data.shape}, but the decomposition is of {shape}")
    if len(factors) != len(d.factors):
        raise ShapeError(f"got {len(factors)} factors for a decomposition of {len(d.factors)}")
    # The floor under V for β ≤ 0 depends on its dtype and is relative to its scale: apply it first.
    scale = data.dtype.type(power_of_two(weighted_mean(data, weights)))
    floored = d.divergence.prepare(data / scale, weights).astype(np.float64) * scale
    X = [F.astype(np.float64) for F in d.factors]
    fitted = tuple(replace(f, initial=F) for f, F in zip(factors, X, strict=True))
    free = tuple(f.movable(F.shape) for f, F in zip(fitted, X, strict=True))
    weights = None if weights is None else weights.astype(np.float64)
    return Problem(floored, weights, d.structure, d.divergence, fitted, free), X


def _fitted(d: Decomposition) -> tuple[Factor, ...]:
    """Factors of the fit; `ParameterError` if they are unknown or no longer those of `d`."""
    same = len(d.fitted) == len(d.factors) and all(
        f.initial is F for f, F in zip(d.fitted, d.factors, strict=True)
    )
    if not same:
        raise ParameterError(
            "the penalties and free entries of this decomposition are unknown, since it was loaded "
            "or changed after the fit; pass factors, e.g. [Factor(F) for F in d]"
        )
    return d.fitted


def _residual(problem: Problem, i: int, X: Sequence[np.ndarray]) -> float:
    """Largest violation within factor `i`."""
    F, free = X[i], problem.free[i]
    neg, pos = problem.gradient_parts(i, X)
    slope, terms = pos - neg, problem.majorize(i, X)
    if terms is not None:
        slope = slope + terms.slope(F)
        free = free & ~(((np.asarray(terms.log) > 0) | (np.asarray(terms.inverse) > 0)) & (F == 0))
    # The means are taken over all axes but that of the component.
    axis = problem.structure.component_axes(len(X))[i]
    along = tuple(n for n in range(F.ndim) if n != axis)
    violation = np.minimum(_relative(F, F, along), _relative(slope, pos, along))
    return float(np.abs(np.where(free, violation, 0.0)).max())


def _relative(A: np.ndarray, to: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """A divided by the mean of `to` over `axes`, 0 where that is 0."""
    mean = np.broadcast_to(to.mean(axes, keepdims=True), A.shape)
    out: np.ndarray = np.divide(A, mean, out=np.zeros_like(A), where=mean > 0)
    return out
