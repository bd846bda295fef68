"""Rank selection by the stability of clusters over random starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.factorisation.rank_selection.base import Search

MAX_FRAMES = 1000
"""Frames that are compared pairwise, evenly spaced; the consensus matrix has their square."""
TOLERANCE = 0.01
"""Correlations that differ by less count as equal."""


@dataclass(frozen=True)
class Stability:
    """Cophenetic correlation of the consensus of many starts on clusters of frames.

    Frames belong to the cluster of their strongest component. The consensus of two frames is the
    share of starts that put them into one cluster; if all are 0 or 1, the cophenetic correlation
    is 1. The largest rank near the highest correlation is selected. Brunet, Tamayo, Golub &
    Mesirov 2004, doi:10.1073/pnas.0308531101.
    """

    meaning: ClassVar[str] = "cophenetic correlation; the largest rank near the highest is best"
    n_init: ClassVar[int] = 20
    min_init: ClassVar[int] = 2
    max_iter: ClassVar[int] = 200
    tol: ClassVar[float] = 1e-4

    def score_ranks(self, search: Search) -> None:
        search.n_fits = len(search.ranks) * search.n_init
        time = search.V.shape[1]
        frames = np.unique(np.linspace(0, time - 1, min(time, MAX_FRAMES)).astype(int))
        for rank in search.ranks:
            counts = np.zeros((len(frames), len(frames)))
            for _ in range(search.n_init):
                fitted = search.fit(rank, n_init=1)
                energies = fitted.H[:, frames] * fitted.W.sum(0)[:, None]
                clusters = np.argmax(energies, axis=0)
                counts += clusters[:, None] == clusters
            search.scores[rank] = cophenetic_correlation(counts / search.n_init)

    def choose(self, scores: dict[int, float]) -> int:
        # One component is a single cluster, always stable.
        candidates = {rank: score for rank, score in scores.items() if rank > 1} or scores
        highest = max(candidates.values())
        return max(rank for rank, score in candidates.items() if score > highest - TOLERANCE)


def cophenetic_correlation(consensus: np.ndarray) -> float:
    """Correlation of the distances ``1 − consensus`` with those of average linkage.

    `consensus` has shape (frame, frame).
    """
    from scipy.cluster.hierarchy import cophenet, linkage

    distances = 1 - consensus[np.triu_indices(len(consensus), 1)]
    if len(distances) < 2 or not np.ptp(distances):  # constant distances have no correlation
        return 1.0
    return float(cophenet(linkage(distances, "average"), distances)[0])
