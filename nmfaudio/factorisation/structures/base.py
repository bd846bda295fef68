"""How factors make up the model: sums of non-negative products of them, and the adjoints.

A structure is one class in a file of this package. It needs `shape`, `component_axes`, `forward`
and `adjoint`; the law ``⟨forward(X + D) − forward(X), G⟩ = ⟨D[i], adjoint(i, G, X)⟩``, for D zero
in all factors but `i`, proves it, and `part`, from which masks are made, comes with the base class.
Every solver, penalty and divergence then works with it. The majorisers of multiplicative updates
hold for such sums too: terms without factor `i` are components that stay as they are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

Factors = Sequence[np.ndarray]


class Structure(ABC):
    """A map from factors to the model of V: non-negative, in each factor linear or affine."""

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
        """The transposed derivative: G, shaped like the model, pulled back to factor `i`."""

    def scale_carriers(self, count: int) -> tuple[int, ...]:
        """The factors, of `count`, that carry V's scale: s times each makes the model s times."""
        return (count - 1,)

    def n_components(self, factors: Factors) -> int:
        """How many components the model has."""
        axis = self.component_axes(len(factors))[-1]
        return int(factors[-1].shape[axis or 0])

    def templates(self, factors: Factors) -> np.ndarray:
        """What each component sounds like [shape=(…, freq, component)]."""
        return factors[-2]

    def activations(self, factors: Factors) -> np.ndarray:
        """When each component sounds [shape=(…, component, time)]."""
        return factors[-1]

    def levels(self, factors: Factors) -> np.ndarray:
        """How loud each component is, whose templates sum to one [shape=(…, component, time)].

        That is its activation, unless it sounds on by itself.
        """
        return self.activations(factors)

    def delays(self, factors: Factors) -> np.ndarray:
        """Frames from an activation of each component until it is heard [shape=(component,)]."""
        return np.zeros(self.n_components(factors), int)

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
