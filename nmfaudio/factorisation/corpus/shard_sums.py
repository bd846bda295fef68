"""Sums over the frames of one shard, and their addition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.fused import FusedRun
from nmfaudio.factorisation.structures import Product
from nmfaudio.factorisation.sums import add_in_order, sum_chunks

_EMPTY = np.zeros((0, 0))


class Sums(NamedTuple):
    """Sums over frames, for the update of W and the objective; those not needed have size 0.

    Parameters
    ----------
    neg, pos : np.ndarray [shape=(freq, component)]
        ``A Hᵀ`` and ``B Hᵀ``, negative and positive part of the gradient for W.
    H : np.ndarray [shape=(component,)]
        Activations.
    HtH : np.ndarray [shape=(component, component)]
        ``H Hᵀ``.
    divergence : np.ndarray [shape=(1,)]
        Divergence, or 0.
    """

    neg: np.ndarray
    pos: np.ndarray
    H: np.ndarray
    HtH: np.ndarray
    divergence: np.ndarray

    @classmethod
    def stored(cls, arrays: Mapping[str, np.ndarray]) -> Sums:
        """Sums from arrays by name, which `arrays` returned."""
        return cls(*(arrays.get(name, _EMPTY) for name in cls._fields))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name, without those that are not needed."""
        return {name: array for name, array in self._asdict().items() if array.size}

    @classmethod
    def added(cls, terms: Sequence[Sums]) -> Sums:
        """Add sums in order, in float64."""
        return cls(*(add_in_order(arrays) for arrays in zip(*terms, strict=True)))


class SweepSettings(NamedTuple):
    """Settings of a sweep that all shards share.

    Parameters
    ----------
    beta, floor : float
        Those of `Beta`.
    scale : float
        Number that V was divided by.
    exponents : list of float
        Exponents of the updates, see `Divergence.exponents`.
    gram : bool
        Whether `Sums.HtH` replaces `Sums.pos`.
    """

    beta: float
    floor: float
    scale: float
    exponents: list[float]
    gram: bool

    @property
    def divergence(self) -> Beta:
        return Beta(self.beta, self.floor)


class ShardRun(FusedRun):
    """Single sweep over a shard, which returns the sums instead of using them.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        As the divergence prepared it.
    W : np.ndarray [shape=(freq, component)]
        Templates that H is updated for.
    W_next : np.ndarray [shape=(freq, component)]
        Templates that the next update of W starts from.
    H : np.ndarray [shape=(time, component)]
    settings : SweepSettings
    """

    def __init__(
        self,
        V: np.ndarray,
        W: np.ndarray,
        W_next: np.ndarray,
        H: np.ndarray,
        settings: SweepSettings,
    ) -> None:
        beta, factors = settings.divergence, (Factor(W), Factor(H.T))
        problem = Problem(V, None, Product(), beta, factors, (True, True), settings.scale)
        self._settings = settings
        super().__init__(problem, beta, [W, H.T])
        self._exponents = settings.exponents[0], settings.exponents[1]
        if W_next is not W:
            self._W_next = self._packed(W_next)

    def _begin(self) -> None:
        """Do nothing: the only sweep is that of `run`."""

    def _gram_in_range(self, factors: Sequence[np.ndarray]) -> bool:
        return self._settings.gram

    def run(self, *, update: bool, want_loss: bool) -> tuple[Sums, np.ndarray]:
        """Return the sums, and H [shape=(time, component)], updated if `update`."""
        self._sweep(update=update, want_loss=want_loss)
        rank = self._W_shape[-1]
        squares = sum_chunks(self._squares, self._shards)[:rank, :rank] if self._gram else _EMPTY
        misfit = self._misfit() if want_loss else 0.0
        pos = self._unpacked(self._sum_of_BHt()) if self._pos.size else _EMPTY
        neg, of_H = self._unpacked(self._negative_part()), sum_chunks(self._sums, self._shards)
        return Sums(neg, pos, of_H, squares, np.array([misfit])), self._H
