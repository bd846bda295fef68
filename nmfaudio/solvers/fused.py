"""Plain NMF in whole sweeps over V; `Stepwise` with `mu_step` is its oracle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmfaudio.divergences import Beta
from nmfaudio.kernels.sweep import BLOCK, sweep
from nmfaudio.kernels.threads import deal
from nmfaudio.penalties import Terms
from nmfaudio.problem import Problem
from nmfaudio.solvers.descent import descend, factor_floor, free_array, term_arrays

MOST_CHUNKS = 16
SHORTEST_CHUNK = 8 * BLOCK  # frames


class FusedRun:
    """Multiplicative updates of ``V ≈ W H``, W before H in each iteration.

    A sweep updates H and gathers the two halves for W from the model that the new H makes, so W's
    update needs no look at V, and the objective comes out of the same sweep. The frames are cut
    into chunks that depend on their number alone, each chunk gathers into sums of its own, and
    those are added in order: any number of threads gives the same bits.
    """

    loss: float

    def __init__(self, problem: Problem, divergence: Beta, factors: Sequence[np.ndarray]) -> None:
        W, H = factors
        self._problem = problem
        self._divergence = divergence
        self._rank = W.shape[1]
        self._V = np.ascontiguousarray(problem.V.T)
        self._weights = _time_major(problem.weights, self._V.dtype)
        self._W = self._W_next = _packed(W.T, 0)
        self._H = _packed(H.T, 1)
        self._free_W = _packed_free(problem.free[0], 0)
        self._free_H = _packed_free(problem.free[1], 1)
        # Under unweighted KL the second half of the gradient does not depend on the model.
        self._simple = divergence.beta == 1 and problem.weights is None
        self._starts = chunk_starts(len(self._V))
        sums = (len(self._starts), *self._W.shape) if problem.free[0] is not False else (0, 0, 0)
        self._neg = np.empty(sums, self._V.dtype)
        self._pos = np.empty((0, 0, 0) if self._simple else sums, self._V.dtype)
        self._sweep(update=False, want_loss=True)

    def advance(self, iterations: int) -> None:
        for left in range(iterations - 1, -1, -1):
            if self._free_W is not False:
                self._update_W()
            self._sweep(update=self._free_H is not False, want_loss=left == 0)

    def factors(self) -> list[np.ndarray]:
        return [self._W[: self._rank].T, self._H[:, : self._rank].T]

    def _update_W(self) -> None:
        neg = summed(self._neg)
        if self._simple:
            pos = np.broadcast_to(
                self._H.sum(0, dtype=np.float64)[:, None].astype(neg.dtype), neg.shape
            )
        else:
            pos = summed(self._pos)
        X = [self._W_next[: self._rank].T, self._H[:, : self._rank].T]
        terms = _packed_terms(self._problem.majorize(0, X), X[0], 0)
        self._W = self._W_next = self._W_next.copy()
        descend(self._W, neg, pos, terms, self._free_W, self._divergence.exponents)

    def _sweep(self, *, update: bool, want_loss: bool) -> None:
        X = self.factors()
        terms = _packed_terms(self._problem.majorize(1, X) if update else None, X[1], 1)
        V, W, H = self._V, self._W, self._H
        shared: tuple[Any, ...] = (
            *(V, self._weights, W, self._W_next, H),
            *term_arrays(terms, H),
            free_array(self._free_H, H),
            W.sum(1) if self._simple else np.empty(0, W.dtype),
            self._divergence.beta,
            *self._divergence.exponents,
            self._divergence.model_floor(V.dtype),
            factor_floor(H.dtype),
            update,
            want_loss,
        )
        misfits = np.zeros(len(self._starts))

        def work(chunks: range) -> None:
            scratch = np.empty((2, BLOCK, V.shape[1]), V.dtype)
            small = np.empty((2, BLOCK, H.shape[1]), V.dtype)
            for c in chunks:
                first = self._starts[c]
                last = min(first + self._starts.step, len(V))
                neg, pos = cleared(self._neg, c), cleared(self._pos, c)
                arguments: list[Any] = [*shared, scratch, small, neg, pos, first, last]
                misfits[c] = sweep(*arguments)

        deal(work, len(self._starts))
        if want_loss:
            self.loss = self._problem.loss(self.factors(), float(sum(misfits)))


def chunk_starts(frames: int) -> range:
    """Where the chunks begin whose sums are added in order: it depends on the frames alone."""
    chunk = max(-(-frames // MOST_CHUNKS), SHORTEST_CHUNK)
    return range(0, frames, -(-chunk // BLOCK) * BLOCK)


def cleared(parts: np.ndarray, c: int) -> np.ndarray:
    """Part `c` set to zero, or a matrix of size 0 where there are no parts."""
    part = parts[c] if len(parts) else parts.reshape(0, 0)
    part[:] = 0
    return part


def summed(parts: np.ndarray) -> np.ndarray:
    total: np.ndarray = parts[0].copy()
    for part in parts[1:]:
        total += part
    return total


def _time_major(weights: np.ndarray | None, dtype: np.dtype) -> np.ndarray:
    return np.empty((0, 0), dtype) if weights is None else np.ascontiguousarray(weights.T)


def _packed(F: np.ndarray, axis: int) -> np.ndarray:
    """F with components of zeros up to a multiple of the tiles' four; they stay zero."""
    widths = [(0, 0), (0, 0)]
    widths[axis] = (0, -F.shape[axis] % 4)
    return np.ascontiguousarray(np.pad(F, widths))


def _packed_free(free: bool | np.ndarray, axis: int) -> bool | np.ndarray:
    return free if isinstance(free, bool) else _packed(free.T, axis)


def _packed_terms(terms: Terms | None, F: np.ndarray, axis: int) -> Terms | None:
    """Penalty terms of factor F, turned and packed like it."""
    if terms is None:
        return None
    lin, quad, pull = (
        term if np.ndim(term) == 0 else _packed(np.broadcast_to(term, F.shape).T, axis)
        for term in terms
    )
    return lin, quad, pull
