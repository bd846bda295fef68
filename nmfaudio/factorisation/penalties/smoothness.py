"""Entries that change slowly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.factorisation.penalties.base import Terms, Weighted, parabola


@dataclass(frozen=True)
class Smooth(Weighted):
    """``weight / 2 · Σ (F[…, t] − F[…, t−1])²``: activations that change slowly.

    Neighbours are taken along `axis`: −1 is time in H; 0 is frequency in a W of two dimensions.
    Majorised as in De Pierro 1995, doi:10.1109/42.370409.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 40))
    >>> W, H = np.ones((20, 1)), np.ones((1, 40))
    >>> jumps = [
    ...     abs(np.diff(na.decompose(V, [na.Factor(W, free=False), na.Factor(H, penalties=p)]).H))
    ...     for p in ((), (na.penalties.Smooth(100.0),))
    ... ]
    >>> bool(jumps[1].sum() < jumps[0].sum() / 2)
    True
    """

    axis: int = -1

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        steps = np.diff(F.astype(np.float64, copy=False), axis=self.axis)
        return 0.5 * self.weight * float(np.square(steps).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        X = np.moveaxis(F.astype(np.float64), self.axis, -1)
        steps = np.diff(X, axis=-1)
        slope, count = np.zeros_like(X), np.zeros_like(X)  # count: how many neighbours
        slope[..., 1:] += steps
        slope[..., :-1] -= steps
        count[..., 1:] += 1
        count[..., :-1] += 1
        linear, quadratic = parabola(X, self.weight * slope, 2 * self.weight * count)
        return Terms(np.moveaxis(linear, -1, self.axis), np.moveaxis(quadratic, -1, self.axis))


@dataclass(frozen=True)
class SmoothRatio(Weighted):
    """``weight · Σ log((x + y)² / 4xy)`` over neighbours x, y: ratios, not differences, near 1.

    Loud and quiet passages count alike, as for the ear and under the Itakura–Saito divergence. Near
    x = y it is ``weight / 4 · log(x / y)²``; it grows with the logarithm of the ratio only, so that
    onsets stay sharp. It is the least that two Itakura–Saito divergences d(x | z) + d(y | z) to
    something z between the neighbours can cost, the gamma chain of Dikmen and Cemgil at its best z.
    Févotte's d(y | x) has no bound that splits into entries, and would let them move only one
    after another.

    Scale-free, it needs no unit norm. Exact zeros stay, and pairs with one are left out.

    Parameters
    ----------
    weight : float
        ≥ 0. The data of one frame outweigh a weight well below the number of frequencies.
    axis : int
        Along which entries are neighbours: −1 is time in H.

    Raises
    ------
    ParameterError
        `weight` is out of range.

    References
    ----------
    C. Févotte, "Majorization-minimization algorithm for smooth Itakura-Saito nonnegative matrix
    factorization", ICASSP 2011, doi:10.1109/ICASSP.2011.5946898.

    O. Dikmen and A. T. Cemgil, "Gamma Markov random fields for audio source modeling", IEEE
    Transactions on Audio, Speech, and Language Processing 18(3), 2010,
    doi:10.1109/TASL.2009.2031778.

    Examples
    --------
    A decaying tone seen through noise, of which the quiet end is as smooth as the loud start:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> truth = 0.9 ** np.arange(50)
    >>> V = rng.exponential(truth, (4, 50))
    >>> rough = []
    >>> for weight in (0.0, 20.0):
    ...     H = na.Factor(np.ones((1, 50)), penalties=(na.penalties.SmoothRatio(weight),))
    ...     d = na.decompose(V, [na.Factor(np.ones((4, 1)), free=False), H],
    ...                      divergence=na.Beta(0))
    ...     rough.append(abs(np.log(d.H[0] / truth)).mean())
    >>> bool(rough[1] < rough[0] / 2)
    True
    """

    axis: int = -1

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        x, y, both = self._pairs(F)
        apart = abs(np.log(x[both]) - np.log(y[both]))
        return 2 * self.weight * float((apart / 2 + np.log1p(np.exp(-apart)) - np.log(2)).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        """The tangent of the concave ``2 log(x + y)``; −log x − log y as it is."""
        x, y, both = self._pairs(F)
        log_weight, linear = np.zeros((2, *np.moveaxis(F, self.axis, -1).shape))
        near = np.divide(2 * self.weight, x + y, out=np.zeros_like(x), where=both)
        for some in (np.s_[..., 1:], np.s_[..., :-1]):
            linear[some] += near
            log_weight[some] += self.weight * both
        log_weight[np.moveaxis(F, self.axis, -1) == 0] = self.weight  # a silent frame stays silent
        return Terms(np.moveaxis(linear, -1, self.axis), log=np.moveaxis(log_weight, -1, self.axis))

    def _pairs(self, F: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each entry but the last and the one after it, and whether both are above 0."""
        X = np.moveaxis(F.astype(np.float64), self.axis, -1)
        x, y = X[..., :-1], X[..., 1:]
        return x, y, (x > 0) & (y > 0)
