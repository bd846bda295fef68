"""Weights of frequencies without their cost: a scaled problem that has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.fused import FusedRun


def begin_fused(
    kind: type[FusedRun], problem: Problem, factors: Sequence[np.ndarray]
) -> FusedRun | RowScaledRun:
    """Return a fused run of one kind, without weights where they can be avoided.

    Parameters
    ----------
    kind : type
        `FusedRun` or a subclass.
    problem : Problem
        Problem that the run supports.
    factors : sequence of np.ndarray
        Initial factors.

    Returns
    -------
    FusedRun or RowScaledRun
    """
    scales = _row_scales(problem)
    if scales is None:
        return kind(problem, cast(Beta, problem.divergence), factors)
    return RowScaledRun(kind, problem, factors, scales)


class RowScaledRun:
    """Run for weights that depend on frequency alone.

    A beta-divergence is homogeneous, ``m · d(v | y) = d(s·v | s·y)`` with ``s = m^(1/β)``. So the
    weights of rows of V become scales of the rows of V and W, and the sweep needs neither to apply
    weights nor to compute the parts of the gradient that only weights make different from frame to
    frame. Multiplicative updates of the scaled W are those of W.

    Parameters
    ----------
    kind : type
        `FusedRun` or a subclass.
    problem : Problem
        Problem with weights.
    factors : sequence of np.ndarray
        Initial factors.
    scales : np.ndarray [shape=(freq, 1)]
        Scale s of each row, 0 where the weight is.
    """

    def __init__(
        self,
        kind: type[FusedRun],
        problem: Problem,
        factors: Sequence[np.ndarray],
        scales: np.ndarray,
    ) -> None:
        self._W, self._scales = factors[0], scales
        scaled = replace(problem, V=np.asfortranarray(problem.V * scales), weights=None)
        divergence = cast(Beta, problem.divergence)
        self._run = kind(scaled, divergence, [factors[0] * scales, factors[1]])
        self.loss = self._run.loss

    def advance(self, iterations: int) -> None:
        self._run.advance(iterations)
        self.loss = self._run.loss

    def factors(self) -> list[np.ndarray]:
        W, H = self._run.factors()
        # Templates of frequencies without weight have never changed.
        unscaled = np.divide(W, self._scales, out=self._W.copy(), where=self._scales > 0)
        return [unscaled, H]


def _row_scales(problem: Problem) -> np.ndarray | None:
    """Return the scales [shape=(freq, 1)] that make weights needless, or None if none do."""
    weights, beta = problem.weights, cast(Beta, problem.divergence).beta
    # Penalties would see the scaled W. For β ≤ 0 the divergence does not vanish with s.
    if weights is None or beta <= 0 or any(f.penalties for f in problem.factors):
        return None
    rows = weights[:, :1]
    if not (weights == rows).all():
        return None
    scales = np.asarray(rows, np.float64) ** (1 / beta)
    # Entries of V and W keep half of the exponents of their dtype.
    bits = 32 if weights.dtype == np.float32 else 256
    positive = scales[scales > 0]
    in_range = 2.0**-bits < positive.min() and positive.max() < 2.0**bits
    return scales.astype(weights.dtype) if in_range else None
