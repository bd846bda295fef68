"""Multiplicative updates of plain and convolutive NMF in one pass over V per iteration.

`Stepwise` with `mu_step` computes the same updates with one matrix product at a time; the tests
compare the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.penalties import Terms
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.descent import factor_floor, step_terms
from nmfaudio.factorisation.solvers.template_updates import TemplateUpdates
from nmfaudio.factorisation.structures import Convolutive, Product
from nmfaudio.factorisation.sums import add_shards, sum_chunks
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
from nmfaudio.kernels.packing import add_chunks, pack_strips, pack_templates
from nmfaudio.kernels.products import product
from nmfaudio.kernels.sweep import sweep, update_lagged
from nmfaudio.kernels.threads import get_threads, parallel_for


def can_fuse(problem: Problem) -> bool:
    """Return whether `FusedRun` supports the problem."""
    # Exact types, since a subclass may define another model.
    plain = type(problem.structure) is Product and len(problem.factors) == 2
    supported = plain or type(problem.structure) is Convolutive
    return supported and type(problem.divergence) is Beta


class FusedRun(TemplateUpdates):
    """Multiplicative updates of ``V ≈ Y = W H``, W before H in each iteration.

    Without weights and penalties, an iteration computes::

        W ← W · (A Hᵀ / B Hᵀ)^(1 / (p − q))
        H ← H · (Wᵀ A / Wᵀ B)^(1 / (p − q))

    with ``A = V · Y^(β−2)``, ``B = Y^(β−1)`` and the exponents p, q of `Divergence.exponents`.

    One sweep over V updates H, then computes the model of the new H and accumulates ``A Hᵀ``,
    ``B Hᵀ`` and the divergence. The next update of W therefore needs no pass over V. Convolutive
    models take two sweeps, because the activations of a frame also affect the following frames.

    Frames are divided into chunks, and the chunks depend on the number of frames only. Each chunk
    has separate accumulators, which are added in order, so results are bitwise the same for any
    number of threads. The sums of a shard of frames do not depend on other shards, so they may be
    computed elsewhere; see `factorisation.corpus`.
    """

    _fixed_templates: Templates | None = None

    def __init__(self, problem: Problem, divergence: Beta, factors: Sequence[np.ndarray]) -> None:
        W, H = self._matrices(factors)
        self._V = _time_major(problem.V)
        super().__init__(problem, divergence, W)
        self._last = len(factors) - 1  # index of the activations
        dtype = self._dtype
        self._floors = divergence.model_floor(dtype), factor_floor(dtype)
        weights = problem.weights
        self._weights = np.empty((0, 0), dtype) if weights is None else _time_major(weights)
        self._H = np.array(H.T, order="C")  # (time, component)
        free_H = problem.free[-1]
        self._free_H = free_H if isinstance(free_H, bool) else self._rows_of_H(free_H)
        self._edges = layout.chunk_edges(len(self._V))
        self._shards = layout.shard_edges(self._edges)
        self._allocate((W, H))
        self._workspaces: dict[int, Workspace] = {}
        self._begin()

    def _begin(self) -> None:
        """Compute the loss, and the gradient for the first update of W."""
        self._sweep(update=False, want_loss=True)

    def _matrices(self, factors: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return W (freq, component) or (lag, freq, component), and H (component, time)."""
        W, H = factors
        return W, H

    def _rows_of_H(self, array: np.ndarray) -> np.ndarray:
        """Reshape an array of the shape of the activations to (time, component)."""
        return array.reshape(-1, array.shape[-1]).T

    def _allocate(self, factors: Sequence[np.ndarray]) -> None:
        """Allocate the accumulators of each chunk; those that a closed form replaces are empty."""
        dtype = self._V.dtype
        chunks = len(self._edges) - 1
        strips = self._n_strips() * len(self._W), self._widths[0]
        self._gram = self._gram_in_range(factors)
        shape = (chunks, *strips) if self._free_W is not False else (0, 0, 0)
        closed_form = self._constant_B or self._gram
        # Negative and positive part of the gradient, (chunk, strip · lag · component, columns).
        self._neg = layout.aligned_zeros(shape, dtype)
        self._pos = layout.aligned_zeros((0, 0, 0) if closed_form else shape, dtype)
        # Strips of both W, and panels.
        self._packing = *(layout.strips(self._W) for _ in range(2)), *layout.panels(self._W)
        depth = len(self._W) if self._gram else 0
        self._squares = np.zeros((chunks, depth, depth), dtype)  # H Hᵀ
        self._sums = np.zeros((chunks, self._W_shape[-1]))  # Σ_t H[k, t]
        self._misfits = np.zeros(chunks)  # divergence

    def factors(self) -> list[np.ndarray]:
        return [self._unpacked(self._W), self._H.T]

    def _terms_of_W(self) -> Terms | None:
        return self._problem.majorize(0, [self._unpacked(self._W_next), self._H.T])

    def _negative_part(self) -> np.ndarray:
        return self._total(self._neg)

    def _sum_of_BHt(self) -> np.ndarray:
        return self._total(self._pos)

    def _sum_of_squares(self) -> np.ndarray:
        return sum_chunks(self._squares, self._shards).astype(self._dtype)

    def _total(self, parts: np.ndarray) -> np.ndarray:
        """Sum parts in strips over the chunks, in order, in the shape of packed W."""
        out = np.empty_like(self._W)
        self._for_strips(lambda first, last: add_chunks(parts, self._shards, first, last, out))
        return out

    def _sums_of_H(self) -> np.ndarray:
        """Return, for each row (lag, component) of packed W, the sum of its activations in V.

        For lag τ it is Σ_t H[k, t] over the frames t < n_frames − τ.
        """
        H, lags = self._H, self._lags
        sums = np.zeros((lags, H.shape[1]))
        sums[0] = sum_chunks(self._sums, self._shards)
        if lags > 1:
            # Only the last lags − 1 frames of H differ between lags: a cumulative sum over them.
            first = max(len(H) - lags + 1, 0)
            prefix = H[:first].sum(0, dtype=np.float64)
            prefix = np.vstack([prefix, prefix + H[first:].cumsum(0, dtype=np.float64)])
            for lag in range(min(lags, len(H))):
                sums[lag] = prefix[len(H) - lag - first]
        out = np.zeros(len(self._W), H.dtype)
        out[: sums.size] = sums.ravel()
        return out

    def _sweep(self, *, update: bool, want_loss: bool) -> None:
        """Update H if `update`; accumulate the gradient for W; compute the loss if `want_loss`."""
        terms = self._terms_of_H() if update else step_terms(None, self._free_H, self._H)
        templates = self._templates()
        if update and self._lags > 1:
            self._update_lagged(templates, terms)
            update = False
        if update or want_loss or self._neg.size:
            self._accumulate(templates, terms, self._params(update, want_loss))
        if want_loss:
            self.loss = self._problem.loss(self.factors(), self._misfit())

    def _misfit(self) -> float:
        """Return the divergence, summed over the chunks in order."""
        sums = [sum(self._misfits[first:last]) for first, last in pairwise(self._shards)]
        return float(add_shards(np.array(sums)))

    def _terms_of_H(self) -> StepTerms:
        """Return the penalty terms and the free entries of the activations, (time, component)."""
        X = self.factors()
        penalty, shape = self._problem.majorize(self._last, X), X[self._last].shape
        rows: Any = penalty and [
            term if np.ndim(term) == 0 else self._rows_of_H(np.broadcast_to(term, shape))
            for term in penalty
        ]
        return step_terms(rows, self._free_H, self._H)

    def _templates(self) -> Templates:
        """Return W with the arrays derived from it that the update of H needs."""
        if self._free_W is False and self._fixed_templates is not None:
            return self._fixed_templates
        W, rank = self._W, self._W_shape[-1]
        empty, memory = np.empty((0, 0), W.dtype), self._packing
        sums = np.empty((self._n_strips(), len(W)))
        wide, narrow = memory[2:]
        templates = Templates(memory[0], wide, narrow, gram=empty, totals=empty)
        self._for_strips(lambda first, last: pack_templates(W, first, last, templates, sums))
        if self._gram:
            templates = templates._replace(gram=np.ascontiguousarray(product(W, W.T)))
        if self._constant_B:  # Σ_f W[k, f], cumulated over lags
            totals = sums.sum(0)[: self._lags * rank].reshape(self._lags, rank).cumsum(0)
            templates = templates._replace(totals=totals.astype(W.dtype))
        self._fixed_templates = templates
        return templates

    def _strips_of_next_W(self, templates: Templates) -> np.ndarray:
        """Return, in strips, the templates that the next update of W starts from."""
        if self._W_next is self._W:
            return templates.strips
        W, out = self._W_next, self._packing[1]
        self._for_strips(lambda first, last: pack_strips(W, first, last, out))
        return out

    def _params(self, update: bool, need_loss: bool) -> Params:
        """Return the scalar parameters of the kernels."""
        beta, (p, q), (model_floor, floor) = self._beta, self._exponents, self._floors
        formula = formula_for(float(self._V.dtype.type(beta)))
        scalars = beta, p, q, model_floor, floor, self._W.shape[1]
        depth, freq = self._W.shape
        sizes = *self._widths, layout.group_frames(depth, freq, self._V.dtype), self._lags
        return Params(formula, *scalars, *sizes, update, need_loss)

    def _accumulate(self, templates: Templates, terms: StepTerms, params: Params) -> None:
        """Run `sweep` on all chunks, in parallel."""
        data = Data(self._V, self._weights)
        totals = self._neg, self._pos, self._sums, self._squares, self._misfits
        sums = ChunkSums(self._strips_of_next_W(templates), *totals)

        def work(indices: range) -> None:
            chunks = Chunks(self._edges, indices.start, indices.step)
            workspace = self._workspace(indices.start)
            sweep(data, templates, self._H, terms, params, workspace, sums, chunks)

        parallel_for(work, len(self._misfits))

    def _update_lagged(self, templates: Templates, terms: StepTerms) -> None:
        """Update the activations of a convolutive model, in parallel."""
        # The gradient for a frame does not depend on the division into chunks, since each chunk
        # reads as many frames beyond its end as needed. So there may be one chunk per thread.
        edges = layout.chunk_edges(len(self._V), get_threads())
        H = self._H  # all gradients use the activations before the update
        self._H = H.copy()
        data, params = Data(self._V, self._weights), self._params(update=True, need_loss=False)

        def work(indices: range) -> None:
            chunks = Chunks(edges, indices.start, indices.step)
            workspace = self._workspace(indices.start)
            update_lagged(data, templates, H, self._H, terms, params, workspace, chunks)

        parallel_for(work, len(edges) - 1)

    def _workspace(self, worker: int) -> Workspace:
        """Return the scratch memory of one thread, allocated at its first use."""
        depth, freq = self._W.shape
        zeros, dtype, frames = layout.aligned_zeros, self._V.dtype, layout.FRAMES
        if worker not in self._workspaces:
            A, B, Y = zeros((3, frames, self._widths[0]), dtype)
            H, AWt, BWt = zeros((3, frames, depth), dtype)
            tiles = zeros((frames // layout.ROWS * depth, layout.ROWS), dtype)
            V = zeros((frames, freq), dtype)
            weights = zeros((frames, freq) if self._weights.size else (0, 0), dtype)
            self._workspaces[worker] = Workspace(V, weights, A, B, Y, H, tiles, AWt, BWt)
        return self._workspaces[worker]


def _time_major(V: np.ndarray) -> np.ndarray:
    """Return V (…, freq, time) as a C-contiguous matrix, a row for each frame."""
    return np.ascontiguousarray(V.T).reshape(V.shape[-1], -1)
