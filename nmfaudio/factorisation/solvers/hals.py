"""Hierarchical alternating least squares: squared Euclidean distance, component by component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.base import Run
from nmfaudio.factorisation.solvers.descent import step_terms
from nmfaudio.factorisation.structures import Product
from nmfaudio.kernels.bundles import StepTerms
from nmfaudio.kernels.hals import Factors, descend_rows, sweep_rows
from nmfaudio.kernels.layout import MAX_CHUNKS, chunk_edges
from nmfaudio.kernels.products import product
from nmfaudio.kernels.threads import parallel_for

MOST_ROUNDS = 10


@dataclass(frozen=True)
class HALS:
    """Coordinate descent on whole components, for plain NMF under β = 2 without weights.

    Each component goes to its minimum in closed form, so the objective never rises. Going through
    the components costs little beside the products with V that it needs, so it is done several
    times for each of those (accelerated HALS). Unlike multiplicative updates it moves exact zeros:
    a support needs ``Factor(H * S, free=S)``.

    References
    ----------
    A. Cichocki and A.-H. Phan, "Fast local algorithms for large scale nonnegative matrix and tensor
    factorizations", IEICE Trans. Fundamentals E92-A(3), 2009, doi:10.1587/transfun.E92.A.708.

    N. Gillis and F. Glineur, "Accelerated multiplicative updates and hierarchical ALS algorithms
    for nonnegative matrix factorization", Neural Computation 24(4), 2012,
    doi:10.1162/NECO_a_00256.
    """

    def supports(self, problem: Problem) -> str | None:
        if type(problem.structure) is not Product or len(problem.factors) != 2:
            return "it is for plain NMF, the product of two factors; use solver='mu'"
        if type(problem.divergence) is not Beta or problem.divergence.beta != 2:
            return "it is for beta = 2 only; use solver='mu' or 'bmme'"
        if problem.weights is not None:
            return "it cannot weight bins; use solver='mu' or 'bmme'"
        return None

    def begin(self, problem: Problem, factors: Sequence[np.ndarray]) -> Run:
        return HalsRun(problem, factors)


class HalsRun:
    """W before H in each iteration; V is read once, for H's step and W's next at the same time."""

    loss: float

    def __init__(self, problem: Problem, factors: Sequence[np.ndarray]) -> None:
        self._problem = problem
        self._V = np.ascontiguousarray(problem.V.T)
        self._W = np.array(factors[0].T, order="C")
        self._H = np.array(factors[1], order="C")
        self._free = (problem.free[0], problem.free[1])
        self._edges = chunk_edges(len(self._V), MAX_CHUNKS)
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
        """How often to go through the components, so that it costs less than the products."""
        return min(1 + depth // (4 * len(self._W)), MOST_ROUNDS)

    def _terms(self, i: int) -> StepTerms:
        """Terms of factor `i` for the kernels, as (component, n)."""
        F = self.factors()[i]
        terms = step_terms(self._problem.majorize(i, self.factors()), self._free[i], F)
        return terms if i == 1 else StepTerms(*(np.ascontiguousarray(t.T) for t in terms))

    def _update_W(self) -> None:
        gram = np.ascontiguousarray(product(self._H, self._H.T))
        rounds = self._rounds(len(self._V))
        descend_rows(self._W, self._cross.sum(0), gram, self._terms(0), rounds)

    def _sweep(self, *, rounds: int, want_loss: bool) -> None:
        V, W, H = self._V, self._W, self._H
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
