"""What a penalty is.

It needs `value` and `majorize`, which bounds it from above around where the factor is, entry by
entry, so that a solver can lower it beside any divergence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from nmfaudio._common.validation import as_number


class Terms(NamedTuple):
    """``value(G) ≤ const + Σ (lin·G + quad/2·G² − pull·log G + push/G)``, tight where it was made.

    Each is an array that broadcasts to the factor, or a number that stands for one. `lin` may have
    any sign; quad, pull and push are ≥ 0.
    """

    lin: np.ndarray | float = 0.0
    quad: np.ndarray | float = 0.0
    pull: np.ndarray | float = 0.0
    push: np.ndarray | float = 0.0

    def slope(self, F: np.ndarray) -> np.ndarray:
        """The derivative at F, where they were made; without the poles that a zero stands on."""
        X = F.astype(np.float64)
        inverse = np.divide(1.0, np.maximum(X, 2.0**-1000), out=np.zeros_like(X), where=X > 0)
        poles = self.pull * inverse + self.push * inverse * inverse
        return np.asarray(self.lin + self.quad * X - poles)


class Penalty(Protocol):
    """A cost of factor F, which may depend on the other `factors` too.

    A cost that several factors share, such as automatic relevance determination, is given to each
    of them: `value` is then one factor's share, and `majorize` bounds the sum of all shares as a
    function of F alone. Such a penalty may have a method `check`, which is told of each factor
    whether it carries it, and raises `ParameterError` where that cannot be meant.
    """

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        """The cost, in double precision."""

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        """A bound of `value` that holds for all G ≥ 0 (G > 0 where F > 0) and is tight at F.

        Where it has pull or push it need not hold for G that leave an exact zero of F: solvers
        keep those.
        """


def parabola(
    F: np.ndarray, slope: np.ndarray, curvature: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """lin and quad of a bound that touches at F with this slope and bends so much in each entry.

    Of ``½ Σ A_ij F_i F_j`` it is one where ``curvature_i = Σ_j |A_ij| s_j / s_i`` for any s > 0,
    since ``2 x y ≤ (s_j / s_i) x² + (s_i / s_j) y²``, also at zeros of F.
    """
    return slope - curvature * F, curvature


@dataclass(frozen=True, eq=False)
class Weighted:
    """What most penalties have: how much they count, ≥ 0."""

    weight: float

    def __post_init__(self) -> None:
        as_number(self.weight, f"weight of {type(self).__name__}", low=0)
