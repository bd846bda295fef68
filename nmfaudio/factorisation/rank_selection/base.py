"""Data and fits that all methods share, and the protocol of a method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np

from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.divergences import Divergence
from nmfaudio.factorisation.engine import nmf
from nmfaudio.factorisation.loop import Progress

Callback = Callable[[Progress], bool | None]


class Stopped(Exception):
    """Raised when the callback requests to stop."""


@dataclass(eq=False)
class Search:
    """Data scaled to a mean near 1, settings of the fits, and the scores so far.

    Attributes
    ----------
    V : np.ndarray [shape=(freq, time)]
    weights : np.ndarray [shape=(freq, time)] or None
    scale : float
        Factor that V was divided by.
    ranks : tuple of int
        In ascending order.
    scores : dict of int to float
        Filled by the method, rank by rank.
    n_fits : int
        Number of fits that the method will make, for the callback.
    """

    V: np.ndarray
    weights: np.ndarray | None
    scale: float
    ranks: tuple[int, ...]
    divergence: Divergence
    n_init: int
    max_iter: int
    tol: float
    rng: np.random.Generator
    callback: Callback | None
    n_fits: int = 0
    scores: dict[int, float] = field(default_factory=dict)
    _done: int = 0

    @property
    def divergence_unit(self) -> float:
        """Factor that converts a divergence to the caller's scale: D(sV, sY) = s^r D(V, Y)."""
        return float(self.scale ** (self.divergence.degree or 0.0))

    def fit(
        self, rank: int, *, weights: np.ndarray | None = None, n_init: int | None = None
    ) -> Decomposition:
        """Fit plain NMF of `rank` components, by default with the weights of the search."""
        return self.report(
            nmf(
                self.V,
                rank,
                beta_loss=self.divergence,
                weights=self.weights if weights is None else weights,
                max_iter=self.max_iter,
                tol=self.tol,
                n_init=n_init or self.n_init,
                rng=self.rng,
            )
        )

    def report(self, fitted: Decomposition) -> Decomposition:
        """Call the callback and return `fitted`; raise `Stopped` if the callback returns True."""
        self._done += 1
        progress = Progress(self._done, self.n_fits, float(fitted.losses[-1]))
        if self.callback is not None and self.callback(progress):
            raise Stopped
        return fitted


class Method(Protocol):
    """Method of rank selection; `n_init`, `max_iter` and `tol` are its defaults."""

    meaning: ClassVar[str]
    """Description of the scores and, after "; ", of which are better."""
    n_init: ClassVar[int]
    min_init: ClassVar[int]
    """Smallest `n_init` that the method accepts."""
    max_iter: ClassVar[int]
    tol: ClassVar[float]

    def score_ranks(self, search: Search) -> None:
        """Fill `search.scores`."""

    def choose(self, scores: dict[int, float]) -> int:
        """Select a rank from a non-empty dict of scores."""
