"""What every method is given, and the fits they have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np

from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.engine import nmf
from nmfaudio.factorisation.loop import Progress

Callback = Callable[[Progress], bool | None]


class Stopped(Exception):
    """A callback asked to stop."""


@dataclass(eq=False)
class Search:
    """The data, prepared and with a mean near 1, and how to fit them.

    Attributes
    ----------
    V : np.ndarray [shape=(freq, time)]
    weights : np.ndarray [shape=(freq, time)] or None
    scale : float
        What V was divided by.
    ranks : tuple of int
        Rising.
    scores : dict of int to float
        Filled by the method, rank by rank.
    fits : int
        How many fits the method will make.
    """

    V: np.ndarray
    weights: np.ndarray | None
    scale: float
    ranks: tuple[int, ...]
    divergence: Beta
    n_init: int
    max_iter: int
    tol: float
    rng: np.random.Generator
    callback: Callback | None
    fits: int = 0
    scores: dict[int, float] = field(default_factory=dict)
    _done: int = 0

    @property
    def unit(self) -> float:
        """What a divergence of 1 here is in the caller's units."""
        return float(self.scale**self.divergence.beta)

    def fit(
        self, rank: int, *, weights: np.ndarray | None = None, n_init: int | None = None
    ) -> Decomposition:
        """Plain NMF of so many components; `weights` if not the search's own."""
        return self.told(
            nmf(
                self.V,
                rank,
                beta_loss=self.divergence.beta,
                weights=self.weights if weights is None else weights,
                max_iter=self.max_iter,
                tol=self.tol,
                n_init=n_init or self.n_init,
                rng=self.rng,
            )
        )

    def told(self, found: Decomposition) -> Decomposition:
        """`found`, after the callback was told; `Stopped` if it wants no more."""
        self._done += 1
        progress = Progress(self._done, self.fits, float(found.losses[-1]))
        if self.callback is not None and self.callback(progress):
            raise Stopped
        return found


class Method(Protocol):
    """A way to choose among ranks."""

    meaning: ClassVar[str]
    """What its scores are and which is better, with "; " between."""
    n_init: ClassVar[int]
    """How many starts a fit has unless the caller says."""
    least_init: ClassVar[int]
    max_iter: ClassVar[int]
    tol: ClassVar[float]

    def fill(self, search: Search) -> None:
        """Score each rank."""

    def choose(self, scores: dict[int, float]) -> int:
        """The best of the ranks that have a score; there is at least one."""
