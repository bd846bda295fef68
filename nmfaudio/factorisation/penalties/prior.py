"""A factor near one that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.validation import as_number
from nmfaudio.errors import ContentError, ShapeError
from nmfaudio.factorisation.penalties.base import Terms


@dataclass(frozen=True, eq=False)
class Prior:
    """``weight · D_KL(W0 | F)``: a factor that adapts to the data, but stays near a known one.

    Templates of other instruments than those in the recording fit better once they move; left to
    themselves they forget whose they are. Weight 0 leaves them free, ∞ keeps them fixed. Between
    the two, W0 counts as so many more frames in which each component is heard alone: at
    ``weight = H.sum(1).mean()`` it says as much as the recording does.

    Parameters
    ----------
    W0 : np.ndarray [shape like the factor]
        Non-negative and finite. Where it is 0 the factor is drawn towards 0. Exact zeros of the
        factor stay, and their cost, which cannot change, is left out.
    weight : float
        ≥ 0.

    Raises
    ------
    ParameterError
        `weight` is out of range.
    ContentError
        W0 has values that are NaN, infinite or negative.
    ShapeError
        W0 is not shaped like the factor.

    References
    ----------
    A. T. Cemgil, "Bayesian inference for nonnegative matrix factorisation models", Computational
    Intelligence and Neuroscience, 2009, doi:10.1155/2009/785152 (a gamma prior of mode W0).

    Examples
    --------
    The second template was learnt from another piano; the recording corrects it:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> W, H = rng.random((20, 2)), rng.random((2, 100)) ** 3
    >>> known = W * [[1.0, 1.5]] ** rng.choice([-1, 1], (20, 2))
    >>> adapted = na.Factor(known, penalties=(na.penalties.Prior(known, 3.0),))
    >>> d = na.decompose(W @ H, [adapted, na.Factor(rng.random((2, 100)))])
    >>> error = [abs(X / X.sum(0) - W / W.sum(0)).sum() for X in (known, d.W)]
    >>> bool(error[1] < error[0] / 2)
    True
    """

    W0: np.ndarray
    weight: float

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
        both = (X > 0) & (self.W0 > 0)
        known = self.W0[both]
        cost = (known * (np.log(known) - np.log(X[both]))).sum() - known.sum() + X.sum()
        return self.weight * float(cost)

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        self._require_shape(F)
        return Terms(linear=self.weight, log=self.weight * self.W0)

    def _require_shape(self, F: np.ndarray) -> None:
        if F.shape != self.W0.shape:
            raise ShapeError(
                f"W0 of Prior has shape {self.W0.shape}, but its factor has {F.shape}; "
                "give one of the same shape"
            )
