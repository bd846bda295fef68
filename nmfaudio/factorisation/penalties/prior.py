"""Prior on a factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.docstrings import inherits_docstrings
from nmfaudio._common.validation import as_number
from nmfaudio.errors import ContentError, ShapeError
from nmfaudio.factorisation.penalties.base import Penalty, Terms


@inherits_docstrings(Penalty)
@dataclass(frozen=True, eq=False)
class Prior:
    r"""Prior, ``weight · D_KL(W0 | F)``: a factor that adapts to the data but stays near W0.

    Templates of instruments other than those of the recording fit better after adaptation; without
    a prior they may end up as templates of another source. Weight 0 leaves them free, and large
    weights fix them. In between, W0 counts as additional frames in which each component is active
    alone: at ``weight = H.sum(1).mean()`` it has as much influence as the recording.

    Parameters
    ----------
    weight : float
        ≥ 0.
    W0 : np.ndarray [shape like the factor]
        Mode of the prior, non-negative and finite. Where it is 0 the factor is drawn towards 0.
        Exact zeros of the factor stay, and their constant cost is left out.

    Raises
    ------
    ParameterError
        `weight` is out of range.
    ContentError
        W0 has values that are NaN, infinite or negative.
    ShapeError
        W0 is not shaped like the factor.

    Notes
    -----
    The penalty is separable and thus its own majoriser:

    .. math::

        \Omega(F) = \lambda \sum_i \left( W^0_i \log\frac{W^0_i}{F_i} - W^0_i + F_i \right)
            = \mathrm{const} + \sum_i \left( \lambda F_i - \lambda W^0_i \log F_i \right)

    It is the negative logarithm of a gamma prior of mode :math:`W^0`.

    References
    ----------
    A. T. Cemgil, "Bayesian inference for nonnegative matrix factorisation models", Computational
    Intelligence and Neuroscience, 2009, doi:10.1155/2009/785152 (a gamma prior of mode W0).

    Examples
    --------
    Templates learned from another piano are corrected by the recording:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> W, H = rng.random((20, 2)), rng.random((2, 100)) ** 3
    >>> known = W * [[1.0, 1.5]] ** rng.choice([-1, 1], (20, 2))
    >>> adapted = na.Factor(known, penalties=(na.penalties.Prior(3.0, known),))
    >>> d = na.decompose(W @ H, [adapted, na.Factor(rng.random((2, 100)))])
    >>> error = [abs(X / X.sum(0) - W / W.sum(0)).sum() for X in (known, d.W)]
    >>> bool(error[1] < error[0] / 2)
    True
    """

    weight: float
    W0: np.ndarray

    def __post_init__(self) -> None:
        as_number(self.weight, "weight of Prior", low=0)
        W0 = np.array(self.W0, dtype=np.float64)
        if not np.isfinite(W0).all() or (W0 < 0).any():
            raise ContentError("W0 of Prior has values that are NaN, infinite or negative")
        W0.flags.writeable = False
        object.__setattr__(self, "W0", W0)

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        self._require_shape(F)
        X = F.astype(np.float64)
        both = (X > 0) & (self.W0 > 0)  # 0 log 0 = 0, and exact zeros of F are left out
        known = self.W0[both]
        cost = (known * (np.log(known) - np.log(X[both]))).sum() - known.sum() + X.sum()
        return self.weight * float(cost)

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        self._require_shape(F)
        return Terms(linear=self.weight, log=self.weight * self.W0)

    def _require_shape(self, F: np.ndarray) -> None:
        """Raise `ShapeError` unless F is shaped like W0."""
        if F.shape != self.W0.shape:
            raise ShapeError(
                f"W0 of Prior has shape {self.W0.shape}, but its factor has {F.shape}; "
                "give one of the same shape"
            )
