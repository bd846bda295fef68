"""Few large entries instead of many small ones, or no single large ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.penalties.base import Terms, Weighted


@dataclass(frozen=True)
class L1(Weighted):
    """``weight · Σ F``: few activations instead of many small ones.

    While W is free and has no unit norm this only moves scale from H to W: give W's
    `Factor` ``unit="l2"``. (With ``unit="l1"`` it is without effect under KL, where ΣWH = ΣH.)
    """

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        return self.weight * float(F.sum(dtype=np.float64))

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        return Terms(lin=self.weight)


@dataclass(frozen=True)
class L2(Weighted):
    """``weight / 2 · Σ F²``: no single large entries."""

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        return 0.5 * self.weight * float(np.square(F, dtype=np.float64).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        return Terms(quad=self.weight)
