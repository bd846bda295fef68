"""Projected gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.docstrings import inherits_docstrings
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.base import Run, Solver

SUFFICIENT = 0.01  # σ of the paper: share of the linear decrease that a step must achieve
SHRINKAGE = 0.1  # β of the paper: factor between lengths that are tried
MAX_TRIES = 40  # lengths tried for one step


@inherits_docstrings(Solver)
@dataclass(frozen=True)
class PG:
    r"""Projected gradient descent, for any structure, weights and penalties under β = 2.

    The objective never rises. It needs more iterations than `HALS` and is for problems that `HALS`
    does not support. Unlike multiplicative updates it moves exact zeros: a support needs
    ``Factor(H * S, free=S)``.

    Notes
    -----
    Each iteration takes one step per factor, the first factor first,

    .. math::

        F \leftarrow F^+ = \max(F - \alpha \nabla f(F), 0)

    where the length :math:`\alpha`, from that of the factor's last step on, is multiplied or
    divided by 10 until the decrease is sufficient (algorithm 4 of the paper),

    .. math::

        f(F^+) - f(F) \le 0.01\, \langle \nabla f(F), F^+ - F \rangle

    The paper solves for one factor before it turns to the other, because products shared by the
    steps of one factor are then computed once. For general structures none are shared, and
    alternating steps use newer factors.

    References
    ----------
    C.-J. Lin, "Projected gradient methods for nonnegative matrix factorization", Neural Computation
    19(10), 2007, doi:10.1162/neco.2007.19.10.2756.

    Examples
    --------
    Missing bins, which `HALS` does not support:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> V = rng.random((20, 3)) @ rng.random((3, 50))
    >>> V[rng.random(V.shape) < 0.1] = np.nan
    >>> settings = {"beta_loss": 2, "missing": "nan", "max_iter": 50, "tol": 0, "rng": 0}
    >>> losses = [na.nmf(V, 3, solver=s, **settings).losses[-1] for s in ("mu", "pg")]
    >>> bool(losses[1] < 0.1 * losses[0])
    True
    """

    def supports(self, problem: Problem) -> str | None:
        if type(problem.divergence) is not Beta or problem.divergence.beta != 2:
            return (
                "it requires beta = 2, since other divergences are too steep or too flat where the "
                "model is near 0; use solver='mu'"
            )
        return None

    def begin(self, problem: Problem, factors: Sequence[np.ndarray]) -> Run:
        return GradientRun(problem, factors)


class GradientRun:
    """Factors, objective, and the last step length along each factor."""

    def __init__(self, problem: Problem, factors: Sequence[np.ndarray]) -> None:
        self._problem = problem
        self._factors = list(factors)
        self._lengths = [0.0] * len(factors)  # 0: no step yet
        self.loss = problem.loss(self._factors)

    def advance(self, iterations: int) -> None:
        for _ in range(iterations):
            for i, free in enumerate(self._problem.free):
                if free is not False:
                    self._step(i)

    def factors(self) -> list[np.ndarray]:
        return self._factors

    def _step(self, i: int) -> None:
        """Take one step along factor `i`.

        If the last length decreases the objective sufficiently, longer ones are tried as long as
        they do; otherwise shorter ones until one does.
        """
        F, (slope, bound) = self._factors[i], self._slope(i)
        norm = float(np.linalg.norm(slope))
        if norm == 0:
            return
        length = self._lengths[i] or (float(np.linalg.norm(F)) or 1.0) / norm
        best, shrunk = None, False
        for _ in range(MAX_TRIES):
            moved = np.maximum(F - length * slope, bound).astype(F.dtype, copy=False)
            if best is not None and np.array_equal(moved, best[0]):
                break
            loss = self._problem.loss([*self._factors[:i], moved, *self._factors[i + 1 :]])
            predicted = self._predicted(slope, moved - F)
            if loss - self.loss <= SUFFICIENT * predicted:  # sufficient decrease
                best = moved, loss, length
                if shrunk:
                    break
                length /= SHRINKAGE
            elif best is not None or -predicted <= np.finfo(F.dtype).eps * abs(self.loss):
                break  # such a change is below the rounding error of the objective
            else:
                shrunk, length = True, length * SHRINKAGE
        if best is not None:
            self._factors[i], self.loss, self._lengths[i] = best

    def _predicted(self, slope: np.ndarray, step: np.ndarray) -> float:
        """Return the change of the objective to first order."""
        return self._problem.cost_scale * float((slope * step).sum(dtype=np.float64))

    def _slope(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient, 0 for fixed entries, and the lower bound of a step.

        The bound is 0, or a tenth of the current entry where a penalty has a pole at 0; zeros stay
        there.
        """
        problem, F = self._problem, self._factors[i]
        neg, pos = problem.gradient_parts(i, self._factors)
        terms = problem.majorize(i, self._factors)
        if terms is None:
            return np.where(problem.free[i], pos - neg, F.dtype.type(0)), np.zeros_like(F)
        barred = (np.asarray(terms.log) > 0) | (np.asarray(terms.inverse) > 0)
        free = problem.free[i] & ~(barred & (F == 0))
        slope = pos - neg + terms.slope(F)
        return np.where(free, slope, 0.0), np.where(barred, SHRINKAGE * F, 0).astype(F.dtype)
