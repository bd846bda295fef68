"""Penalties on the size of single entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.docstrings import inherits_docstrings
from nmfaudio._common.validation import as_number
from nmfaudio.factorisation.penalties.base import Penalty, Terms, Weighted


@inherits_docstrings(Penalty)
@dataclass(frozen=True)
class L1(Weighted):
    r"""Sparsity by the L1 norm, ``weight · Σ F``.

    While W is free and has no unit norm, the penalty on H only moves scale from H to W: give the
    `Factor` of W ``unit="l2"``. With ``unit="l1"`` it has no effect under the Kullback–Leibler
    divergence, where ΣV = ΣWH = ΣH at a stationary point.

    Parameters
    ----------
    weight : float
        ≥ 0.

    Raises
    ------
    ParameterError
        `weight` is out of range.

    Notes
    -----
    The penalty :math:`\Omega(F) = \lambda \sum_i F_i` is linear and thus its own majoriser.

    References
    ----------
    P. O. Hoyer, "Non-negative sparse coding", IEEE Workshop on Neural Networks for Signal
    Processing, 2002, doi:10.1109/NNSP.2002.1030067.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> V, W, H = rng.random((20, 40)), rng.random((20, 5)), rng.random((5, 40))
    >>> small = []
    >>> for weight in (0.0, 2.0):
    ...     sparse = na.Factor(H, penalties=(na.penalties.L1(weight),))
    ...     d = na.decompose(V, [na.Factor(W, unit="l2"), sparse])
    ...     small.append((d.H < 1e-3).mean())
    >>> bool(small[1] > small[0])
    True
    """

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        return self.weight * float(F.sum(dtype=np.float64))

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        return Terms(linear=self.weight)


@inherits_docstrings(Penalty)
@dataclass(frozen=True)
class L2(Weighted):
    r"""Ridge penalty, ``weight / 2 · Σ F²``: no single large entries.

    Parameters
    ----------
    weight : float
        ≥ 0.

    Raises
    ------
    ParameterError
        `weight` is out of range.

    Notes
    -----
    The penalty :math:`\Omega(F) = \frac{\lambda}{2} \sum_i F_i^2` is separable and thus its own
    majoriser.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 40))
    >>> W, H = np.ones((20, 1)), np.ones((1, 40))
    >>> largest = [
    ...     na.decompose(V, [na.Factor(W, free=False), na.Factor(H, penalties=p)]).H.max()
    ...     for p in ((), (na.penalties.L2(10.0),))
    ... ]
    >>> bool(largest[1] < largest[0])
    True
    """

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        return 0.5 * self.weight * float(np.square(F, dtype=np.float64).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        return Terms(quadratic=self.weight)


@inherits_docstrings(Penalty)
@dataclass(frozen=True)
class Log(Weighted):
    r"""Sparsity by a logarithm, ``weight · Σ log(1 + F / eps)``.

    Sparser than `L1`, with less bias on large entries: an entry well below `eps` costs
    ``weight / eps`` times its value, as under `L1`; one well above costs hardly more as it grows.
    Give the `Factor` of W ``unit="l2"``, as for `L1`.

    Parameters
    ----------
    weight : float
        ≥ 0.
    eps : float
        > 0, in units of F: about the size below which entries vanish.

    Raises
    ------
    ParameterError
        `weight` or `eps` is out of range.

    Notes
    -----
    The logarithm lies below its tangent, so

    .. math::

        \Omega(F) = \lambda \sum_i \log\left(1 + \frac{F_i}{\epsilon}\right)
            \le \mathrm{const} + \sum_i \frac{\lambda}{\tilde F_i + \epsilon}\, F_i

    References
    ----------
    E. J. Candès, M. B. Wakin and S. P. Boyd, "Enhancing sparsity by reweighted ℓ1 minimization",
    Journal of Fourier Analysis and Applications 14, 2008, doi:10.1007/s00041-008-9045-x (the
    tangent as majoriser).

    A. Marmin, J. H. de M. Goulart and C. Févotte, "Majorization-minimization for sparse
    nonnegative matrix factorization with the β-divergence", IEEE Transactions on Signal Processing
    71, 2023, doi:10.1109/TSP.2023.3296035.

    Examples
    --------
    A small residual activation vanishes, and the large ones hardly change:

    >>> import numpy as np, nmfaudio as na
    >>> W = np.array([[1.0, 0.2], [0.2, 1.0]])
    >>> V = W @ [[8.0, 0.0], [0.5, 6.0]]
    >>> H = na.Factor(np.ones((2, 2)), penalties=(na.penalties.Log(0.1, eps=0.1),))
    >>> d = na.decompose(V, [na.Factor(W, free=False), H])
    >>> d.H.round(1).tolist()
    [[8.4, 0.0], [0.0, 5.9]]
    """

    eps: float

    def __post_init__(self) -> None:
        super().__post_init__()
        as_number(self.eps, "eps of Log", above=0)

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        return self.weight * float(np.log1p(F.astype(np.float64) / self.eps).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        return Terms(linear=self.weight / (F.astype(np.float64) + self.eps))
