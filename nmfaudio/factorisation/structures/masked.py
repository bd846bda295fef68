"""Sum of masked factorisations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.structures.base import Factors
from nmfaudio.factorisation.structures.sum_of_products import SumOfProducts, Term


@dataclass(frozen=True)
class Masked(SumOfProducts):
    r"""Masked NMF: a sum of factorisations, each multiplied by a mask.

    A mask can be painted by a user, or be the spectrogram of a known pitch, so that W and H are the
    filter of a voice of that pitch. Where a mask is 0, its group has no part in the model, and
    nothing is learned about it. Components are numbered through the groups; `Decomposition` has
    their W and H side by side, without the masks. The scale of a group is shared by M, W and H, so
    `unit` is not supported.

    Notes
    -----
    With three factors per group g, in this order,

    - M (freq, time): mask, normally fixed, with any values ≥ 0, and one row or one column where it
      does not depend on frequency or time
    - W (freq, component) and H (component, time): templates and activations, as in plain NMF

    the model is, with :math:`\odot` the entrywise product,

    .. math::

        Y = \sum_g M_g \odot (W_g H_g)

    References
    ----------
    N. J. Bryan, G. J. Mysore and G. Wang, "ISSE: an interactive source separation editor", CHI
    2014, doi:10.1145/2556288.2557253.

    J.-L. Durrieu, G. Richard, B. David and C. Févotte, "Source/filter model for unsupervised main
    melody extraction from polyphonic audio signals", IEEE Trans. Audio, Speech, and Language
    Processing 18(3), 2010, doi:10.1109/TASL.2010.2041114.

    Examples
    --------
    The level of a partial that glides upward through a sustained chord, also where they cross:

    >>> import numpy as np, nmfaudio as na
    >>> M = np.eye(9)  # the partial of frame t is in bin t
    >>> level, chord = np.linspace(1, 2, 9), np.array([0, 0, 1.0, 0, 0, 2, 0, 0, 0])[:, None]
    >>> V = M * level + chord
    >>> factors = [na.Factor(M, free=False), na.Factor(np.ones((9, 1)), free=False),
    ...            na.Factor(np.ones((1, 9))), na.Factor(np.ones((1, 1)), free=False),
    ...            na.Factor(np.ones((9, 1))), na.Factor(np.ones((1, 9)))]
    >>> d = na.decompose(V, factors, structure=na.structures.Masked(), max_iter=500, tol=0)
    >>> bool(np.allclose(d.part([0]).sum(0), level, atol=0.05))
    True
    """

    name: ClassVar[str] = "masked"

    def shape(self, factors: Factors) -> tuple[int, ...]:
        shapes = [F.shape for F in factors]
        if not shapes or len(shapes) % 3 or any(len(shape) != 2 for shape in shapes):
            raise ShapeError(f"factors have shapes {shapes}; {_NEEDED}")
        full = shapes[1][0], shapes[2][1]  # (freq, time)
        for mask, W, H in zip(shapes[::3], shapes[1::3], shapes[2::3], strict=True):
            broadcasts = all(n in (1, size) for n, size in zip(mask, full, strict=True))
            if not (broadcasts and W[1] == H[0] and (W[0], H[1]) == full):
                raise ShapeError(f"factors have shapes {shapes}; {_NEEDED}")
        return full

    def component_axes(self, count: int) -> tuple[int | None, ...]:
        return (None,) * count  # components are split between groups of factors

    def scale_carriers(self, count: int) -> tuple[int, ...]:
        return tuple(range(2, count, 3))

    def n_components(self, factors: Factors) -> int:
        return sum(len(H) for H in factors[2::3])

    def templates(self, factors: Factors) -> np.ndarray:
        return np.concatenate(factors[1::3], axis=1)

    def activations(self, factors: Factors) -> np.ndarray:
        return np.concatenate(factors[2::3])

    def excerpt(self, factors: Factors, frames: slice) -> tuple[Factors, int]:
        return [
            F if i % 3 == 1 or (i % 3 == 0 and F.shape[1] == 1) else F[:, frames]
            for i, F in enumerate(factors)
        ], 0

    def select(self, factors: Factors, components: Sequence[int]) -> Factors:
        chosen: list[np.ndarray] = []
        first = 0
        for M, W, H in _groups(factors):
            rows = [k - first for k in components if first <= k < first + len(H)]
            first += len(H)
            if rows:  # a group without components would cost its mask
                chosen += M, W[:, rows], H[rows]
        return chosen or [factors[0], factors[1][:, :0], factors[2][:0]]

    def terms(self, count: int) -> Sequence[Term]:
        return [[(i,), (i + 1, i + 2)] for i in range(0, count, 3)]


_NEEDED = (
    "Masked needs M (freq, time), W (freq, component) and H (component, time) per group, with the "
    "same freq and time; M may have 1 for either"
)


def _groups(factors: Factors) -> zip[tuple[np.ndarray, ...]]:
    """Iterate over the mask, templates and activations of each group."""
    return zip(factors[::3], factors[1::3], factors[2::3], strict=True)
