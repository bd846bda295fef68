"""Where more components stop making the fit much better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.factorisation.rank_selection.base import Search

EXACT = 1e-12
"""Of the largest error; what is below that is rounding."""


@dataclass(frozen=True)
class ErrorCurve:
    """The elbow of the logarithm of the error: the rank farthest below the line between its ends.

    Satopää, Albrecht, Irwin & Raghavan 2011, doi:10.1109/ICDCSW.2011.20, on the logarithm because
    each component takes away a share of what is left.
    """

    meaning: ClassVar[str] = "divergence per bin; the best is where the curve bends"
    n_init: ClassVar[int] = 3
    least_init: ClassVar[int] = 1
    max_iter: ClassVar[int] = 500
    tol: ClassVar[float] = 1e-5

    def fill(self, search: Search) -> None:
        search.fits = len(search.ranks)
        bins = search.V.size if search.weights is None else np.count_nonzero(search.weights)
        for rank in search.ranks:
            search.scores[rank] = search.unit * float(search.fit(rank).losses[-1]) / bins

    def choose(self, scores: dict[int, float]) -> int:
        ranks, errors = np.array(list(scores)), np.array(list(scores.values()))
        heights = np.log(np.maximum(errors, EXACT * errors.max() or 1.0))
        ends = [0, -1]
        below = np.interp(ranks, ranks[ends], heights[ends]) - heights
        return int(ranks[np.argmax(below)])
