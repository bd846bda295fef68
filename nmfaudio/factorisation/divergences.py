"""What a misfit costs.

A divergence is one class here, with `value`, `gradient_parts`, `exponents`, `degree` and
`prepare`; a solver needs no more to lower it under any structure and any penalty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nmfaudio._common.validation import as_number
from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.kernels import beta_divergence
from nmfaudio.kernels.threads import parallel_for

ROWS = 64  # frames in one part of the work

LOSSES = {"kl": 1.0, "is": 0.0, "frobenius": 2.0}


class Divergence(Protocol):
    """The cost of the model Y for the data V, summed over bins, each times its weight."""

    @property
    def exponents(self) -> tuple[float, float]:
        """(p, q) of the majoriser's derivative ``pos·u^p − neg·u^q`` (`kernels.majorisation`)."""

    @property
    def degree(self) -> float | None:
        """Power of s by which the cost grows when V and Y are multiplied by s, None if by none."""

    def prepare(self, V: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        """V as this divergence can take it, with a floor for instance; else V itself."""

    def value(self, V: np.ndarray, Y: np.ndarray, weights: np.ndarray | None) -> float:
        """The cost, in double precision."""

    def gradient_parts(
        self, V: np.ndarray, Y: np.ndarray, weights: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Two non-negative arrays A, B like V with ∂cost/∂Y = B − A."""


@public
@dataclass(frozen=True)
class Beta:
    """The beta-divergence: β = 0 Itakura–Saito, 1 Kullback–Leibler, 2 squared Euclidean / 2.

    Parameters
    ----------
    beta : float
        Any real number.
    floor : float
        For β ≤ 0 the cost of a bin that is zero has no bound, so V is raised to at least `floor`
        times its largest value. That is a choice of model, not of arithmetic: quieter bins than
        that are not told apart. 1e-8 of the largest power is 80 dB below it. (For β < 0 float32
        cannot tell so much apart and the floor may be higher, 1e-4 of V's mean for β = −1; use
        float64.) For β > 0 exact zeros need no floor.

    References
    ----------
    C. Févotte and J. Idier, "Algorithms for nonnegative matrix factorization with the
    β-divergence", Neural Computation 23(9), 2011, doi:10.1162/NECO_a_00168.
    """

    beta: float = 1.0
    floor: float = 1e-8

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", as_number(self.beta, "beta"))  # a plain number, for JSON
        object.__setattr__(self, "floor", as_number(self.floor, "floor", above=0))
        if self.floor >= 1:
            raise ParameterError(f"floor is {self.floor!r}; it must lie between 0 and 1")

    @property
    def exponents(self) -> tuple[float, float]:
        return max(self.beta - 1.0, 0.0), min(self.beta - 2.0, 0.0)

    @property
    def degree(self) -> float:
        return self.beta

    def prepare(self, V: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        if self.beta > 0:
            return V
        # Well above the model's floor: below that one, a misfit would go unseen.
        low = max(self.floor * (float(V.max()) or 1.0), 2**8 * self.model_floor(V.dtype))
        raised: np.ndarray = np.maximum(V, V.dtype.type(low))
        return raised

    def model_floor(self, dtype: np.dtype) -> float:
        """The smallest model value told apart from 0: its powers and sums of them stay finite."""
        bits = 64 if dtype == np.float32 else 512
        return float(2.0 ** (-bits / max(2.0 - self.beta, 1.0)))

    def value(self, V: np.ndarray, Y: np.ndarray, weights: np.ndarray | None) -> float:
        v, y, m = _rows(V, V), _rows(Y, V), _rows(weights, V)
        sums = np.zeros(-(-len(v) // ROWS))
        floor = self.model_floor(V.dtype)

        def work(parts: range) -> None:
            for part in parts:
                some = slice(part * ROWS, (part + 1) * ROWS)
                sums[part] = beta_divergence.divergence(v[some], y[some], m[some], self.beta, floor)

        parallel_for(work, len(sums))
        return float(sum(sums))

    def gradient_parts(
        self, V: np.ndarray, Y: np.ndarray, weights: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        v, y, m = _rows(V, V), _rows(Y, V), _rows(weights, V)
        A, B = y.copy(), np.empty_like(v)
        floor = self.model_floor(V.dtype)

        def work(parts: range) -> None:
            for part in parts:
                some = slice(part * ROWS, (part + 1) * ROWS)
                beta_divergence.gradient_parts(v[some], A[some], m[some], self.beta, floor, B[some])

        parallel_for(work, -(-len(v) // ROWS))
        if _time_major(V):
            return A.reshape(V.T.shape).T, B.reshape(V.T.shape).T
        return A.reshape(V.shape), B.reshape(V.shape)


def divergence_named(beta_loss: str | float) -> Beta:
    """The beta-divergence called ``"kl"``, ``"is"``, ``"frobenius"``, or of a given β."""
    if isinstance(beta_loss, str):
        if beta_loss not in LOSSES:
            raise ParameterError(
                f"beta_loss is {beta_loss!r}; it must be 'kl', 'is', 'frobenius' or a number"
            )
        return Beta(LOSSES[beta_loss])
    return Beta(as_number(beta_loss, "beta_loss"))


def _time_major(V: np.ndarray) -> bool:
    return bool(V.T.flags.c_contiguous)


def _rows(array: np.ndarray | None, like: np.ndarray) -> np.ndarray:
    """As a C-contiguous matrix in the memory order of `like`; without array one of no columns."""
    if array is None:
        return np.empty((len(_rows(like, like)), 0), like.dtype)
    if _time_major(like):
        return np.ascontiguousarray(array.T).reshape(array.shape[-1], -1)
    return np.ascontiguousarray(array).reshape(-1, array.shape[-1])
