"""Rank selection by cross-validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.rank_selection.base import Search


@dataclass(frozen=True)
class CrossValidation:
    """Random folds of blocks of (freq, time) bins, each left out of one fit.

    Folds of single bins are those of Wold 1978, doi:10.1080/00401706.1978.10489693; Owen & Perry
    2009, doi:10.1214/08-AOAS227, leave out whole rows and columns instead.
    """

    folds: int
    block: tuple[int, int]
    meaning: ClassVar[str] = "divergence per held-out bin; lower is better"
    n_init: ClassVar[int] = 1
    min_init: ClassVar[int] = 1
    max_iter: ClassVar[int] = 200
    tol: ClassVar[float] = 1e-4

    def score_ranks(self, search: Search) -> None:
        search.n_fits = self.folds * len(search.ranks)
        fold = self._folds(search.V.shape, search.rng)
        weights = np.ones_like(search.V) if search.weights is None else search.weights
        held_out = [np.where(fold == f, weights, 0) for f in range(self.folds)]
        if not all(0 < test.sum() < weights.sum() for test in held_out):
            raise ParameterError(
                f"{self.folds} folds of blocks of {self.block} bins leave a fold empty in V of "
                f"shape {search.V.shape}; use fewer folds or smaller blocks"
            )
        for rank in search.ranks:
            cost = 0.0
            for test in held_out:
                model = search.fit(rank, weights=weights - test).model()
                cost += search.divergence.value(search.V, model, test)
            search.scores[rank] = float(search.divergence_unit * cost / np.count_nonzero(weights))

    def choose(self, scores: dict[int, float]) -> int:
        return min(scores, key=scores.__getitem__)

    def _folds(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Index of the fold of each bin [shape=(freq, time)]."""
        height, width = self.block
        rows, columns = -(-shape[0] // height), -(-shape[1] // width)  # blocks, rounded up
        fold = rng.permutation(rows * columns).reshape(rows, columns) % self.folds
        return fold.repeat(height, 0).repeat(width, 1)[: shape[0], : shape[1]]
