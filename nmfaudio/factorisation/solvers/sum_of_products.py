"""Multiplicative updates of sums of entrywise products, block by block.

`Stepwise` with `mu_step` computes the same updates with the model of all frames in memory; the
tests compare the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.penalties import Terms
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.descent import descend, factor_floor, step_terms
from nmfaudio.factorisation.structures import SumOfProducts
from nmfaudio.factorisation.structures.sum_of_products import has_sum_of_products
from nmfaudio.kernels import layout
from nmfaudio.kernels.bundles import Chunks
from nmfaudio.kernels.sum_of_products import ROWS, Block, PairSums, Settings, Sum, sum_pass
from nmfaudio.kernels.threads import parallel_for


def is_sum_of_products(problem: Problem, factors: Sequence[np.ndarray]) -> bool:
    """Return whether `SumRun` supports the problem: masks of single bins are fixed."""
    structure = problem.structure
    if not (has_sum_of_products(structure) and type(problem.divergence) is Beta):
        return False
    freq, time = problem.V.shape
    entries = (entry for term in structure.terms(len(factors)) for entry in term)
    return all(
        len(entry) == 2
        or problem.free[entry[0]] is False
        or factors[entry[0]].shape in ((1, time), (freq, 1))
        for entry in entries
    )


class _Pair(NamedTuple):
    """Templates and activations that are multiplied; those of a mask of frames are constant.

    Parameters
    ----------
    term : int
        Number of the term.
    W_index, H_index : int
        Indices of the factors, −1 for constants.
    W : np.ndarray [shape=(component, freq)]
    H : np.ndarray [shape=(time, component)]
    """

    term: int
    W_index: int
    H_index: int
    W: np.ndarray
    H: np.ndarray


class SumRun:
    """Multiplicative updates of ``V ≈ Y = Σ_g M_g ⊙ Π_j (W_j H_j)``, factor by factor.

    The update of activations in a frame depends on no other frame. So one pass over V does all
    those between two updates of templates, block by block, and accumulates the gradient for the
    second. Results are bitwise the same for any number of threads, as in `FusedRun`.
    """

    loss: float

    def __init__(self, problem: Problem, divergence: Beta, factors: Sequence[np.ndarray]) -> None:
        self._problem = problem
        self._initial = list(factors)
        self._pairs, masks = _entries(problem, factors)
        self._edges = np.cumsum([0, *(len(pair.W) for pair in self._pairs)])
        # Of transposed arrays, `concatenate` would make another one in Fortran order.
        W = np.concatenate([pair.W for pair in self._pairs])
        self._freq = W.shape[1]
        columns = layout.padded_shape(len(W), self._freq, W.dtype)[1]
        self._W = layout.padded(W, (len(W), columns))
        self._H = np.ascontiguousarray(np.concatenate([pair.H for pair in self._pairs], axis=1))
        self._model = self._constants(masks)
        dtype = self._W.dtype
        floors = divergence.model_floor(dtype), factor_floor(dtype)
        self._constant_B = divergence.beta == 1 and problem.weights is None
        self._exponents = divergence.exponents
        self._numbers = divergence.beta, *divergence.exponents, *floors
        self._chunks = layout.chunk_edges(len(self._H))
        self._misfits = np.zeros(len(self._chunks) - 1)
        self._blocks: dict[int, Block] = {}
        self._sums: dict[int, PairSums] = {}
        self._pass([], need_loss=True)

    def advance(self, iterations: int) -> None:
        order = [i for i in sorted(self._places()) if self._problem.free[i] is not False]
        pending: list[int] = []  # pairs whose activations the next pass updates
        for _ in range(iterations):
            for i in order:
                pair, is_W = self._places()[i]
                if is_W:
                    self._update_W(i, pair, pending)
                    pending = []
                    continue
                # A penalty may read other factors, which must be up to date.
                if pending and self._problem.is_penalised(i):
                    self._pass(pending)
                    pending = []
                pending.append(pair)
        self._pass(pending, need_loss=True)

    def factors(self) -> list[np.ndarray]:
        out = list(self._initial)
        for i, (pair, is_W) in self._places().items():
            part = self._part(pair)
            out[i] = self._W[part, : self._freq].T if is_W else self._H[:, part].T
        return out

    def _part(self, pair: int) -> slice:
        """Return the components of a pair."""
        return slice(self._edges[pair], self._edges[pair + 1])

    def _places(self) -> dict[int, tuple[int, bool]]:
        """Return the pair of each factor, and whether it is its templates."""
        places = {pair.W_index: (j, True) for j, pair in enumerate(self._pairs)}
        places |= {pair.H_index: (j, False) for j, pair in enumerate(self._pairs)}
        places.pop(-1, None)
        return places

    def _constants(self, masks: dict[int, np.ndarray]) -> Sum:
        """Return all that a pass does not change."""
        V, weights = self._problem.V, self._problem.weights
        terms = len(cast(SumOfProducts, self._problem.structure).terms(len(self._initial)))
        mask_of, term_of = np.full(terms, -1), np.array([pair.term for pair in self._pairs])
        mask_of[list(masks)] = np.arange(len(masks))
        is_alone = (np.bincount(term_of, minlength=terms) == 1) & (mask_of < 0)
        return Sum(
            np.ascontiguousarray(V.T),
            np.empty((0, 0), V.dtype) if weights is None else np.ascontiguousarray(weights.T),
            np.array(list(masks.values())) if masks else np.empty((0, 0, 0), V.dtype),
            mask_of,
            term_of,
            self._edges,
            is_alone[term_of],
            self._free_H(),
        )

    def _free_H(self) -> np.ndarray:
        """Return the mask of free activations, of size 0 if all are."""
        free = [
            self._problem.free[pair.H_index] if pair.H_index >= 0 else True for pair in self._pairs
        ]
        if not any(isinstance(mask, np.ndarray) for mask in free):
            return np.empty((0, 0), bool)
        shapes = (pair.H.shape for pair in self._pairs)
        flags = [np.broadcast_to(np.transpose(f), s) for f, s in zip(free, shapes, strict=True)]
        return np.ascontiguousarray(np.concatenate(flags, axis=1))

    def _pass(
        self, updated: Sequence[int], *, accumulated: int = -1, need_loss: bool = False
    ) -> PairSums:
        """Update activations; then accumulate the gradient for templates, or compute the loss.

        Only the first of the updated activations may be penalised.
        """
        terms = None
        if updated:
            terms = self._transposed_terms(self._pairs[updated[0]].H_index)
        first = self._H[:, self._part(updated[0])] if updated else self._H
        sums = self._sums_of(accumulated)
        totals = self._W.sum(1, dtype=np.float64).astype(self._W.dtype)
        numbers = np.array(updated, np.int64), accumulated, need_loss, self._constant_B
        arguments = (
            *(self._model, self._W, self._H, totals, step_terms(terms, True, first)),
            Settings(*numbers, *self._numbers),
        )

        def work(indices: range) -> None:
            chunks = Chunks(self._chunks, indices.start, indices.step)
            sum_pass(*arguments, self._block(indices.start), sums, chunks)

        parallel_for(work, len(self._misfits))
        if need_loss:
            self.loss = self._problem.loss(self.factors(), float(sum(self._misfits)))
        return sums

    def _update_W(self, i: int, pair: int, pending: Sequence[int]) -> None:
        """Update the templates of a pair, after pending updates of activations."""
        sums = self._pass(pending, accumulated=pair)
        W, free = self._W[self._part(pair), : self._freq], self._problem.free[i]
        free = free if isinstance(free, bool) else free.T
        neg, pos = (part.sum(0)[:, : self._freq] for part in (sums.negative, sums.positive))
        F = W.copy()
        descend(F, neg, pos, self._transposed_terms(i), free, self._exponents)
        W[:] = F

    def _transposed_terms(self, i: int) -> Terms | None:
        """Return the penalty terms of a factor, transposed."""
        if not self._problem.is_penalised(i):
            return None
        X = self.factors()
        terms = self._problem.majorize(i, X)
        return terms and Terms(
            *(t if np.ndim(t) == 0 else np.broadcast_to(t, X[i].shape).T for t in terms)
        )

    def _block(self, worker: int) -> Block:
        """Return the scratch memory of one thread, allocated at its first use."""
        if worker not in self._blocks:
            columns, dtype = self._W.shape[1], self._W.dtype
            shapes = [(len(self._pairs), ROWS, columns), *[(ROWS, columns)] * 3]
            self._blocks[worker] = Block(*(layout.aligned_zeros(shape, dtype) for shape in shapes))
        return self._blocks[worker]

    def _sums_of(self, pair: int) -> PairSums:
        """Return the accumulators for the templates of a pair, allocated at their first use."""
        if pair not in self._sums:
            depth = len(self._pairs[pair].W) if pair >= 0 else 0
            shape = (len(self._misfits), depth, self._W.shape[1])
            neg, pos = (layout.aligned_zeros(shape, self._W.dtype) for _ in range(2))
            self._sums[pair] = PairSums(neg, pos, self._misfits)
        return self._sums[pair]


def _entries(
    problem: Problem, factors: Sequence[np.ndarray]
) -> tuple[list[_Pair], dict[int, np.ndarray]]:
    """Return the pairs of all terms, and the product of the fixed masks of each term, by number.

    A mask (1, time) or (freq, 1) is a pair with a constant.
    """
    structure = cast(SumOfProducts, problem.structure)
    freq, time = problem.V.shape
    pairs: list[_Pair] = []
    masks: dict[int, np.ndarray] = {}

    def add(term: int, W_index: int, H_index: int, W: np.ndarray, H: np.ndarray) -> None:
        pairs.append(_Pair(term, W_index, H_index, W.T, H.T))

    for term, entries in enumerate(structure.terms(len(factors))):
        for entry in entries:
            M = factors[entry[0]]
            if len(entry) == 2:
                add(term, *entry, M, factors[entry[1]])
            elif problem.free[entry[0]] is False and M.shape == (1, 1) and M[0, 0] == 1:
                continue  # a full mask stays, or last bits would depend on the other frames
            elif M.shape == (1, time):
                add(term, -1, entry[0], np.ones((freq, 1), M.dtype), M)
            elif M.shape == (freq, 1):
                add(term, entry[0], -1, M, np.ones((1, time), M.dtype))
            else:
                mask = np.broadcast_to(M.T, (time, freq))
                masks[term] = masks[term] * mask if term in masks else mask
    return pairs, masks
