"""Rank selection by the elbow of the error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.factorisation.rank_selection.base import Search

EXACT = 1e-12
"""Error relative to the largest one, below which it is rounding."""


@dataclass(frozen=True)
class ErrorCurve:
    """Elbow of the log error: the rank farthest below the chord between first and last rank.

    Satopää, Albrecht, Irwin & Raghavan 2011, doi:10.1109/ICDCSW.2011.20. The logarithm, because
    each component removes a share of the remaining error.
    """

    meaning: ClassVar[str] = "divergence per bin; the best is where the curve bends"
    n_init: ClassVar[int] = 3
    min_init: ClassVar[int] = 1
    max_iter: ClassVar[int] = 500
    tol: ClassVar[float] = 1e-5

    def score_ranks(self, search: Search) -> None:
        search.n_fits = len(search.ranks)
        bins = search.V.size if search.weights is None else np.count_nonzero(search.weights)
        for rank in search.ranks:
            search.scores[rank] = search.divergence_unit * float(search.fit(rank).losses[-1]) / bins

    def choose(self, scores: dict[int, float]) -> int:
        ranks, errors = np.array(list(scores)), np.array(list(scores.values()))
        heights = np.log(np.maximum(errors, EXACT * errors.max() or 1.0))
        ends = [0, -1]
        below = np.interp(ranks, ranks[ends], heights[ends]) - heights
        return int(ranks[np.argmax(below)])
