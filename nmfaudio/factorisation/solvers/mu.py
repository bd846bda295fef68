"""Multiplicative updates: each factor in turn to the minimum of its majoriser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.base import Run, Stepwise
from nmfaudio.factorisation.solvers.descent import descend
from nmfaudio.factorisation.solvers.fused import FusedRun, can_fuse


@dataclass(frozen=True)
class MU:
    """Multiplicative updates for any structure, divergence and penalty; the objective never rises.

    The exponent is the one that keeps them monotone: 1/(2 − β) for β < 1, 1 for 1 ≤ β ≤ 2,
    1/(β − 1) for β > 2. Lee and Seung's updates are the cases β = 1 and 2. Plain and convolutive
    NMF under a beta-divergence take whole iterations in sweeps over V; all else goes step by step.

    References
    ----------
    C. Févotte and J. Idier, "Algorithms for nonnegative matrix factorization with the
    β-divergence", Neural Computation 23(9), 2011, doi:10.1162/NECO_a_00168.
    """

    def supports(self, problem: Problem) -> str | None:
        return None

    def begin(self, problem: Problem, factors: Sequence[np.ndarray]) -> Run:
        if can_fuse(problem):
            return FusedRun(problem, cast(Beta, problem.divergence), factors)
        return Stepwise(mu_step, problem, factors)


def mu_step(i: int, factors: list[np.ndarray], problem: Problem) -> np.ndarray:
    """Factor `i` at the minimum of its majoriser, the other factors held."""
    neg, pos = problem.gradient_parts(i, factors)
    F = np.array(factors[i], order="C")
    terms, free = problem.majorize(i, factors), problem.free[i]
    descend(F, neg, pos, terms, free, problem.divergence.exponents)
    return F
