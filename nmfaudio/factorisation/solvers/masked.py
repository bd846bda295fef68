"""Multiplicative updates of the activations of `Masked`, block by block of frames.

`Stepwise` with `mu_step` computes the same updates for all frames at a time; the tests compare the
two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.descent import factor_floor
from nmfaudio.factorisation.structures.masked import Masked
from nmfaudio.kernels.beta_divergence import divergence
from nmfaudio.kernels.majorisation import multiplicative_step
from nmfaudio.kernels.masked import add_masked, expand, masked_ratio, project
from nmfaudio.kernels.threads import parallel_for

_FRAMES = 24  # of a block, whose arrays fit in a second-level cache; a multiple of four
_NARROW = 0.25  # share of non-zero entries up to which templates count as sparse


def can_update_activations(problem: Problem) -> bool:
    """Return whether `ActivationsRun` supports the problem."""
    divergence = problem.divergence
    return (
        type(problem.structure) is Masked
        and type(divergence) is Beta
        and divergence.beta == 1
        and problem.weights is None
        and all(free is (i % 3 == 2) for i, free in enumerate(problem.free))
        and not any(factor.penalties or factor.unit for factor in problem.factors)
    )


@dataclass(frozen=True, eq=False)
class _Group:
    """Factors of one group in time-major order.

    Parameters
    ----------
    mask : np.ndarray [shape=(time, freq)]
        Of size 0: 1 everywhere.
    W : np.ndarray [shape=(component, freq)]
    H : np.ndarray [shape=(time, component)]
        Updated in place.
    spans : np.ndarray [shape=(component, 2)]
        Columns in which each row of sparse templates is not 0; without rows for dense ones.
    """

    mask: np.ndarray
    W: np.ndarray
    H: np.ndarray
    spans: np.ndarray


class ActivationsRun:
    """Multiplicative updates of the activations of `Masked` for β = 1, with fixed M and W.

    The activations of a frame depend on this frame alone, so all iterations between two evaluations
    of the objective are done for one block of frames before the next, while it is in the cache.
    """

    loss: float

    def __init__(self, problem: Problem, factors: Sequence[np.ndarray]) -> None:
        self._problem = problem
        self._factors = list(factors)
        self._V = np.ascontiguousarray(problem.V.T)
        dtype = self._V.dtype
        self._model_floor = cast(Beta, problem.divergence).model_floor(dtype)
        self._factor_floor = factor_floor(dtype)
        triples = zip(factors[::3], factors[1::3], factors[2::3], strict=True)
        self._groups = [_group(M, W, H, self._V.shape) for M, W, H in triples]
        self.advance(0)

    def advance(self, iterations: int) -> None:
        starts = range(0, len(self._V), _FRAMES)
        losses = np.zeros(len(starts))

        def work(numbers: range) -> None:
            for n in numbers:
                losses[n] = self._update_block(slice(starts[n], starts[n] + _FRAMES), iterations)

        parallel_for(work, len(starts))
        self.loss = self._problem.loss(self.factors(), float(sum(losses)))

    def factors(self) -> list[np.ndarray]:
        activations = iter(self._groups)
        return [next(activations).H.T if i % 3 == 2 else F for i, F in enumerate(self._factors)]

    def _update_block(self, frames: slice, iterations: int) -> float:
        """Update the activations of some frames; return their divergence."""
        V, groups = self._V[frames], self._groups
        dtype = V.dtype
        masks = [group.mask[frames] for group in groups]
        parts, Y, Q = np.empty((len(groups), *V.shape), dtype), np.empty_like(V), np.empty_like(V)
        positives = [self._positive_part(g, m, V) for g, m in zip(groups, masks, strict=True)]
        negatives = [np.empty_like(positive) for positive in positives]
        every, unweighted = np.empty((0, 0), bool), np.empty((0, 0), dtype)
        for group, part in zip(groups, parts, strict=True):
            expand(group.H[frames], group.W, group.spans, part)
        for _ in range(iterations):
            for n, group in enumerate(groups):
                _sum_parts(parts, masks, Y)
                masked_ratio(V, Y, masks[n], self._model_floor, Q)
                project(Q, group.W, group.spans, negatives[n])
                H = group.H[frames]
                floor = self._factor_floor
                multiplicative_step(H, negatives[n], positives[n], every, 1.0, floor)
                expand(H, group.W, group.spans, parts[n])
        _sum_parts(parts, masks, Y)
        return float(divergence(V, Y, unweighted, 1.0, self._model_floor))

    def _positive_part(self, group: _Group, mask: np.ndarray, V: np.ndarray) -> np.ndarray:
        """``M Wᵀ`` of a group, which does not depend on the activations [time, component]."""
        out = np.empty((len(V), len(group.W)), V.dtype)
        ones = mask if mask.size else np.ones((1, V.shape[1]), V.dtype)
        project(ones, group.W, group.spans, out[: len(ones)])
        if not mask.size:
            out[:] = out[0]
        return out


def _sum_parts(parts: np.ndarray, masks: Sequence[np.ndarray], Y: np.ndarray) -> None:
    """Write ``Σ mask · part`` to Y [shape=(time, freq)]."""
    Y[:] = 0
    for part, mask in zip(parts, masks, strict=True):
        add_masked(part, mask, Y)


def _group(M: np.ndarray, W: np.ndarray, H: np.ndarray, shape: tuple[int, ...]) -> _Group:
    """Return a group in time-major order, with activations that are a copy."""
    mask = np.empty((len(H.T), 0), M.dtype)
    if M.size > 1 or M.flat[0] != 1:
        mask = np.ascontiguousarray(np.broadcast_to(M.T, shape))
    rows = np.ascontiguousarray(W.T)
    nonzero = rows != 0
    spans = np.empty((0, 2), np.int64)
    if nonzero.mean() <= _NARROW:
        first, last = nonzero.argmax(axis=1), rows.shape[1] - nonzero[:, ::-1].argmax(axis=1)
        spans = np.stack([first, np.where(nonzero.any(axis=1), last, first)], axis=1)
    return _Group(mask, rows, np.array(H.T, order="C"), spans)
