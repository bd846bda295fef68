"""Multiplicative updates of plain and convolutive NMF in one pass over V per iteration.

`Stepwise` with `mu_step` computes the same and is their reference in the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.penalties import Terms
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.descent import descend, factor_floor, step_terms
from nmfaudio.factorisation.structures import Convolutive, Product
from nmfaudio.kernels import layout
from nmfaudio.kernels.bundles import (
    Chunks,
    ChunkSums,
    Data,
    Params,
    StepTerms,
    Templates,
    Workspace,
)
from nmfaudio.kernels.formulas import formula_for
from nmfaudio.kernels.products import accumulate, product
from nmfaudio.kernels.sweep import sweep, update_lagged
from nmfaudio.kernels.threads import get_threads, parallel_for


def can_fuse(problem: Problem) -> bool:
    """Return whether `FusedRun` supports the problem; subclasses may redefine the model."""
    plain = type(problem.structure) is Product and len(problem.factors) == 2
    supported = plain or type(problem.structure) is Convolutive
    return supported and type(problem.divergence) is Beta


class FusedRun:
    """Multiplicative updates of ``V ≈ W H``, W before H in each iteration.

    A sweep over V updates H, and accumulates both parts of the gradient for W and the divergence
    from the model with the new H, so the next update of W needs no pass over V. With several lags
    that takes two sweeps, since the activations of a frame affect the frames after it.

    The frames are split into chunks that depend on their number only; each chunk has accumulators
    of its own, which are added in order. Any number of threads gives the same bytes.
    """

    loss: float

    def __init__(self, problem: Problem, divergence: Beta, factors: Sequence[np.ndarray]) -> None:
        W, H = factors
        self._problem = problem
        self._beta = divergence.beta
        self._exponents = divergence.exponents
        self._V = np.ascontiguousarray(problem.V.T)
        dtype = self._V.dtype
        self._floors = divergence.model_floor(dtype), factor_floor(dtype)
        weights = problem.weights
        none = np.empty((0, 0), dtype)
        self._weights = none if weights is None else np.ascontiguousarray(weights.T)
        self._W_shape = W.shape
        self._lags = len(W) if W.ndim == 3 else 1
        self._W = self._W_next = self._packed(W)
        self._H = np.array(H.T, order="C")
        free_W, free_H = problem.free
        self._free_W = free_W if isinstance(free_W, bool) else self._packed(free_W)
        self._free_H = free_H if isinstance(free_H, bool) else free_H.T
        self._edges = layout.chunk_edges(len(self._V), layout.MAX_CHUNKS)
        self._allocate(factors)
        self._workspaces: dict[int, Workspace] = {}
        self._widths = layout.strip_widths(dtype)
        self._sweep(update=False, want_loss=True)

    def _allocate(self, factors: Sequence[np.ndarray]) -> None:
        """Allocate the accumulators of each chunk, small where a closed form is available."""
        dtype, unweighted = self._V.dtype, self._problem.weights is None
        chunks = len(self._edges) - 1
        # Unweighted KL: the positive part of the gradient, Σ_t H, does not depend on the model.
        self._simple = self._beta == 1 and unweighted
        # Unweighted β = 2: it is W H Hᵀ. Squares must stay in the range of the dtype.
        bits = 30 if dtype == np.float32 else 400
        in_range = all(2.0**-bits < F.max() < 2.0**bits for F in factors)
        self._gram = self._beta == 2 and unweighted and self._lags == 1 and in_range
        shape = (chunks, *self._W.shape) if self._free_W is not False else (0, 0, 0)
        small = self._simple or self._gram
        self._neg = layout.aligned_zeros(shape, dtype)
        self._pos = layout.aligned_zeros((0, 0, 0) if small else shape, dtype)
        depth = len(self._W) if self._gram else 0
        self._squares = np.zeros((chunks, depth, depth), dtype)
        self._sums = np.zeros((chunks, self._W_shape[-1]))
        self._misfits = np.zeros(chunks)

    def advance(self, iterations: int) -> None:
        for left in range(iterations - 1, -1, -1):
            if self._free_W is not False:
                self._update_W()
            self._sweep(update=self._free_H is not False, want_loss=left == 0)

    def factors(self) -> list[np.ndarray]:
        return [self._unpacked(self._W), self._H.T]

    def _packed(self, W: np.ndarray) -> np.ndarray:
        """Return W, or an array like it, as (lag · component, freq), padded for the kernels."""
        rows = W.reshape(self._lags, -1, W.shape[-1]).transpose(0, 2, 1)
        flat = rows.reshape(-1, rows.shape[-1])
        return layout.padded(flat, layout.padded_shape(*flat.shape, self._V.dtype))

    def _unpacked(self, W: np.ndarray) -> np.ndarray:
        """Return a packed W in its original shape."""
        freq, rank = self._W_shape[-2:]
        rows = W[: self._lags * rank, :freq].reshape(self._lags, rank, freq).transpose(0, 2, 1)
        out: np.ndarray = rows.reshape(self._W_shape)
        return out

    def _packed_terms(self, terms: Terms | None) -> Terms | None:
        """Return the penalty terms of W, packed like it."""
        if terms is None:
            return None
        return Terms(
            *(
                t if np.ndim(t) == 0 else self._packed(np.broadcast_to(t, self._W_shape))
                for t in terms
            )
        )

    def _update_W(self) -> None:
        """Update W from the accumulators of the last sweep."""
        X = [self._unpacked(self._W_next), self._H.T]
        terms = self._packed_terms(self._problem.majorize(0, X))
        self._W = self._W_next = layout.padded(self._W_next, self._W.shape)
        neg, pos = self._neg.sum(0), self._positive_part()
        descend(self._W, neg, pos, terms, self._free_W, self._exponents)

    def _positive_part(self) -> np.ndarray:
        """Return the denominator of the update of W, summed over the chunks in order."""
        if self._simple:
            return np.broadcast_to(self._sums_of_H()[:, None], self._W.shape)
        if not self._gram:
            return np.asarray(self._pos.sum(0))
        pos = np.zeros_like(self._W)  # H Hᵀ Wᵀ
        accumulate(self._squares.sum(0), self._W_next, pos)
        return pos

    def _sums_of_H(self) -> np.ndarray:
        """Return, for each row of packed W, the sum of the activations that it is multiplied by."""
        H, lags = self._H, self._lags
        sums = np.zeros((lags, H.shape[1]))
        sums[0] = self._sums.sum(0)
        if lags > 1:  # activations in the last `lag` frames end after the last frame of V
            first = max(len(H) - lags + 1, 0)
            prefix = H[:first].sum(0, dtype=np.float64)
            prefix = np.vstack([prefix, prefix + H[first:].cumsum(0, dtype=np.float64)])
            for lag in range(min(lags, len(H))):
                sums[lag] = prefix[len(H) - lag - first]
        out = np.zeros(len(self._W), H.dtype)
        out[: sums.size] = sums.ravel()
        return out

    def _sums_of_W(self) -> np.ndarray:
        """Return the sums of the templates up to each lag, (lag, component)."""
        rank = self._W_shape[-1]
        sums = self._W[: self._lags * rank].sum(1, dtype=np.float64).reshape(self._lags, rank)
        cumulative: np.ndarray = sums.cumsum(0)
        return cumulative.astype(self._W.dtype)

    def _sweep(self, *, update: bool, want_loss: bool) -> None:
        majorant = self._problem.majorize(1, self.factors()) if update else None
        turned: Any = None if majorant is None else [np.transpose(term) for term in majorant]
        terms = step_terms(turned, self._free_H, self._H)
        templates = self._templates()
        if update and self._lags > 1:
            self._update_lagged(templates, terms)
            update = False
        if update or want_loss or self._neg.size:
            self._accumulate(templates, terms, self._params(update, want_loss))
        if want_loss:
            self.loss = self._problem.loss(self.factors(), float(sum(self._misfits)))

    def _templates(self) -> Templates:
        """W, and what the kernels derive the gradient for H from."""
        none = np.empty((0, 0), self._W.dtype)
        return Templates(
            self._W,
            *layout.panels(self._W),
            gram=np.ascontiguousarray(product(self._W, self._W.T)) if self._gram else none,
            totals=self._sums_of_W() if self._simple else none,
        )

    def _params(self, update: bool, need_loss: bool) -> Params:
        beta, (p, q), (model_floor, floor) = self._beta, self._exponents, self._floors
        formula = formula_for(float(self._V.dtype.type(beta)))
        numbers = beta, p, q, model_floor, floor
        return Params(formula, *numbers, *self._widths, self._lags, update, need_loss)

    def _accumulate(self, templates: Templates, terms: StepTerms, params: Params) -> None:
        data = Data(self._V, self._weights)
        sums = ChunkSums(
            self._W_next, self._neg, self._pos, self._sums, self._squares, self._misfits
        )

        def work(numbers: range) -> None:
            chunks = Chunks(self._edges, numbers.start, numbers.step)
            workspace = self._workspace(numbers.start)
            sweep(data, templates, self._H, terms, params, workspace, sums, chunks)

        parallel_for(work, len(self._misfits))

    def _update_lagged(self, templates: Templates, terms: StepTerms) -> None:
        # What is summed for a frame does not depend on the chunk that it is in.
        edges = layout.chunk_edges(len(self._V), get_threads())
        H = self._H
        self._H = H.copy()
        data, params = Data(self._V, self._weights), self._params(update=True, need_loss=False)

        def work(numbers: range) -> None:
            chunks = Chunks(edges, numbers.start, numbers.step)
            workspace = self._workspace(numbers.start)
            update_lagged(data, templates, H, self._H, terms, params, workspace, chunks)

        parallel_for(work, len(edges) - 1)

    def _workspace(self, worker: int) -> Workspace:
        """Scratch memory for one of the threads that work at the same time."""
        depth, freq = self._W.shape
        zeros, dtype, frames = layout.aligned_zeros, self._V.dtype, layout.FRAMES
        if worker not in self._workspaces:
            strips = zeros((3, frames, self._widths[0]), dtype)
            activations = zeros((3, frames, depth), dtype)
            self._workspaces[worker] = Workspace(
                zeros((frames, freq), dtype),
                zeros((frames, freq) if self._weights.size else (0, 0), dtype),
                *strips,
                *activations,
            )
        return self._workspaces[worker]
