"""What a factor costs by itself.

A penalty is one dataclass, here or in a user's own code: `value`, `majorize` and `degree`.
``majorize(F, factors)`` returns (lin, quad, pull) with
``value(G) ≤ const + ⟨lin, G⟩ + ½⟨quad, G²⟩ − ⟨pull, log G⟩`` for all G ≥ 0 and equality at G = F;
quad and pull are ≥ 0. Scalars stand for constant arrays. `degree` is d where
``value(c·F) = c^d · value(F)`` and rows count separately, else None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from nmfaudio._check import as_number

Terms = tuple[np.ndarray | float, np.ndarray | float, np.ndarray | float]


class Penalty(Protocol):
    """See the module's text."""

    @property
    def degree(self) -> int | None: ...

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float: ...

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms: ...


@dataclass(frozen=True)
class _Weighted:
    weight: float

    def __post_init__(self) -> None:
        as_number(self.weight, f"weight of {type(self).__name__}", low=0)


@dataclass(frozen=True)
class L1(_Weighted):
    """``weight · Σ F``: few activations instead of many small ones.

    While W is free and has no unit norm this only moves scale from H to W: give W's
    `Factor` ``unit="l2"``. (With ``unit="l1"`` it is without effect under KL, where ΣWH = ΣH.)
    """

    degree: ClassVar[int] = 1

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        return self.weight * float(F.sum(dtype=np.float64))

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        return self.weight, 0.0, 0.0


@dataclass(frozen=True)
class L2(_Weighted):
    """``weight / 2 · Σ F²``: no single large entries."""

    degree: ClassVar[int] = 2

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        return 0.5 * self.weight * float(np.square(F, dtype=np.float64).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        return 0.0, self.weight, 0.0


@dataclass(frozen=True)
class Smooth(_Weighted):
    """``weight / 2 · Σ (F[…, t] − F[…, t−1])²``: activations that change slowly.

    Neighbours are taken along `axis`: −1 is time in H; 0 is frequency in a W of two dimensions.
    Majorised as in De Pierro 1995, doi:10.1109/42.370409.
    """

    axis: int = -1
    degree: ClassVar[int] = 2

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        steps = np.diff(F.astype(np.float64, copy=False), axis=self.axis)
        return 0.5 * self.weight * float(np.square(steps).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        X = np.moveaxis(F, self.axis, -1)
        near = np.zeros_like(X)  # the sum of the neighbours, and below how many there are
        count = np.zeros_like(X)
        near[..., 1:] += X[..., :-1]
        near[..., :-1] += X[..., 1:]
        count[..., 1:] += 1
        count[..., :-1] += 1
        lin, quad = -self.weight * (count * X + near), 2 * self.weight * count
        return np.moveaxis(lin, -1, self.axis), np.moveaxis(quad, -1, self.axis), 0.0
