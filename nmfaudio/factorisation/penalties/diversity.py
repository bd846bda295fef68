"""Penalties on the overlap of components, in time or as templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.docstrings import inherits_docstrings
from nmfaudio._common.validation import as_number
from nmfaudio.factorisation.penalties.base import Penalty, Terms, Weighted, parabola
from nmfaudio.kernels.products import product


@inherits_docstrings(Penalty)
@dataclass(frozen=True)
class Decorrelated(Weighted):
    r"""Decorrelation, ``weight · Σ_{k<l} ⟨f_k, f_l⟩``: components are not active at the same time.

    The inner product of non-negative components is 0 only where one of each pair is silent. Give
    the `Factor` of W ``unit="l2"``: without a norm, H only shrinks and W grows.

    Parameters
    ----------
    weight : float
        ≥ 0.
    axis : int
        Component axis of F: 0 in H, −1 in W, where templates then share few frequencies.

    Raises
    ------
    ParameterError
        `weight` is out of range.

    Notes
    -----
    The penalty is the quadratic form

    .. math::

        \Omega(F) = \lambda \sum_{k<l} \sum_n F_{kn} F_{ln}

    For any positive :math:`s_x` and :math:`s_y`, the product of two changes is bounded by

    .. math::

        (x - \tilde x)(y - \tilde y) \le \frac{s_y}{2 s_x} (x - \tilde x)^2
            + \frac{s_x}{2 s_y} (y - \tilde y)^2

    so a majoriser has the slope :math:`\lambda \sum_{l \ne k} \tilde F_{ln}` at
    :math:`\tilde F` and the curvature :math:`\lambda \sum_{l \ne k} \tilde s_{ln} / \tilde s_{kn}`.
    With :math:`\tilde s_{kn} = \tilde F_{kn} + \frac1K \sum_l \tilde F_{ln}` zeros can be left.

    References
    ----------
    J. Zhang, L. Wei, X. Feng, Z. Ma and Y. Wang, "Pattern expression nonnegative matrix
    factorization: algorithm and applications to blind source separation", Computational
    Intelligence and Neuroscience, 2008, doi:10.1155/2008/168769 (there on W).

    Examples
    --------
    Two overlapping templates, and frames that one of them nearly explains:

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
        # Σ_{k<l} f_k f_l, by cumulative sums in K rather than K² products.
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        return self.weight * float((X[1:] * np.cumsum(X, axis=0)[:-1]).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        s = _raised(X)
        slope, curvature = X.sum(0) - X, (s.sum(0) - s) / s
        linear, quadratic = parabola(X, self.weight * slope, self.weight * curvature)
        return Terms(np.moveaxis(linear, 0, self.axis), np.moveaxis(quadratic, 0, self.axis))


@inherits_docstrings(Penalty)
@dataclass(frozen=True)
class MinVolume(Weighted):
    r"""Minimum volume, ``weight · log det(WᵀW + delta · I)``: templates that span a narrow cone.

    Among all cones that contain the frames, the narrowest is preferred, so templates become spectra
    that occur in the data. The penalty is for W; give the `Factor` of H ``unit="l1"``, so that W
    carries the scale. Without a norm W only shrinks and H grows. Too large a weight makes templates
    alike; it is relative to the divergence of all of V.

    Parameters
    ----------
    weight : float
        ≥ 0.
    delta : float
        > 0, in units of W². Templates well below its square root have little effect.
    axis : int
        Component axis of F: −1 in W. All other axes, also lags, are flattened.

    Raises
    ------
    ParameterError
        `weight` or `delta` is out of range.

    Notes
    -----
    With :math:`G = W^\top W + \delta I`, the concave log det lies below its tangent,

    .. math::

        \Omega(W) = \lambda \log\det G
            \le \mathrm{const} + \lambda \operatorname{tr}\big(\tilde G^{-1} W^\top W\big)

    a quadratic form in each row of W. As in Leplat et al. it is bounded by a separable one: with
    :math:`A = 2 \lambda \tilde G^{-1}` it has the slope :math:`\tilde W A` at :math:`\tilde W` and
    the curvature :math:`\sum_l |A_{kl}|\, \tilde s_{fl} / \tilde s_{fk}`, where
    :math:`\tilde s_{fk} = \tilde W_{fk} + \frac1K \sum_l \tilde W_{fl}`.

    References
    ----------
    V. Leplat, N. Gillis and A. M. S. Ang, "Blind audio source separation with minimum-volume
    beta-divergence NMF", IEEE Transactions on Signal Processing 68, 2020,
    doi:10.1109/TSP.2020.2991801.

    Examples
    --------
    No frame contains a single material, yet the spectra of all are recovered:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(2)
    >>> truth, shares = rng.random((20, 3)), rng.dirichlet([0.7] * 3, 200)
    >>> V = truth @ shares[shares.max(1) < 0.8][:80].T
    >>> W, H, similarities = rng.random((20, 3)), rng.random((3, 80)), []
    >>> for penalties in ((), (na.penalties.MinVolume(0.1, delta=1.0),)):
    ...     d = na.decompose(V, [na.Factor(W, penalties=penalties), na.Factor(H, unit="l1")],
    ...                      max_iter=1000, tol=0)
    ...     cosines = (truth / np.linalg.norm(truth, axis=0)).T @ d.W / np.linalg.norm(d.W, axis=0)
    ...     similarities.append(cosines.max(1).mean().round(3))
    >>> bool(1 - similarities[1] < (1 - similarities[0]) / 3)
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
        X = self._rows(F)
        inverse = np.linalg.inv(self._gram(X))
        A = 2 * self.weight * 0.5 * (inverse + inverse.T)  # symmetric also after rounding
        s = _raised(X)
        terms = parabola(X, product(A, X), product(abs(A), s) / s)
        shape = np.moveaxis(F, self.axis, 0).shape
        linear, quadratic = (np.moveaxis(t.reshape(shape), 0, self.axis) for t in terms)
        return Terms(linear, quadratic)

    def _rows(self, F: np.ndarray) -> np.ndarray:
        """Return F as (component, all other axes)."""
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        return X.reshape(len(X), -1)

    def _gram(self, X: np.ndarray) -> np.ndarray:
        """Return ``X Xᵀ + delta · I``, (component, component)."""
        return np.asarray(product(X, X.T) + self.delta * np.eye(len(X)))


def _raised(X: np.ndarray) -> np.ndarray:
    """Return X (component, …) plus its mean over components: s of `parabola`.

    With s = X the curvature would be infinite at 0, so that a zero could never be left, and large
    near it, so that small entries would move slowly.
    """
    return np.asarray(X + np.maximum(X.mean(0), 2.0**-500))
