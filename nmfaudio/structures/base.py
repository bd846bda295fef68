"""How factors make up the model: non-negative multilinear maps and their adjoints.

A structure is one class in a file of this package. It needs `shape`, `component_axes`, `forward`
and `adjoint`; the law ``⟨forward(X), G⟩ = ⟨X[i], adjoint(i, G, X)⟩`` proves it, and `part`, from
which masks are made, comes with the base class. Every solver, penalty and divergence then works
with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

Factors = Sequence[np.ndarray]


class Structure(ABC):
    """A non-negative map, linear in each factor, from factors to the model of V."""

    name: ClassVar[str]

    @abstractmethod
    def shape(self, factors: Factors) -> tuple[int, ...]:
        """Shape of the model; `ShapeError` where the factors do not fit each other."""

    @abstractmethod
    def component_axes(self, count: int) -> tuple[int | None, ...]:
        """For each of `count` factors the axis that lists components, None where there is none."""

    @abstractmethod
    def forward(self, factors: Factors) -> np.ndarray:
        """The model Y."""

    @abstractmethod
    def adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        """The transposed map: G, shaped like the model, pulled back to the shape of factor `i`."""

    def n_components(self, factors: Factors) -> int:
        """How many components the model has."""
        axis = self.component_axes(len(factors))[-1]
        return int(factors[-1].shape[axis or 0])

    def templates(self, factors: Factors) -> np.ndarray:
        """What each component sounds like [shape=(…, freq, component)]."""
        return factors[-2]

    def excerpt(self, factors: Factors, frames: slice) -> tuple[Factors, int]:
        """Factors of a model of these frames, and of how many frames before them it has too."""
        return (*factors[:-1], factors[-1][..., frames]), 0

    def select(self, factors: Factors, components: Sequence[int]) -> Factors:
        """Factors of a model of these components alone."""
        return [
            F if axis is None else np.take(F, components, axis=axis)
            for F, axis in zip(factors, self.component_axes(len(factors)), strict=True)
        ]

    def part(
        self, factors: Factors, components: Sequence[int], frames: slice | None = None
    ) -> np.ndarray:
        """What these components contribute; the parts of a partition sum to `forward`."""
        extra = 0
        if frames is not None:
            factors, extra = self.excerpt(factors, frames)
        return self.forward(self.select(factors, components))[..., extra:]
