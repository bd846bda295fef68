"""Components that are not needed fade away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nmfaudio._common.validation import as_count, as_number
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.penalties.base import Terms

Norm = Literal["l1", "l2"]


@dataclass(frozen=True)
class ARD:
    """``dispersion · Σ_k c · log(f(w_k) + f(h_k) + scale)``: as few components as V needs.

    Automatic relevance determination: each component has a relevance λ_k, the scale of the prior
    that its template w_k and its activation h_k share, which is estimated with them. The cost of
    one that adds little falls without end but for `scale`, so it fades away.
    c = size(w_k) + size(h_k) + shape + 1 for "l1", half the sizes for "l2". Give the same `ARD` to
    the last two factors, W and H; its cost is shared between them. It needs some hundred to some
    thousand iterations.

    Parameters
    ----------
    scale : float
        b of the paper, > 0: what f(w_k) + f(h_k) of a component that is not there counts as, in
        units of f. `ARD.matching` takes it from V.
    shape : float
        a of the paper, > 0. Relevances vary much if it is small, little if it is large.
    dispersion : float
        φ of the paper, > 0, how noisy V is: its variance around the model Y is φ·Y^(2 − β). 1 is
        for counts under KL. A larger one leaves fewer components.
    norm : "l1" or "l2"
        f is the sum of the entries, or half the sum of their squares: the priors are exponential,
        which makes sparse factors, or half-normal.
        The second keep more components, often too many.

    References
    ----------
    V. Y. F. Tan and C. Févotte, "Automatic relevance determination in nonnegative matrix
    factorization with the β-divergence", IEEE TPAMI 35(7), 2013, doi:10.1109/TPAMI.2012.240.

    Examples
    --------
    Eight components are started, and two are left:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> V = rng.poisson(rng.gamma(0.5, 20, (20, 2)) @ rng.gamma(0.5, 2, (2, 50))).astype(float)
    >>> ard = na.penalties.ARD.matching(V, 8)
    >>> d = na.decompose(V, [na.Factor(rng.random((20, 8)), penalties=(ard,)),
    ...                      na.Factor(rng.random((8, 50)), penalties=(ard,))],
    ...                  max_iter=2000, tol=0)
    >>> int((ard.excess(d.factors) > 0.1).sum())
    2
    """

    scale: float
    shape: float = 5.0
    dispersion: float = 1.0
    norm: Norm = "l1"

    def __post_init__(self) -> None:
        as_number(self.scale, "scale of ARD", above=0)
        as_number(self.shape, "shape of ARD", above=0)
        as_number(self.dispersion, "dispersion of ARD", above=0)
        if self.norm not in ("l1", "l2"):
            raise ParameterError(f"norm of ARD is {self.norm!r}; it must be 'l1' or 'l2'")

    @classmethod
    def matching(
        cls,
        V: Any,
        n_components: int,
        *,
        shape: float = 5.0,
        dispersion: float = 1.0,
        norm: Norm = "l1",
    ) -> ARD:
        """The one whose prior mean of so many components is as loud as V, as the paper proposes.

        Parameters
        ----------
        V : np.ndarray [shape=(freq, time)] or float
            The data, or their mean.
        n_components : int
        shape : float
            More than 1 for "l2", more than 2 for "l1".
        dispersion : float
        norm : "l1" or "l2"

        Returns
        -------
        ARD

        Raises
        ------
        ParameterError
            V is silent, or an argument is out of its range.
        """
        level = as_number(float(np.mean(V, dtype=np.float64)), "mean of V", above=0)
        level /= as_count(n_components, "n_components", low=1)
        as_number(shape, "shape of ARD", above=2 if norm == "l1" else 1)
        if norm == "l1":
            scale = math.sqrt((shape - 1) * (shape - 2) * level)
        else:
            scale = math.pi * (shape - 1) * level / 2
        return cls(scale, shape, dispersion, norm)

    def excess(self, factors: Sequence[np.ndarray]) -> np.ndarray:
        """By which share the relevance of each component exceeds that of one which is not there.

        Parameters
        ----------
        factors : sequence of np.ndarray

        Returns
        -------
        np.ndarray [shape=(component,)]
            0 for components that have faded away.
        """
        return self._sizes(factors) / self.scale

    def check(self, carriers: Sequence[bool]) -> None:
        """`ParameterError` unless W and H both carry this penalty, as half of it is each one's."""
        if not all(carriers[-2:]):
            raise ParameterError(
                "ARD is given to one of the last two factors only; give both of them the same one "
                "(W may have free=False)"
            )

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        cost = np.log(self._sizes(factors) + self.scale).sum()
        return float(self._strength(factors) * cost) / len(factors[-2:])

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        # The logarithm lies below its tangent.
        slope = self._strength(factors) / (self._sizes(factors) + self.scale)
        slope = slope[:, None] if F is factors[-1] else slope
        return Terms(linear=slope) if self.norm == "l1" else Terms(quadratic=slope)

    def _strength(self, factors: Sequence[np.ndarray]) -> float:
        """φ·c, what the logarithm of one component counts."""
        entries: float = sum(F.size for F in factors[-2:]) / factors[-1].shape[-2]
        return self.dispersion * (entries * (1.0 if self.norm == "l1" else 0.5) + self.shape + 1)

    def _sizes(self, factors: Sequence[np.ndarray]) -> np.ndarray:
        """f(w_k) + f(h_k) [shape=(component,)], in double precision."""
        H = np.moveaxis(factors[-1], -2, 0)
        rows = [H.reshape(len(H), -1)]
        rows += [np.moveaxis(W, -1, 0).reshape(W.shape[-1], -1) for W in factors[-2:-1]]
        if self.norm == "l1":
            return np.asarray(sum(F.sum(1, dtype=np.float64) for F in rows))
        return np.asarray(sum(0.5 * np.square(F, dtype=np.float64).sum(1) for F in rows))
