"""Multiplicative updates taken from points ahead of the current ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.base import Run
from nmfaudio.factorisation.solvers.fused import FusedRun, can_fuse
from nmfaudio.kernels.layout import aligned_zeros
from nmfaudio.kernels.majorisation import extrapolate


@dataclass(frozen=True)
class BMME:
    """Block majorisation-minimisation with extrapolation, for plain and convolutive NMF, β ≤ 2.

    Each update starts from ``F + c·max(F − F_before, 0)``, with Nesterov's sequence of c. For β < 1
    its exponent is 1 instead of the 1/(2 − β) that makes every step a descent. That reaches the
    objective of 200 iterations of `MU` in 60 to 120, but nothing says that it falls at every step:
    so whenever it rose from one check to the next, the run goes back to the check before and does
    the same number of plain updates instead. At its checks the objective never rises.

    References
    ----------
    L. T. K. Hien, V. Leplat and N. Gillis, "Block majorization minimization with extrapolation and
    application to β-NMF", SIAM Journal on Mathematics of Data Science, 2025,
    doi:10.1137/24M1660188.

    C. Févotte and J. Idier, "Algorithms for nonnegative matrix factorization with the
    β-divergence", Neural Computation 23(9), 2011, doi:10.1162/NECO_a_00168 (the exponents).
    """

    def supports(self, problem: Problem) -> str | None:
        if not can_fuse(problem):
            return "it is for plain and convolutive NMF under Beta; use solver='mu'"
        if cast(Beta, problem.divergence).beta > 2:
            return "its steps are too long for beta > 2; use solver='mu'"
        return None

    def begin(self, problem: Problem, factors: Sequence[np.ndarray]) -> Run:
        return ExtrapolatedRun(problem, cast(Beta, problem.divergence), factors)


class ExtrapolatedRun(FusedRun):
    """`FusedRun` with extrapolation between the checks."""

    def __init__(self, problem: Problem, divergence: Beta, factors: Sequence[np.ndarray]) -> None:
        super().__init__(problem, divergence, factors)
        self._forget()

    def advance(self, iterations: int) -> None:
        kept_W, kept_H, kept_loss, safe = self._W, self._H, self.loss, self._exponents
        if self._beta < 1:
            self._exponents = (0.0, -1.0)
        for left in range(iterations - 1, -1, -1):
            self._iterate(last=left == 0)
        self._exponents = safe
        if not self.loss <= kept_loss:
            self._W = self._W_next = kept_W
            self._H = kept_H
            self._forget()
            self._sweep(update=False, want_loss=False)
            super().advance(iterations)
            self._forget()

    def _forget(self) -> None:
        self._t = 1.0
        self._W_before, self._H_before = self._W, self._H

    def _iterate(self, *, last: bool) -> None:
        following = (1 + math.sqrt(1 + 4 * self._t**2)) / 2
        reach = (self._t - 1) / following
        self._t = following
        W_before, H_before = self._W, self._H
        if self._free_W is not False:
            self._update_W()
        if self._free_H is not False:
            self._H = _ahead(self._H, self._H_before, reach)
        if not last:  # the objective of the last sweep is to be that of the factors themselves
            self._W_next = _ahead(self._W, W_before, reach)
        self._W_before, self._H_before = W_before, H_before
        self._sweep(update=self._free_H is not False, want_loss=last)


def _ahead(F: np.ndarray, before: np.ndarray, reach: float) -> np.ndarray:
    out = aligned_zeros(F.shape, F.dtype)
    extrapolate(F, before, reach, out)
    return out
