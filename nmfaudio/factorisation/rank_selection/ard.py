"""How many components survive a penalty that lets those fade away which are not needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.factorisation.engine import decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.initialisation import random_factors, weighted_mean
from nmfaudio.factorisation.penalties import ARD
from nmfaudio.factorisation.rank_selection.base import Search

RELEVANT = 0.01
"""A component counts if its relevance exceeds that of one which is not there by this share."""
LEAST = 1e-7  # a dispersion; 0 would be no penalty at all
FAINT = 1e-3  # of V's mean; a model below that says nothing of how noisy V is


@dataclass(frozen=True)
class Relevance:
    """Automatic relevance determination from the largest rank, see `ARD`."""

    dispersion: float | None
    meaning: ClassVar[str] = "relevance of the k-th component; above 0.01 it is needed"
    n_init: ClassVar[int] = 1
    least_init: ClassVar[int] = 1
    max_iter: ClassVar[int] = 3000
    tol: ClassVar[float] = 1e-7

    def fill(self, search: Search) -> None:
        search.fits = 1 if self.dispersion else 2
        most = search.ranks[-1]
        ard = ARD.matching(
            weighted_mean(search.V, search.weights),
            most,
            dispersion=self._given(search) or _dispersion(search, most),
        )
        freq, time = search.V.shape
        starts = random_factors((freq, most), (most, time), None, None)
        found = search.told(
            decompose(
                search.V,
                [Factor(start, penalties=(ard,)) for start in starts],
                divergence=search.divergence,
                weights=search.weights,
                max_iter=search.max_iter,
                tol=search.tol,
                n_init=search.n_init,
                rng=search.rng,
            )
        )
        excess = np.sort(ard.excess(found.factors))[::-1]
        search.scores.update((rank, float(excess[rank - 1])) for rank in search.ranks)

    def _given(self, search: Search) -> float | None:
        """The caller's dispersion, of V at the search's scale."""
        if self.dispersion is None:
            return None
        return self.dispersion / search.unit

    def choose(self, scores: dict[int, float]) -> int:
        return max((rank for rank in scores if scores[rank] > RELEVANT), default=min(scores))


def _dispersion(search: Search, rank: int) -> float:
    """φ of variance = φ·Y^(2 − β), from Pearson's statistic of a fit of the largest rank."""
    Y = search.fit(rank).model().astype(np.float64)
    weights = np.ones_like(Y) if search.weights is None else search.weights
    said = (weights > 0) & (Y > FAINT)
    squares = np.square(search.V - Y)[said] * np.power(Y[said], search.divergence.beta - 2)
    free: int = np.count_nonzero(said) - rank * (Y.shape[0] + Y.shape[1] - rank)
    # A model with as many parameters as there are bins leaves no noise to see.
    return max(float((weights[said] * squares).sum()) / max(free, 1), LEAST)
