"""Rank selection by automatic relevance determination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.factorisation.divergences import beta_named
from nmfaudio.factorisation.engine import decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.initialisation import random_factors, weighted_mean
from nmfaudio.factorisation.penalties import ARD
from nmfaudio.factorisation.rank_selection.base import Search

RELEVANT = 0.01
"""Relative excess of the relevance of a component over that of an empty one, to count it."""
MIN_DISPERSION = 1e-7  # 0 would turn the penalty off
MIN_MODEL = 1e-3  # relative to V's mean; Pearson's statistic divides by powers of the model


@dataclass(frozen=True)
class Relevance:
    """One fit of the largest rank, in which the penalty `ARD` removes components.

    Tan & Févotte 2013, doi:10.1109/TPAMI.2012.240.
    """

    dispersion: float | None
    meaning: ClassVar[str] = "relevance of the k-th component; above 0.01 it is needed"
    n_init: ClassVar[int] = 1
    min_init: ClassVar[int] = 1
    max_iter: ClassVar[int] = 3000
    tol: ClassVar[float] = 1e-7

    def score_ranks(self, search: Search) -> None:
        search.n_fits = 1 if self.dispersion else 2
        rank = search.ranks[-1]
        ard = ARD.matching(
            weighted_mean(search.V, search.weights),
            rank,
            dispersion=self._scaled_dispersion(search) or _dispersion(search, rank),
        )
        freq, time = search.V.shape
        starts = random_factors((freq, rank), (rank, time), None, None)
        fitted = search.report(
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
        excess = np.sort(ard.excess(fitted.factors))[::-1]
        search.scores.update((k, float(excess[k - 1])) for k in search.ranks)

    def _scaled_dispersion(self, search: Search) -> float | None:
        """Dispersion at the scale of the search, if the caller set it."""
        if self.dispersion is None:
            return None
        return self.dispersion / search.divergence_unit

    def choose(self, scores: dict[int, float]) -> int:
        return max((rank for rank in scores if scores[rank] > RELEVANT), default=min(scores))


def _dispersion(search: Search, rank: int) -> float:
    """Estimate φ of var(V) = φ·Y^(2 − β) by Pearson's statistic of a fit of the largest rank."""
    beta = beta_named(search.divergence, "method='ard' without a dispersion").beta
    Y = search.fit(rank).model().astype(np.float64)
    weights = np.ones_like(Y) if search.weights is None else search.weights
    used = (weights > 0) & (Y > MIN_MODEL)
    residuals = np.square(search.V - Y)[used] * np.power(Y[used], beta - 2)
    # Degrees of freedom: bins less parameters, of which r² are a change of basis (WA)(A⁻¹H).
    freedom: int = np.count_nonzero(used) - rank * (Y.shape[0] + Y.shape[1] - rank)
    return max(float((weights[used] * residuals).sum()) / max(freedom, 1), MIN_DISPERSION)
