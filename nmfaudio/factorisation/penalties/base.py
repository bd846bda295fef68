"""Interface of penalties and the form of their majorisers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from nmfaudio._common.validation import as_number

# No entry is divided by less than this: 1 / x² stays finite in double precision.
_SMALLEST = 2.0**-500


class Terms(NamedTuple):
    r"""Coefficients of a separable majoriser of a penalty.

    A penalty on a factor is bounded from above entry by entry, so that a solver can minimise the
    bound beside any divergence.

    Parameters
    ----------
    linear : np.ndarray or float
        Coefficient of :math:`x`, of any sign. Like the other three, an array that broadcasts to the
        shape of the factor, or a number for all of its entries.
    quadratic : np.ndarray or float
        Coefficient of :math:`x^2 / 2`, ≥ 0.
    log : np.ndarray or float
        Coefficient of :math:`-\log x`, ≥ 0.
    inverse : np.ndarray or float
        Coefficient of :math:`1 / x`, ≥ 0.

    Notes
    -----
    For a penalty :math:`\Omega` and terms made at :math:`\tilde F`,

    .. math::

        \Omega(F) \le \mathrm{const} + \sum_i \left( a_i F_i + \tfrac12 b_i F_i^2
            - c_i \log F_i + \frac{e_i}{F_i} \right)

    with :math:`a, b, c, e` = `linear`, `quadratic`, `log`, `inverse`, and equality at
    :math:`F = \tilde F`.

    Examples
    --------
    The majoriser of an L1 penalty of weight 0.5 is the penalty itself:

    >>> import numpy as np, nmfaudio as na
    >>> F = np.ones((2, 3))
    >>> na.penalties.L1(0.5).majorize(F, [F])
    Terms(linear=0.5, quadratic=0.0, log=0.0, inverse=0.0)
    """

    linear: np.ndarray | float = 0.0
    quadratic: np.ndarray | float = 0.0
    log: np.ndarray | float = 0.0
    inverse: np.ndarray | float = 0.0

    def slope(self, F: np.ndarray) -> np.ndarray:
        """Return the derivative of the majoriser.

        Parameters
        ----------
        F : np.ndarray
            Factor at which the terms were made.

        Returns
        -------
        np.ndarray
            ``linear + quadratic·F − log/F − inverse/F²``, float64, shaped like `F`. Where `F` is 0
            the two poles are left out.
        """
        X = F.astype(np.float64)
        reciprocal = np.divide(1.0, np.maximum(X, _SMALLEST), out=np.zeros_like(X), where=X > 0)
        poles = self.log * reciprocal + self.inverse * reciprocal * reciprocal
        return np.asarray(self.linear + self.quadratic * X - poles)


class Penalty(Protocol):
    """Cost of a factor; `nmfaudio.check_penalty` tests one.

    It may depend on the other factors too. A penalty that several factors share, such as `ARD`, is
    given to each of them: `value` is then the share of one factor, and `majorize` bounds the sum of
    all shares as a function of that factor alone. Such a penalty may have a method
    ``check(carriers)``, which gets one boolean per factor, True where the factor has the penalty,
    and raises `ParameterError` where the combination has no meaning.
    """

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        """Return the cost.

        Parameters
        ----------
        F : np.ndarray
            Factor that has the penalty.
        factors : sequence of np.ndarray
            All factors of the model.

        Returns
        -------
        float
            Cost, computed in double precision.
        """

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        """Return a separable upper bound of the cost, tight at `F`.

        The bound holds for all G ≥ 0 that are positive where `F` is. With `log` or `inverse` terms
        it need not hold for a G that is positive where `F` is exactly 0: solvers keep such zeros.

        Parameters
        ----------
        F : np.ndarray
            Factor that has the penalty, at its current value.
        factors : sequence of np.ndarray
            All factors of the model.

        Returns
        -------
        Terms
            Coefficients of the bound.
        """


def parabola(
    F: np.ndarray, slope: np.ndarray, curvature: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return `linear` and `quadratic` of a parabola per entry that touches at F.

    For ``½ Σ A_ij F_i F_j`` it is a majoriser if ``curvature_i = Σ_j |A_ij| s_j / s_i`` for any
    s > 0, since ``2 x y ≤ (s_j / s_i) x² + (s_i / s_j) y²``, also at zeros of F.
    """
    return slope - curvature * F, curvature


@dataclass(frozen=True, eq=False)
class Weighted:
    """Base of penalties that are multiplied by a weight ≥ 0."""

    weight: float

    def __post_init__(self) -> None:
        as_number(self.weight, f"weight of {type(self).__name__}", low=0)
