"""Multiplicative updates of `Gliding` with its sparse templates, in one pass over V per iteration.

`Stepwise` with `mu_step` computes the same updates with dense templates; the tests compare the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.descent import descend, factor_floor
from nmfaudio.factorisation.structures.gliding import Gliding
from nmfaudio.kernels.gliding import FRAMES, WIDTH, Active, Groups, Steps, sweep
from nmfaudio.kernels.layout import MAX_CHUNKS, aligned_zeros
from nmfaudio.kernels.threads import parallel_for


def can_sweep(problem: Problem) -> bool:
    """Return whether `GlidingRun` supports the problem."""
    divergence = problem.divergence
    return (
        type(problem.structure) is Gliding
        and type(divergence) is Beta
        and divergence.beta == 1
        and problem.weights is None
        and isinstance(problem.free[0], bool)
        and problem.free[1] is True
        and not any(factor.penalties or factor.unit for factor in problem.factors)
    )


class GlidingRun:
    """Multiplicative updates of the strengths A and the activations H of `Gliding`, for β = 1.

    The strengths may be fixed.

    As in `FusedRun`, one sweep over V updates H, then computes the model of the new H and
    accumulates the gradient for A, so that the next update of A needs no pass over V. Blocks of
    frames are divided into chunks by the number of frames alone, and the gradients of the chunks
    are added in order, so results are bitwise the same for any number of threads.
    """

    loss: float

    def __init__(self, problem: Problem, factors: Sequence[np.ndarray]) -> None:
        A, H = factors
        self._problem = problem
        self._structure = cast(Gliding, problem.structure)
        dtype, (freq, self._frames) = problem.V.dtype, problem.V.shape
        blocks = -(-self._frames // FRAMES)
        self._A = A
        self._V = _in_blocks(problem.V, max(freq, WIDTH)).transpose(1, 0, 2).copy()
        self._H = _in_blocks(H, len(H))
        active = self._structure.active
        self._H *= active[:, :, None]  # activations elsewhere are not part of the model
        self._active = Active(
            np.concatenate([[0], active.sum(axis=0).cumsum()]), np.nonzero(active.T)[1]
        )
        entries = self._structure.entries
        # A group may have one part in all bins, or one per bin.
        shared = np.ones(len(H), bool)
        shared[entries.states] = entries.parts[:, 0] == entries.parts[:, -1]
        self._shared = shared
        self._group_edges = np.searchsorted(entries.states, np.arange(len(H) + 1))
        self._weights = entries.weights.astype(dtype)
        chunks = min(MAX_CHUNKS, blocks)
        self._edges = [blocks * n // chunks for n in range(chunks + 1)]
        self._gradients = np.zeros((chunks, len(entries.bins), WIDTH), dtype)
        self._workspaces: dict[int, np.ndarray] = {}
        self._sweep(update=False, want_loss=True)

    def advance(self, iterations: int) -> None:
        for left in range(iterations - 1, -1, -1):
            if self._problem.free[0]:
                self._update_strengths()
            self._sweep(update=True, want_loss=left == 0)

    def factors(self) -> list[np.ndarray]:
        return [self._A, self._H.reshape(len(self._H), -1)[:, : self._frames]]

    def _update_strengths(self) -> None:
        """Update A with the gradient that the last sweep accumulated."""
        structure, shape = self._structure, self._A.shape
        entries = structure.entries
        levels = self._H.sum(axis=(1, 2), dtype=np.float64)  # Σ_t H[s, t]
        negative = structure.per_part(self._gradients.sum(axis=0), shape)
        positive = structure.per_part(entries.weights * levels[entries.states][:, None], shape)
        A = np.array(self._A, order="C")
        exponents = self._problem.divergence.exponents
        descend(A, negative.astype(A.dtype), positive.astype(A.dtype), None, True, exponents)
        self._A = A

    def _groups(self) -> Groups:
        """Return the templates of the current strengths."""
        entries, dtype = self._structure.entries, self._V.dtype
        values = self._structure.values(self._A)
        sums = np.bincount(entries.states, values.sum(axis=1), len(self._H))
        return Groups(
            self._group_edges,
            entries.bins,
            self._weights,
            values.astype(dtype),
            sums.astype(dtype),
            self._shared,
        )

    def _sweep(self, *, update: bool, want_loss: bool) -> None:
        """Update H if `update`; accumulate the gradient for A; compute the loss if `want_loss`."""
        dtype, groups = self._V.dtype, self._groups()
        model_floor = cast(Beta, self._problem.divergence).model_floor(dtype)
        steps = Steps(update, want_loss, model_floor, factor_floor(dtype))
        losses = np.zeros(len(self._gradients))
        self._gradients[:] = 0

        def work(chunks: range) -> None:
            if chunks.start not in self._workspaces:
                self._workspaces[chunks.start] = aligned_zeros(self._V.shape[1:], dtype)
            Y = self._workspaces[chunks.start]
            for n in chunks:
                edges = self._edges[n], self._edges[n + 1]
                gradient = self._gradients[n]
                losses[n] = sweep(
                    self._V, self._H, groups, self._active, steps, Y, gradient, *edges
                )

        parallel_for(work, len(losses))
        if want_loss:
            self.loss = self._problem.loss(self.factors(), float(sum(losses)))


def _in_blocks(rows: np.ndarray, count: int) -> np.ndarray:
    """Pad rows (row, time) with zeros to `count` rows of whole blocks [shape=(row, block, frame)].

    The result is aligned to a cache line.
    """
    frames = rows.shape[1]
    blocks = -(-frames // FRAMES)
    out = aligned_zeros((count, blocks * FRAMES), rows.dtype)
    out[: len(rows), :frames] = rows
    return out.reshape(count, blocks, FRAMES)
