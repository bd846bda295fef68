"""Up to which rank all starts tell the same story."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.factorisation.rank_selection.base import Search

MOST_FRAMES = 1000
"""So many frames are compared pair by pair, evenly spread."""
NEAR = 0.01
"""Correlations that differ by less are equal."""


@dataclass(frozen=True)
class Stability:
    """Which frames share their loudest component, over many starts.

    The consensus of two frames is the share of the starts in which they do. If it is 0 or 1 for
    all, clustering the frames by it loses nothing and the cophenetic correlation is 1. The best is
    the largest rank near the highest correlation. Brunet, Tamayo, Golub & Mesirov 2004,
    doi:10.1073/pnas.0308531101.
    """

    meaning: ClassVar[str] = "cophenetic correlation; the largest rank near the highest is best"
    n_init: ClassVar[int] = 20
    least_init: ClassVar[int] = 2
    max_iter: ClassVar[int] = 200
    tol: ClassVar[float] = 1e-4

    def fill(self, search: Search) -> None:
        search.fits = len(search.ranks) * search.n_init
        time = search.V.shape[1]
        frames = np.unique(np.linspace(0, time - 1, min(time, MOST_FRAMES)).astype(int))
        for rank in search.ranks:
            together = np.zeros((len(frames), len(frames)))
            for _ in range(search.n_init):
                found = search.fit(rank, n_init=1)
                loudness = found.H[:, frames] * found.W.sum(0)[:, None]
                loudest = np.argmax(loudness, axis=0)
                together += loudest[:, None] == loudest
            search.scores[rank] = cophenetic_correlation(together / search.n_init)

    def choose(self, scores: dict[int, float]) -> int:
        # One component is always stable, and says nothing.
        told = {rank: score for rank, score in scores.items() if rank > 1} or scores
        highest = max(told.values())
        return max(rank for rank, score in told.items() if score > highest - NEAR)


def cophenetic_correlation(consensus: np.ndarray) -> float:
    """How well average linkage keeps the distances ``1 − consensus`` [shape=(frame, frame)]."""
    from scipy.cluster.hierarchy import cophenet, linkage

    distances = 1 - consensus[np.triu_indices(len(consensus), 1)]
    if len(distances) < 2 or not np.ptp(distances):  # all alike: nothing can be lost
        return 1.0
    return float(cophenet(linkage(distances, "average"), distances)[0])
