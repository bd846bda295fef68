"""Multiplicative updates of models whose templates or activations are computed from factors.

`Stepwise` with `mu_step` computes the same updates with the model of all frames in memory; the
tests compare the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.descent import descend
from nmfaudio.factorisation.solvers.fused import FusedRun
from nmfaudio.factorisation.structures import Bilinear
from nmfaudio.factorisation.structures.bilinear import has_bilinear_model
from nmfaudio.kernels import layout
from nmfaudio.kernels.activation_gradients import accumulate_gradient_parts
from nmfaudio.kernels.bundles import Chunks, Data
from nmfaudio.kernels.threads import get_threads, parallel_for

Adjoint = Callable[[int, np.ndarray, Sequence[np.ndarray]], np.ndarray]


def is_bilinear(problem: Problem) -> bool:
    """Return whether `BilinearRun` supports the problem."""
    return has_bilinear_model(problem.structure) and type(problem.divergence) is Beta


class BilinearRun(FusedRun):
    """Multiplicative updates of ``V ≈ Y = W H`` for a structure that computes W and H.

    The gradient of a factor follows from that of W or H by the chain rule: a sweep over V
    accumulates ``A Hᵀ`` and ``B Hᵀ`` as for a free W, and `Bilinear.left_adjoint` maps them to the
    factor. The first factor of W uses the sums of the sweep that updated H; each further one needs
    a sweep for the new W.
    """

    def __init__(self, problem: Problem, divergence: Beta, factors: Sequence[np.ndarray]) -> None:
        self._structure = cast(Bilinear, problem.structure)
        self._X = [np.array(F, order="C") for F in factors]
        self._n_left = self._structure.n_left(len(factors))
        # Whether H is the last factor itself, so that the sweep can update it.
        self._plain_H = np.shares_memory(self._structure.right(self._X), self._X[-1])
        super().__init__(problem, divergence, self._X)

    def factors(self) -> list[np.ndarray]:
        if not self._plain_H:
            return self._X
        return [*self._X[:-1], self._H.T.reshape(self._X[-1].shape)]

    def _matrices(self, factors: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        return self._structure.left(factors), self._structure.right(factors)

    def _movable_W(self) -> bool:
        return any(free is not False for free in self._problem.free[: self._n_left])

    def _allocate(self, factors: Sequence[np.ndarray]) -> None:
        super()._allocate(factors)
        if not self._plain_H:
            self._free_H = any(free is not False for free in self._problem.free[self._n_left :])

    def _update_W(self) -> None:
        """Update the factors that W is computed from, one after another."""
        current = True  # whether the sums of the last sweep are those of the current W
        for i, free in enumerate(self._problem.free[: self._n_left]):
            if free is False:
                continue
            # For β = 2 the sums of a sweep, Hᵀ V and Hᵀ H, do not depend on W.
            if not (current or self._gram):
                self._sweep(update=False, want_loss=False)
            neg, pos = self._unpacked(self._total(self._neg)), self._unpacked(self._positive_part())
            self._descend(i, neg, pos, self._structure.left_adjoint)
            self._W = self._W_next = self._packed(self._structure.left(self._X))
            current = False

    def _sweep(self, *, update: bool, want_loss: bool) -> None:
        if update and not self._plain_H:
            self._update_factors_of_H()
            update = False
        super()._sweep(update=update, want_loss=want_loss)

    def _update_factors_of_H(self) -> None:
        """Update the factors that H is computed from, one after another."""
        for i in range(self._n_left, len(self._X)):
            if self._problem.free[i] is not False:
                neg, pos = self._gradient_parts_of_H()
                self._descend(i, neg.T, pos.T, self._structure.right_adjoint)
                self._H = np.array(self._structure.right(self._X).T, order="C")

    def _gradient_parts_of_H(self) -> tuple[np.ndarray, np.ndarray]:
        """Return ``A Wᵀ`` and ``B Wᵀ`` of all frames, each (time, component)."""
        templates, H = self._templates(), self._H
        neg = np.zeros_like(H)
        pos = np.zeros((0, H.shape[1]) if self._constant_B else H.shape, H.dtype)
        data, params = Data(self._V, self._weights), self._params(update=False, need_loss=False)
        # As in `FusedRun._update_lagged`, the gradient does not depend on the chunks.
        edges = layout.chunk_edges(len(H), get_threads())

        def work(indices: range) -> None:
            chunks = Chunks(edges, indices.start, indices.step)
            workspace = self._workspace(indices.start)
            accumulate_gradient_parts(data, templates, H, params, workspace, chunks, neg, pos)

        parallel_for(work, len(edges) - 1)
        if self._constant_B:  # near the end only the lags that lie within V count
            lags = np.minimum(np.arange(len(H), 0, -1), self._lags) - 1
            pos = templates.totals[lags]
        return neg, pos

    def _descend(self, i: int, neg: np.ndarray, pos: np.ndarray, adjoint: Adjoint) -> None:
        """Move a factor, given the parts of the gradient for W or for H and the chain rule."""
        X = self.factors()
        F = self._X[i].copy()
        terms, exponents = self._problem.majorize(i, X), self._exponents
        free = self._problem.free[i]
        descend(F, adjoint(i, neg, X), adjoint(i, pos, X), terms, free, exponents)
        self._X[i] = F
