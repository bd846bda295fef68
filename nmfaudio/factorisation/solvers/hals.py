"""Hierarchical alternating least squares."""

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
from nmfaudio.kernels.hals import Factors, descend_rows, sweep_rows
from nmfaudio.kernels.layout import chunk_edges
from nmfaudio.kernels.products import product
from nmfaudio.kernels.threads import parallel_for

MAX_ROUNDS = 10  # passes over the components per product with V


@inherits_docstrings(Solver)
@dataclass(frozen=True)
class HALS:
    r"""Hierarchical alternating least squares, for plain NMF under β = 2 without weights.

    Coordinate descent on rows of H and columns of W: each moves to its minimum in closed form, so
    the objective never rises. A pass over the components is cheap beside the products with V that
    it needs, so several passes follow each product (accelerated HALS). Unlike multiplicative
    updates it moves exact zeros: a support needs ``Factor(H * S, free=S)``.

    Notes
    -----
    The update of row k of H, with :math:`A = W^\top W` and :math:`B = W^\top V`, is

    .. math::

        h_k \leftarrow \max\left( 0,\; h_k + \frac{b_k - \sum_l A_{kl} h_l}{A_{kk}} \right)

    and that of a column of W its transpose. The `linear` and `quadratic` terms of penalties are
    added to the gradient and to the curvature; with `log` and `inverse` terms the minimum is the
    positive root of a polynomial.

    References
    ----------
    A. Cichocki and A.-H. Phan, "Fast local algorithms for large scale nonnegative matrix and tensor
    factorizations", IEICE Trans. Fundamentals E92-A(3), 2009, doi:10.1587/transfun.E92.A.708.

    N. Gillis and F. Glineur, "Accelerated multiplicative updates and hierarchical ALS algorithms
    for nonnegative matrix factorization", Neural Computation 24(4), 2012,
    doi:10.1162/NECO_a_00256.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 40))
    >>> settings = {"beta_loss": 2, "max_iter": 20, "tol": 0, "rng": 0}
    >>> losses = [na.nmf(V, 3, solver=s, **settings).losses[-1] for s in ("mu", "hals")]
    >>> bool(losses[1] < losses[0])
    True
    """

    def supports(self, problem: Problem) -> str | None:
        if type(problem.structure) is not Product or len(problem.factors) != 2:
            return "it requires plain NMF, the product of two factors; use solver='mu'"
        if type(problem.divergence) is not Beta or problem.divergence.beta != 2:
            return "it requires beta = 2; use solver='mu' or 'bmme'"
        if problem.weights is not None:
            return "it cannot weight bins; use solver='mu' or 'bmme'"
        return None

    def begin(self, problem: Problem, factors: Sequence[np.ndarray]) -> Run:
        return HalsRun(problem, factors)


class HalsRun:
    """Updates of W, then H; V is read once per iteration, for H and for the next W together."""

    loss: float

    def __init__(self, problem: Problem, factors: Sequence[np.ndarray]) -> None:
        self._problem = problem
        self._V = np.ascontiguousarray(problem.V.T)
        self._W = np.array(factors[0].T, order="C")
        self._H = np.array(factors[1], order="C")
        self._free = (problem.free[0], problem.free[1])
        self._edges = chunk_edges(len(self._V))
        moves = self._free[0] is not False
        sums = (len(self._edges) - 1, *self._W.shape) if moves else (0, 0, 0)
        self._cross = np.empty(sums, self._V.dtype)
        self._sweep(rounds=0, want_loss=True)

    def advance(self, iterations: int) -> None:
        for left in range(iterations - 1, -1, -1):
            if self._free[0] is not False:
                self._update_W()
            rounds = self._rounds(self._V.shape[1]) if self._free[1] is not False else 0
            self._sweep(rounds=rounds, want_loss=left == 0)

    def factors(self) -> list[np.ndarray]:
        return [self._W.T, self._H]

    def _rounds(self, depth: int) -> int:
        """Return the number of passes over the components, cheaper than the products in total."""
        return min(1 + depth // (4 * len(self._W)), MAX_ROUNDS)

    def _terms(self, i: int) -> StepTerms:
        """Return the terms of the penalties of factor `i`, as (component, n)."""
        F = self.factors()[i]
        terms = step_terms(self._problem.majorize(i, self.factors()), self._free[i], F)
        return terms if i == 1 else StepTerms(*(np.ascontiguousarray(t.T) for t in terms))

    def _update_W(self) -> None:
        """Update all components of W from the products that the last sweep accumulated."""
        gram = np.ascontiguousarray(product(self._H, self._H.T))  # H Hᵀ
        rounds = self._rounds(len(self._V))
        descend_rows(self._W, self._cross.sum(0), gram, self._terms(0), rounds)

    def _sweep(self, *, rounds: int, want_loss: bool) -> None:
        """Update H chunk by chunk, and accumulate V Hᵀ and the divergence of each chunk."""
        V, W, H = self._V, self._W, self._H
        # Wᵀ W; W is stored as (component, freq)
        factors = Factors(W, np.ascontiguousarray(product(W, W.T)), H)
        terms = self._terms(1)
        misfits = np.zeros(len(self._edges) - 1)
        self._cross[:] = 0
        none = np.empty((0, 0), V.dtype)

        def work(chunks: range) -> None:
            for c in chunks:
                cross = self._cross[c] if self._cross.size else none
                first, last = self._edges[c : c + 2]
                misfits[c] = sweep_rows(V, factors, terms, rounds, want_loss, cross, first, last)

        parallel_for(work, len(misfits))
        if want_loss:
            self.loss = self._problem.loss(self.factors(), float(sum(misfits)))
