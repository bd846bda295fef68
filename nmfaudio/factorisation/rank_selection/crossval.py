"""Which rank best predicts bins that the fit did not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.rank_selection.base import Search


@dataclass(frozen=True)
class CrossValidation:
    """Bins are dealt to folds at random, in blocks of (freq, time), and each fold is left out once.

    Wold 1978, doi:10.1080/00401706.1978.10489693, leaves out speckles as here; Owen & Perry 2009,
    doi:10.1214/08-AOAS227, whole rows and columns.
    """

    folds: int
    block: tuple[int, int]
    meaning: ClassVar[str] = "divergence per held-out bin; lower is better"
    n_init: ClassVar[int] = 1
    least_init: ClassVar[int] = 1
    max_iter: ClassVar[int] = 200
    tol: ClassVar[float] = 1e-4

    def fill(self, search: Search) -> None:
        search.fits = self.folds * len(search.ranks)
        fold = self._dealt(search.V.shape, search.rng)
        said = np.ones_like(search.V) if search.weights is None else search.weights
        held = [np.where(fold == f, said, 0) for f in range(self.folds)]
        if not all(0 < h.sum() < said.sum() for h in held):
            raise ParameterError(
                f"{self.folds} folds of blocks of {self.block} bins leave a fold empty in V of "
                f"shape {search.V.shape}; use fewer folds or smaller blocks"
            )
        for rank in search.ranks:
            cost = 0.0
            for h in held:
                model = search.fit(rank, weights=said - h).model()
                cost += search.divergence.value(search.V, model, h)
            search.scores[rank] = float(search.unit * cost / np.count_nonzero(said))

    def choose(self, scores: dict[int, float]) -> int:
        return min(scores, key=scores.__getitem__)

    def _dealt(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Which fold each bin is in [shape=(freq, time)]."""
        tall, wide = self.block
        rows, columns = -(-shape[0] // tall), -(-shape[1] // wide)
        fold = rng.permutation(rows * columns).reshape(rows, columns) % self.folds
        return fold.repeat(tall, 0).repeat(wide, 1)[: shape[0], : shape[1]]
