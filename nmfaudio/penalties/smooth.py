"""Entries that change slowly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.penalties.base import Terms, Weighted


@dataclass(frozen=True)
class Smooth(Weighted):
    """``weight / 2 · Σ (F[…, t] − F[…, t−1])²``: activations that change slowly.

    Neighbours are taken along `axis`: −1 is time in H; 0 is frequency in a W of two dimensions.
    Majorised as in De Pierro 1995, doi:10.1109/42.370409.
    """

    axis: int = -1

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
        return Terms(np.moveaxis(lin, -1, self.axis), np.moveaxis(quad, -1, self.axis))
