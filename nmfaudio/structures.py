"""How factors make up the model: non-negative multilinear maps and their adjoints.

A structure is one class here. It needs `shape`, `component_axes`, `forward` and `adjoint`; the law
``⟨forward(X), G⟩ = ⟨X[i], adjoint(i, G, X)⟩`` proves it, and `part`, from which masks are made,
comes with the base class. Every solver, penalty and divergence then works with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from nmfaudio.errors import ShapeError
from nmfaudio.kernels.products import accumulate, product

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

    def part(self, factors: Factors, components: Sequence[int]) -> np.ndarray:
        """What the named components contribute; the parts of a partition sum to `forward`."""
        axes = self.component_axes(len(factors))
        return self.forward(
            [
                F if axis is None else np.take(F, components, axis=axis)
                for F, axis in zip(factors, axes, strict=True)
            ]
        )


@dataclass(frozen=True)
class Product(Structure):
    """``V ≈ W H`` with W (freq, component) and H (component, time); more factors chain on.

    Lee & Seung 1999, doi:10.1038/44565. With three or more factors (deep NMF) the components are
    those of the last factor.
    """

    name: ClassVar[str] = "product"

    def shape(self, factors: Factors) -> tuple[int, ...]:
        if len(factors) < 2 or any(F.ndim != 2 for F in factors):
            raise ShapeError(
                f"Product needs two or more matrices, got shapes {[F.shape for F in factors]}; "
                "give W as (freq, component) and H as (component, time)"
            )
        for left, right in pairwise(factors):
            if left.shape[1] != right.shape[0]:
                raise ShapeError(
                    f"factors of shapes {left.shape} and {right.shape} cannot be multiplied: "
                    f"{left.shape[1]} columns meet {right.shape[0]} rows; give W as "
                    "(freq, component) and H as (component, time)"
                )
        return factors[0].shape[0], factors[-1].shape[1]

    def component_axes(self, count: int) -> tuple[int | None, ...]:
        return (*([None] * (count - 2)), 1, 0)

    def forward(self, factors: Factors) -> np.ndarray:
        out = factors[0]
        for F in factors[1:]:
            out = product(out, F)
        return out

    def adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        if i > 0:
            G = product(self.forward(factors[:i]).T, G)
        if i < len(factors) - 1:
            G = product(G, self.forward(factors[i + 1 :]).T)
        return G


@dataclass(frozen=True)
class Convolutive(Structure):
    """``V[f, t] ≈ Σ_d Σ_k W[d, f, k] H[k, t − d]``: each component is a short spectrogram (NMFD).

    W is (lag, freq, component) and H (component, time). Smaragdis 2004,
    doi:10.1007/978-3-540-30110-3_63.
    """

    name: ClassVar[str] = "convolutive"

    def shape(self, factors: Factors) -> tuple[int, ...]:
        if [F.ndim for F in factors] != [3, 2]:
            raise ShapeError(
                f"Convolutive needs W (lag, freq, component) and H (component, time), "
                f"got shapes {[F.shape for F in factors]}"
            )
        W, H = factors
        if W.shape[2] != H.shape[0]:
            raise ShapeError(
                f"W has {W.shape[2]} components (shape {W.shape}) and H has {H.shape[0]} "
                f"(shape {H.shape}); give both the same number"
            )
        return W.shape[1], H.shape[1]

    def component_axes(self, count: int) -> tuple[int | None, ...]:
        return 2, 0

    def forward(self, factors: Factors) -> np.ndarray:
        W, H = factors
        rows = np.ascontiguousarray(H.T)
        time = len(rows)
        out = np.zeros((time, W.shape[1]), W.dtype)
        for lag, template in enumerate(W[:time]):
            accumulate(rows[: time - lag], np.ascontiguousarray(template.T), out[lag:])
        return out.T

    def adjoint(self, i: int, G: np.ndarray, factors: Factors) -> np.ndarray:
        W, H = factors
        rows = np.ascontiguousarray(G.T)
        time = len(rows)
        if i == 0:
            templates = np.zeros((len(W), H.shape[0], W.shape[1]), W.dtype)
            for lag in range(min(len(W), time)):
                accumulate(np.ascontiguousarray(H[:, : time - lag]), rows[lag:], templates[lag])
            return templates.transpose(0, 2, 1)
        out = np.zeros((time, W.shape[2]), W.dtype)
        for lag, template in enumerate(W[:time]):
            accumulate(rows[lag:], np.ascontiguousarray(template), out[: time - lag])
        return out.T


STRUCTURES: dict[str, Structure] = {s.name: s for s in (Product(), Convolutive())}
