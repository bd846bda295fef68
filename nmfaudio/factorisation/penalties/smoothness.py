"""Penalties on changes between neighbouring entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.docstrings import inherits_docstrings
from nmfaudio.factorisation.penalties.base import Penalty, Terms, Weighted, parabola


@inherits_docstrings(Penalty)
@dataclass(frozen=True)
class Smooth(Weighted):
    r"""Smoothness, ``weight / 2 · Σ (F[…, t] − F[…, t−1])²``: activations that change slowly.

    Parameters
    ----------
    weight : float
        ≥ 0.
    axis : int
        Axis along which entries are neighbours: −1 is time in H, 0 frequency in a W of shape
        (freq, component).

    Raises
    ------
    ParameterError
        `weight` is out of range.

    Notes
    -----
    Each squared difference is majorised by two separate squares (De Pierro),

    .. math::

        (x - y)^2 \le \tfrac12 (2x - \tilde x - \tilde y)^2
            + \tfrac12 (2y - \tilde x - \tilde y)^2

    so for an entry with neighbours :math:`N(t)`

    .. math::

        \Omega(F) = \frac{\lambda}{2} \sum_t (F_t - F_{t-1})^2 \le \mathrm{const}
            + \sum_t \Big( \lambda\, |N(t)|\, F_t^2
            - \lambda F_t \sum_{s \in N(t)} (\tilde F_t + \tilde F_s) \Big)

    References
    ----------
    A. R. De Pierro, "A modified expectation maximization algorithm for penalized likelihood
    estimation in emission tomography", IEEE Transactions on Medical Imaging 14(1), 1995,
    doi:10.1109/42.370409.

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
        slope, neighbours = np.zeros_like(X), np.zeros_like(X)  # neighbours: |N(t)|, 1 at the ends
        slope[..., 1:] += steps
        slope[..., :-1] -= steps
        neighbours[..., 1:] += 1
        neighbours[..., :-1] += 1
        linear, quadratic = parabola(X, self.weight * slope, 2 * self.weight * neighbours)
        return Terms(np.moveaxis(linear, -1, self.axis), np.moveaxis(quadratic, -1, self.axis))


@inherits_docstrings(Penalty)
@dataclass(frozen=True)
class SmoothRatio(Weighted):
    r"""Scale-free smoothness, ``weight · Σ log((x + y)² / 4xy)`` over neighbours x, y.

    Ratios of neighbours, not their differences, are drawn to 1, so loud and quiet passages count
    alike, as under the Itakura–Saito divergence. Near x = y the penalty is
    ``weight / 4 · log(x / y)²``; for large ratios it grows only with their logarithm, so onsets
    stay sharp. Being scale-free, it needs no unit norm. Exact zeros stay, and pairs with a zero are
    left out.

    Parameters
    ----------
    weight : float
        ≥ 0. For weights well below the number of frequencies the data dominate.
    axis : int
        Axis along which entries are neighbours: −1 is time in H.

    Raises
    ------
    ParameterError
        `weight` is out of range.

    Notes
    -----
    The penalty is the gamma Markov chain of Dikmen and Cemgil with its auxiliary variable
    minimised out: :math:`\min_z d_0(x \mid z) + d_0(y \mid z)` for the Itakura–Saito divergence
    :math:`d_0`. The concave :math:`2 \log(x + y)` lies below its tangent, and the other terms are
    separable:

    .. math::

        \log\frac{(x + y)^2}{4xy} \le \mathrm{const} + \frac{2 (x + y)}{\tilde x + \tilde y}
            - \log x - \log y

    Févotte's :math:`d_0(y \mid x)` has no such separable bound; entries could be updated only one
    after another.

    References
    ----------
    C. Févotte, "Majorization-minimization algorithm for smooth Itakura-Saito nonnegative matrix
    factorization", ICASSP 2011, doi:10.1109/ICASSP.2011.5946898.

    O. Dikmen and A. T. Cemgil, "Gamma Markov random fields for audio source modeling", IEEE
    Transactions on Audio, Speech, and Language Processing 18(3), 2010,
    doi:10.1109/TASL.2009.2031778.

    Examples
    --------
    A decaying tone in multiplicative noise; its quiet end is smoothed as much as its loud onset:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> truth = 0.9 ** np.arange(50)
    >>> V = rng.exponential(truth, (4, 50))
    >>> errors = []
    >>> for weight in (0.0, 20.0):
    ...     H = na.Factor(np.ones((1, 50)), penalties=(na.penalties.SmoothRatio(weight),))
    ...     d = na.decompose(V, [na.Factor(np.ones((4, 1)), free=False), H],
    ...                      divergence=na.Beta(0))
    ...     errors.append(abs(np.log(d.H[0] / truth)).mean())
    >>> bool(errors[1] < errors[0] / 2)
    True
    """

    axis: int = -1

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        # log((x + y)² / 4xy) = 2 log cosh(r / 2) with r = |log x − log y|, here without overflow.
        x, y, both = self._pairs(F)
        r = abs(np.log(x[both]) - np.log(y[both]))
        return 2 * self.weight * float((r / 2 + np.log1p(np.exp(-r)) - np.log(2)).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        x, y, both = self._pairs(F)
        log, linear = np.zeros((2, *np.moveaxis(F, self.axis, -1).shape))
        tangent = np.divide(2 * self.weight, x + y, out=np.zeros_like(x), where=both)
        for entries in (np.s_[..., 1:], np.s_[..., :-1]):
            linear[entries] += tangent
            log[entries] += self.weight * both
        # A pole at exact zeros, which solvers then keep at 0.
        log[np.moveaxis(F, self.axis, -1) == 0] = self.weight
        return Terms(np.moveaxis(linear, -1, self.axis), log=np.moveaxis(log, -1, self.axis))

    def _pairs(self, F: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return each entry but the last, the entry after it, and a mask: both are positive."""
        X = np.moveaxis(F.astype(np.float64), self.axis, -1)
        x, y = X[..., :-1], X[..., 1:]
        return x, y, (x > 0) & (y > 0)
