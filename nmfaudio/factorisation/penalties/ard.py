"""Automatic relevance determination."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nmfaudio._common.docstrings import inherits_docstrings
from nmfaudio._common.validation import as_count, as_number
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.penalties.base import Penalty, Terms

Norm = Literal["l1", "l2"]


@inherits_docstrings(Penalty)
@dataclass(frozen=True)
class ARD:
    r"""Automatic relevance determination: as few components as the data need.

    Each component has a relevance, the scale of the prior that its template and its activation
    share, which is estimated together with them. A component that explains little is driven to
    zero. Give the same `ARD` to the last two factors, W and H; its cost is shared between them.
    Convergence takes several hundred to several thousand iterations.

    Parameters
    ----------
    scale : float
        b of the paper, > 0, in units of f (see Notes): the size of a component that has vanished.
        `ARD.matching` derives it from V.
    shape : float
        a of the paper, > 0. Relevances vary much if it is small, little if it is large.
    dispersion : float
        φ of the paper, > 0, the noise level: the variance of V around the model Y is φ·Y^(2 − β).
        1 is for counts under the Kullback–Leibler divergence. Larger values leave fewer components.
    norm : "l1" or "l2"
        Exponential priors, which make factors sparse, or half-normal ones, which keep more
        components, often too many.

    Raises
    ------
    ParameterError
        A parameter is out of range.

    Notes
    -----
    With :math:`f(x) = \lVert x \rVert_1` for "l1" or :math:`f(x) = \tfrac12 \lVert x \rVert_2^2`
    for "l2", and the relevances minimised out,

    .. math::

        \Omega(W, H) = \phi\, c \sum_k \log\big( f(w_k) + f(h_k) + b \big)

    where :math:`c = F + N + a + 1` for "l1" and :math:`c = \frac{F + N}{2} + a + 1` for "l2", with
    F and N entries of a template and of an activation. The logarithm lies below its tangent, so
    the majoriser in either factor is

    .. math::

        \sum_k \frac{\phi\, c}{f(\tilde w_k) + f(\tilde h_k) + b}\, f(w_k)

    References
    ----------
    V. Y. F. Tan and C. Févotte, "Automatic relevance determination in nonnegative matrix
    factorization with the β-divergence", IEEE TPAMI 35(7), 2013, doi:10.1109/TPAMI.2012.240.

    Examples
    --------
    Two of eight initial components remain:

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
        """Return an `ARD` whose prior mean of the model equals the mean of V.

        This method of moments is that of the paper.

        Parameters
        ----------
        V : np.ndarray [shape=(freq, time)] or float
            Data, or their mean.
        n_components : int
            Number of components of the initial factors.
        shape : float
            More than 1 for "l2", more than 2 for "l1".
        dispersion : float
            As in `ARD`.
        norm : "l1" or "l2"
            As in `ARD`.

        Returns
        -------
        ARD
            With `scale` set.

        Raises
        ------
        ParameterError
            V is silent, or an argument is out of its range.
        """
        level = as_number(float(np.mean(V, dtype=np.float64)), "mean of V", above=0)
        level /= as_count(n_components, "n_components", low=1)
        as_number(shape, "shape of ARD", above=2 if norm == "l1" else 1)
        # The prior mean of one w·h, given b, is b² / ((a − 1)(a − 2)) or 2b / (π(a − 1)).
        if norm == "l1":
            scale = math.sqrt((shape - 1) * (shape - 2) * level)
        else:
            scale = math.pi * (shape - 1) * level / 2
        return cls(scale, shape, dispersion, norm)

    def excess(self, factors: Sequence[np.ndarray]) -> np.ndarray:
        """Return the relative excess of the relevance of each component over its lower bound.

        Parameters
        ----------
        factors : sequence of np.ndarray
            Factors of the model, W and H last.

        Returns
        -------
        np.ndarray [shape=(component,)]
            ``(f(w_k) + f(h_k)) / scale``; 0 for components that have vanished.
        """
        return self._sizes(factors) / self.scale

    def check(self, carriers: Sequence[bool]) -> None:
        """Require that W and H both have this penalty, since each has half of its cost.

        Parameters
        ----------
        carriers : sequence of bool
            Per factor, whether it has the penalty.

        Raises
        ------
        ParameterError
            One of the last two factors lacks the penalty.
        """
        if not all(carriers[-2:]):
            raise ParameterError(
                "ARD is given to one of the last two factors only; give both of them the same one "
                "(W may have free=False)"
            )

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        cost = np.log(self._sizes(factors) + self.scale).sum()
        return float(self._strength(factors) * cost) / len(factors[-2:])

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        slope = self._strength(factors) / (self._sizes(factors) + self.scale)
        slope = slope[:, None] if F is factors[-1] else slope  # components first in H, last in W
        return Terms(linear=slope) if self.norm == "l1" else Terms(quadratic=slope)

    def _strength(self, factors: Sequence[np.ndarray]) -> float:
        """Return φ·c, the weight of the logarithm of one component."""
        entries: float = sum(F.size for F in factors[-2:]) / factors[-1].shape[-2]
        return self.dispersion * (entries * (1.0 if self.norm == "l1" else 0.5) + self.shape + 1)

    def _sizes(self, factors: Sequence[np.ndarray]) -> np.ndarray:
        """Return f(w_k) + f(h_k) [shape=(component,)], in double precision."""
        H = np.moveaxis(factors[-1], -2, 0)
        rows = [H.reshape(len(H), -1)]
        rows += [np.moveaxis(W, -1, 0).reshape(W.shape[-1], -1) for W in factors[-2:-1]]
        if self.norm == "l1":
            return np.asarray(sum(F.sum(1, dtype=np.float64) for F in rows))
        return np.asarray(sum(0.5 * np.square(F, dtype=np.float64).sum(1) for F in rows))
