"""Cyclic coordinate descent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.docstrings import inherits_docstrings
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.base import Run, Solver
from nmfaudio.factorisation.solvers.descent import step_terms
from nmfaudio.factorisation.structures import Product
from nmfaudio.kernels.bundles import StepTerms
from nmfaudio.kernels.ccd import descend_entries
from nmfaudio.kernels.threads import parallel_for

ROWS = 16  # rows per task


@inherits_docstrings(Solver)
@dataclass(frozen=True)
class CCD:
    r"""Cyclic coordinate descent, for plain NMF under β = 1 with any weights and penalties.

    Each iteration moves every entry of W, then of H, to its own minimum, so the objective never
    rises. An iteration costs several of `MU`, and works in double precision for any dtype of
    V, but converges closer to a stationary point than any multiplicative update: it is the
    reference for the other solvers. Unlike them it moves exact zeros: a support needs
    ``Factor(H * S, free=S)``.

    Notes
    -----
    For an entry :math:`h_{kt}`, with :math:`y_{ft}` the current model, Newton's method finds the
    minimum of

    .. math::

        \min_{x \ge 0} \sum_f m_{ft} \big( -v_{ft} \log(y_{ft} + w_{fk} (x - h_{kt}))
            + w_{fk}\, x \big)

    plus the majorisers of penalties, and y is updated before the next entry.

    References
    ----------
    C.-J. Hsieh and I. S. Dhillon, "Fast coordinate descent methods with variable selection for
    non-negative matrix factorization", KDD 2011, doi:10.1145/2020408.2020577.

    Examples
    --------
    For known templates the problem is convex, and its optimum is found to machine precision:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> V, W = rng.random((20, 50)), rng.random((20, 3))
    >>> d = na.nmf(V, W=W, update_W=False, solver="ccd", max_iter=200, tol=0, rng=0)
    >>> factors = [na.Factor(W, free=False), na.Factor(d.H)]
    >>> bool(na.factorisation.kkt_residual(V, d, factors) < 1e-12)
    True
    """

    def supports(self, problem: Problem) -> str | None:
        if type(problem.structure) is not Product or len(problem.factors) != 2:
            return "it requires plain NMF, the product of two factors; use solver='mu'"
        if type(problem.divergence) is not Beta or problem.divergence.beta != 1:
            return "it requires beta = 1; use solver='mu' or 'bmme'"
        return None

    def begin(self, problem: Problem, factors: Sequence[np.ndarray]) -> Run:
        return CoordinateRun(problem, factors)


class CoordinateRun:
    """Updates of W (freq, component) and Hᵀ (time, component), whose rows are independent."""

    def __init__(self, problem: Problem, factors: Sequence[np.ndarray]) -> None:
        def rows(matrix: np.ndarray | None) -> list[np.ndarray]:
            """Return a matrix and its transpose, for updates of W and of H."""
            array = np.empty((0, 0)) if matrix is None else matrix
            return [np.array(side, np.float64, order="C") for side in (array, array.T)]

        self._problem = problem
        self._V, self._weights = rows(problem.V), rows(problem.weights)
        self._X = [rows(factors[0])[0], rows(factors[1])[1]]
        self.loss = problem.loss(self.factors())

    def advance(self, iterations: int) -> None:
        for _ in range(iterations):
            for i, free in enumerate(self._problem.free):
                if free is not False:
                    self._descend(i)
        self.loss = self._problem.loss(self.factors())

    def factors(self) -> list[np.ndarray]:
        W, H = (X.astype(self._problem.V.dtype) for X in self._X)
        return [W, H.T]

    def _descend(self, i: int) -> None:
        """Update each entry of factor `i` in turn."""
        X, A = self._X[i], np.ascontiguousarray(self._X[1 - i].T)
        V, weights = self._V[i], self._weights[i]
        F = X if i == 0 else X.T
        majorant = self._problem.majorize(i, [self._X[0], self._X[1].T])
        terms = step_terms(majorant, self._problem.free[i], F)
        if i == 1:
            terms = StepTerms(*(np.ascontiguousarray(t.T) for t in terms))

        def work(parts: range) -> None:
            for part in parts:
                first = part * ROWS
                last = min(first + ROWS, len(X))
                descend_entries(V, weights, A, X, terms, first, last)

        parallel_for(work, -(-len(X) // ROWS))
