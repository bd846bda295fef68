"""Projected gradient: a step downhill along each factor in turn, as long as it pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.base import Run

ENOUGH = 0.01  # of the fall that the slope promises, the share that a step must keep (σ)
CHANGE = 0.1  # by which the length of a step is changed (β)
MOST_TRIES = 40  # lengths tried for one step


@dataclass(frozen=True)
class PG:
    """Projected gradient for any structure, weights and penalties under β = 2.

    Each iteration takes one step per factor, the first factor first: against the gradient, cut off
    at zero, and of a length that keeps at least 0.01 of the fall that the gradient promises, so the
    objective never rises. The search for that length begins at the factor's last one, which grows
    or shrinks tenfold as in algorithm 4 of the paper. (The paper solves for one factor before it
    turns to the other, because there the products that a factor's steps share are the main cost.
    For any structure no products can be shared, and steps in turn see newer factors.)

    It needs more iterations than `HALS` and is for what that cannot take. Unlike
    multiplicative updates it moves exact zeros: a support needs ``Factor(H * S, free=S)``.

    References
    ----------
    C.-J. Lin, "Projected gradient methods for nonnegative matrix factorization", Neural Computation
    19(10), 2007, doi:10.1162/neco.2007.19.10.2756.

    Examples
    --------
    Bins are missing, so `HALS` cannot:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> V = rng.random((20, 3)) @ rng.random((3, 50))
    >>> V[rng.random(V.shape) < 0.1] = np.nan
    >>> settings = {"beta_loss": 2, "missing": "nan", "max_iter": 50, "tol": 0, "rng": 0}
    >>> fits = [na.nmf(V, 3, solver=s, **settings).losses[-1] for s in ("mu", "pg")]
    >>> bool(fits[1] < 0.1 * fits[0])
    True
    """

    def supports(self, problem: Problem) -> str | None:
        if type(problem.divergence) is not Beta or problem.divergence.beta != 2:
            return (
                "it is for beta = 2 only, since others are too steep or too flat where the model "
                "nears 0; use solver='mu'"
            )
        return None

    def begin(self, problem: Problem, factors: Sequence[np.ndarray]) -> Run:
        return GradientRun(problem, factors)


class GradientRun:
    """The factors, the objective there, and the last length of a step along each."""

    def __init__(self, problem: Problem, factors: Sequence[np.ndarray]) -> None:
        self._problem = problem
        self._factors = list(factors)
        self._lengths = [0.0] * len(factors)  # 0: no step was taken yet
        self.loss = problem.loss(self._factors)

    def advance(self, iterations: int) -> None:
        for _ in range(iterations):
            for i, free in enumerate(self._problem.free):
                if free is not False:
                    self._step(i)

    def factors(self) -> list[np.ndarray]:
        return self._factors

    def _step(self, i: int) -> None:
        """The longest step that pays if the last length does, else the first shorter one."""
        F, (slope, lowest) = self._factors[i], self._slope(i)
        steepness = float(np.linalg.norm(slope))
        if steepness == 0:
            return
        length = self._lengths[i] or (float(np.linalg.norm(F)) or 1.0) / steepness
        found, shrunk = None, False
        for _ in range(MOST_TRIES):
            moved = np.maximum(F - length * slope, lowest).astype(F.dtype, copy=False)
            if found is not None and np.array_equal(moved, found[0]):
                break
            loss = self._problem.loss([*self._factors[:i], moved, *self._factors[i + 1 :]])
            promised = self._promised(slope, moved - F)
            if loss - self.loss <= ENOUGH * promised:
                found = moved, loss, length
                if shrunk:
                    break
                length /= CHANGE
            elif found is not None or -promised <= np.finfo(F.dtype).eps * abs(self.loss):
                break  # for a change as small as that, the objective says nothing
            else:
                shrunk, length = True, length * CHANGE
        if found is not None:
            self._factors[i], self.loss, self._lengths[i] = found

    def _promised(self, slope: np.ndarray, step: np.ndarray) -> float:
        """How the objective would change if it were straight."""
        return self._problem.cost_scale * float((slope * step).sum(dtype=np.float64))

    def _slope(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """The gradient, 0 where nothing may move, and how low a step may go.

        That is 0, except where a penalty has a pole there: then a tenth of what is, and a zero
        stays.
        """
        problem, F = self._problem, self._factors[i]
        neg, pos = problem.gradient_parts(i, self._factors)
        terms = problem.majorize(i, self._factors)
        if terms is None:
            return np.where(problem.free[i], pos - neg, F.dtype.type(0)), np.zeros_like(F)
        barred = (np.asarray(terms.log) > 0) | (np.asarray(terms.inverse) > 0)
        free = problem.free[i] & ~(barred & (F == 0))
        slope = pos - neg + terms.slope(F)
        return np.where(free, slope, 0.0), np.where(barred, CHANGE * F, 0).astype(F.dtype)
