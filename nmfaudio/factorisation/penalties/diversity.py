"""Components that overlap little, in time or as templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.validation import as_number
from nmfaudio.factorisation.penalties.base import Terms, Weighted, parabola
from nmfaudio.kernels.products import product


@dataclass(frozen=True)
class Decorrelated(Weighted):
    """``weight · Σ_{k<l} ⟨f_k, f_l⟩``: components that are not active at the same time.

    Of components that are not negative, the product is 0 only where one of them is silent. Give
    W's `Factor` ``unit="l2"``: without a norm, H only shrinks and W grows.

    Parameters
    ----------
    weight : float
        ≥ 0.
    axis : int
        The axis of F that lists components: 0 in H, −1 in W, where templates then share few
        frequencies.

    Raises
    ------
    ParameterError
        `weight` is out of range.

    References
    ----------
    J. Zhang, L. Wei, X. Feng, Z. Ma and Y. Wang, "Pattern expression nonnegative matrix
    factorization: algorithm and applications to blind source separation", Computational
    Intelligence and Neuroscience, 2008, doi:10.1155/2008/168769 (there on W).

    Examples
    --------
    Two templates that overlap, and frames that one of them nearly explains:

    >>> import numpy as np, nmfaudio as na
    >>> W = np.array([[1.0, 0.5], [0.5, 1.0]])
    >>> V = W @ [[3.0, 0.4], [0.3, 2.0]]
    >>> H = na.Factor(np.ones((2, 2)), penalties=(na.penalties.Decorrelated(1.0),))
    >>> d = na.decompose(V, [na.Factor(W, free=False), H])
    >>> (d.H > 0.01).astype(int).tolist()
    [[1, 0], [0, 1]]
    """

    axis: int = 0

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        return self.weight * float((X[1:] * np.cumsum(X, axis=0)[:-1]).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        s = _raised(X)
        slope, curvature = X.sum(0) - X, (s.sum(0) - s) / s
        linear, quadratic = parabola(X, self.weight * slope, self.weight * curvature)
        return Terms(np.moveaxis(linear, 0, self.axis), np.moveaxis(quadratic, 0, self.axis))


@dataclass(frozen=True)
class MinVolume(Weighted):
    """``weight · log det(WᵀW + delta · I)``: templates that span as little as the data allow.

    Of all the cones that hold the frames it asks for the narrowest, so templates become spectra
    that occur. It goes with W; give H's `Factor` ``unit="l1"``, which makes W the one that carries
    the scale. Without a norm W only shrinks and H grows. Too great a weight makes templates alike;
    it counts against the misfit of all of V.

    Parameters
    ----------
    weight : float
        ≥ 0.
    delta : float
        > 0, in units of W². Templates much quieter than its square root hardly count.
    axis : int
        The axis of F that lists components: −1 in W. All other axes, lags too, are one.

    Raises
    ------
    ParameterError
        `weight` or `delta` is out of range.

    References
    ----------
    V. Leplat, N. Gillis and A. M. S. Ang, "Blind audio source separation with minimum-volume
    beta-divergence NMF", IEEE Transactions on Signal Processing 68, 2020,
    doi:10.1109/TSP.2020.2991801.

    Examples
    --------
    No frame holds one material alone, yet their spectra come out nearly right:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(2)
    >>> truth, shares = rng.random((20, 3)), rng.dirichlet([0.7] * 3, 200)
    >>> V = truth @ shares[shares.max(1) < 0.8][:80].T
    >>> W, H, likeness = rng.random((20, 3)), rng.random((3, 80)), []
    >>> for penalties in ((), (na.penalties.MinVolume(0.1, delta=1.0),)):
    ...     d = na.decompose(V, [na.Factor(W, penalties=penalties), na.Factor(H, unit="l1")],
    ...                      max_iter=1000, tol=0)
    ...     cosines = (truth / np.linalg.norm(truth, axis=0)).T @ d.W / np.linalg.norm(d.W, axis=0)
    ...     likeness.append(cosines.max(1).mean().round(3))
    >>> bool(1 - likeness[1] < (1 - likeness[0]) / 3)
    True
    """

    delta: float
    axis: int = -1

    def __post_init__(self) -> None:
        super().__post_init__()
        as_number(self.delta, "delta of MinVolume", above=0)

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        return self.weight * float(np.linalg.slogdet(self._gram(self._rows(F)))[1])

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        """By the tangent of log det, ``tr(A WᵀW)`` with A the inverse, bounded like Leplat's."""
        X = self._rows(F)
        inverse = np.linalg.inv(self._gram(X))
        A = 2 * self.weight * 0.5 * (inverse + inverse.T)
        s = _raised(X)
        terms = parabola(X, product(A, X), product(abs(A), s) / s)
        shape = np.moveaxis(F, self.axis, 0).shape
        linear, quadratic = (np.moveaxis(t.reshape(shape), 0, self.axis) for t in terms)
        return Terms(linear, quadratic)

    def _rows(self, F: np.ndarray) -> np.ndarray:
        """F as (component, everything else)."""
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        return X.reshape(len(X), -1)

    def _gram(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(product(X, X.T) + self.delta * np.eye(len(X)))


def _raised(X: np.ndarray) -> np.ndarray:
    """X (component, …) with the mean over components added: what `parabola` calls s.

    Where s = X, an entry could leave 0 no more, and one near it only slowly.
    """
    return np.asarray(X + np.maximum(X.mean(0), 2.0**-500))
