"""Matrix products: plain and deep NMF."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.structures.base import Factors
from nmfaudio.factorisation.structures.bilinear import Bilinear
from nmfaudio.kernels.products import product


@dataclass(frozen=True)
class Product(Bilinear):
    r"""NMF, ``V ≈ W H``, and deep NMF with more than two factors.

    Notes
    -----
    With W (freq, component) and H (component, time),

    .. math::

        Y_{ft} = \sum_k W_{fk} H_{kt}

    With three or more factors (deep NMF) the model is their product,
    :math:`Y = F_1 F_2 \cdots F_n`, and the components are those of the last factor.

    References
    ----------
    D. D. Lee and H. S. Seung, "Learning the parts of objects by non-negative matrix factorization",
    Nature 401, 1999, doi:10.1038/44565.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> W, H = np.array([[1.0], [2.0]]), np.array([[3.0, 0.0, 1.0]])
    >>> na.structures.Product().forward((W, H)).tolist()
    [[3.0, 0.0, 1.0], [6.0, 0.0, 2.0]]
    """

    name: ClassVar[str] = "product"

    def shape(self, factors: Factors) -> tuple[int, ...]:
        if len(factors) < 2 or any(F.ndim != 2 for F in factors):
            raise ShapeError(
                f"Product needs two or more matrices, got shapes {[F.shape for F in factors]}; "
                "give W as (freq, component) and H as (component, time)"
            )
        for left, right in pairwise(factors):
            if left.shape[1] != right.shape[0]:
                raise ShapeError(
                    f"factors of shapes {left.shape} and {right.shape} cannot be multiplied: "
                    f"{left.shape[1]} columns meet {right.shape[0]} rows; give W as "
                    "(freq, component) and H as (component, time)"
                )
        return factors[0].shape[0], factors[-1].shape[1]

    def component_axes(self, count: int) -> tuple[int | None, ...]:
        return (*([None] * (count - 2)), 1, 0)

    def left(self, factors: Factors) -> np.ndarray:
        return _chain(factors[:-1])

    def left_adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        # W = L F_i R, so the adjoint is Lᵀ G Rᵀ.
        if i > 0:
            G = product(_chain(factors[:i]).T, G)
        if i < len(factors) - 2:
            G = product(G, _chain(factors[i + 1 : -1]).T)
        return G

    def templates(self, factors: Factors) -> np.ndarray:
        return self.left(factors)


def _chain(factors: Factors) -> np.ndarray:
    """Product of one or more matrices."""
    out = factors[0]
    for F in factors[1:]:
        out = product(out, F)
    return out
