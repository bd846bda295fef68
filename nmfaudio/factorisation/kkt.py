"""How far a decomposition is from where no small change lowers the objective."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.checks import as_spectrogram
from nmfaudio.factorisation.decomposition import Decomposition
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
    """How far a decomposition is from a stationary point of its objective; 0 is there.

    At a stationary point (Karush, Kuhn and Tucker) an entry is either zero and its gradient G ≥ 0,
    or its gradient is 0. So every entry F of every factor is measured by ``|min(F, G)|``, and the
    largest is returned. Both are taken relative to their component: F to its mean there, G to the
    mean of its positive half from the divergence. So neither the scale of V nor that between W and
    H changes the result. Without penalties an entry that a multiplicative update would still
    change by 1 % counts about 0.01.

    Unlike the objective it tells a run that has arrived from one that has become slow. It is worked
    out in double precision and costs about as much as two iterations of multiplicative updates.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        What was decomposed.
    decomposition : Decomposition
    factors : sequence of Factor, optional
        Those that `decompose` was given, for what in them is free, their penalties and norms; where
        they start does not matter. Default: all is free and nothing penalised.
    weights, missing
        As they were in `decompose`.

    Returns
    -------
    float
        At least 0.

    Raises
    ------
    ParameterError, ShapeError, ContentError
        An argument does not fit V or the decomposition.

    References
    ----------
    C.-J. Lin, "Projected gradient methods for nonnegative matrix factorization", Neural Computation
    19(10), 2007, doi:10.1162/neco.2007.19.10.2756 (the conditions, as what a run should end by).

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
    """The problem that was solved, in double precision, and where the decomposition is in it."""
    data, said = as_spectrogram(V, weights=weights, missing=missing)
    shape = d.structure.shape(d.factors)
    if data.shape != shape:
        raise ShapeError(f"V has shape {data.shape}, but the decomposition is of {shape}")
    given = [Factor(F) for F in d.factors] if factors is None else list(factors)
    if len(given) != len(d.factors):
        raise ShapeError(
            f"{len(given)} factors were given, but the decomposition has {len(d.factors)}"
        )
    # The floor of β ≤ 0 depends on the precision and is relative to V's mean.
    scale = data.dtype.type(power_of_two(weighted_mean(data, said)))
    floored = d.divergence.prepare(data / scale, said).astype(np.float64) * scale
    X = [F.astype(np.float64) for F in d.factors]
    held = tuple(replace(f, initial=F) for f, F in zip(given, X, strict=True))
    free = tuple(f.movable(F.shape) for f, F in zip(held, X, strict=True))
    said = None if said is None else said.astype(np.float64)
    return Problem(floored, said, d.structure, d.divergence, held, free), X


def _residual(problem: Problem, i: int, X: Sequence[np.ndarray]) -> float:
    """The largest of factor `i`."""
    F, free = X[i], problem.free[i]
    neg, pos = problem.gradient_parts(i, X)
    slope, terms = pos - neg, problem.majorize(i, X)
    if terms is not None:
        slope = slope + terms.slope(F)
        free = free & ~(((np.asarray(terms.log) > 0) | (np.asarray(terms.inverse) > 0)) & (F == 0))
    axis = problem.structure.component_axes(len(X))[i]
    along = tuple(n for n in range(F.ndim) if n != axis)
    least = np.minimum(_relative(F, F, along), _relative(slope, pos, along))
    return float(np.abs(np.where(free, least, 0.0)).max())


def _relative(A: np.ndarray, to: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """A as multiples of the mean of another array along some axes, 0 where that is 0."""
    mean = np.broadcast_to(to.mean(axes, keepdims=True), A.shape)
    out: np.ndarray = np.divide(A, mean, out=np.zeros_like(A), where=mean > 0)
    return out
