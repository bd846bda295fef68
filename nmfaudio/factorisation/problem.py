"""What a solver is given: the data, the model, and what each factor may do and costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.factorisation.divergences import Divergence
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.penalties import Terms
from nmfaudio.factorisation.structures import Structure
from nmfaudio.factorisation.unit_norms import UnitNorms


@dataclass(frozen=True, eq=False)
class Problem:
    """Minimise ``divergence(V, structure(X), weights) + Σ penalties`` over the free entries of X.

    V may have been divided by `scale`, a power of two; then so were the structure's
    `scale_carriers`. Penalties are always evaluated on factors in the caller's scale, and
    `majorize` gives them in that of V, so that a solver need not know.

    Attributes
    ----------
    V : np.ndarray [shape=(…, freq, time)]
    weights : np.ndarray or None
        Shaped like V; bins of weight 0 hold 0 in V.
    free : tuple of bool or np.ndarray
        Per factor, shaped like it unless True or False.
    """

    V: np.ndarray
    weights: np.ndarray | None
    structure: Structure
    divergence: Divergence
    factors: tuple[Factor, ...]
    free: tuple[bool | np.ndarray, ...]
    scale: float = 1.0

    @property
    def scale_carriers(self) -> tuple[int, ...]:
        return self.structure.scale_carriers(len(self.factors))

    def scaled(self, X: Sequence[np.ndarray], by: float) -> list[np.ndarray]:
        """X for a model `by` times as loud."""
        if by == 1:
            return list(X)
        return [F * F.dtype.type(by) if i in self.scale_carriers else F for i, F in enumerate(X)]

    @property
    def units(self) -> UnitNorms:
        return UnitNorms(self.structure, self.factors)

    def loss(self, X: Sequence[np.ndarray], misfit: float | None = None) -> float:
        """The objective at X in the caller's scale; `misfit`, if known, is the divergence there."""
        if misfit is None:
            misfit = self.divergence.value(self.V, self.structure.forward(X), self.weights)
        return misfit * self.cost_scale + self._penalty(self._own_scale(X))

    @property
    def cost_scale(self) -> float:
        """How many of the caller's units of cost one of V's is."""
        return self._scale_to(self.divergence.degree or 0.0)

    def gradient_parts(self, i: int, X: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Non-negative arrays (neg, pos) like factor `i` with ∂divergence/∂X[i] = pos − neg."""
        Y = self.structure.forward(X)
        A, B = self.divergence.gradient_parts(self.V, Y, self.weights)
        return self.structure.adjoint(i, A, X), self.structure.adjoint(i, B, X)

    def majorize(self, i: int, X: Sequence[np.ndarray]) -> Terms | None:
        """The terms of all that penalises factor `i`, None where nothing does."""
        source = self.units.carrier if self.factors[i].unit else i
        if not self.factors[source].penalties:
            return None
        own = self._own_scale(X)
        terms = self._terms(source, self.units.normalised(own) if self.units else own)
        if source != i:
            terms = self.units.coupled(i, terms, own)
        elif self.units and i == self.units.carrier:
            terms = self.units.carried(terms, own)
        size = 1.0 if i in self.scale_carriers else 0.0
        cost = self.divergence.degree or 0.0
        return Terms(
            terms.linear * self._scale_to(size - cost),
            terms.quadratic * self._scale_to(2 * size - cost),
            terms.log * self._scale_to(-cost),
            terms.inverse * self._scale_to(-size - cost),
        )

    def _terms(self, i: int, X: Sequence[np.ndarray]) -> Terms:
        """The sum of what the penalties of factor `i` majorise to."""
        all_terms = [p.majorize(X[i], X) for p in self.factors[i].penalties]
        return Terms(*(sum(parts) for parts in zip(*all_terms, strict=True)))

    def _penalty(self, X: Sequence[np.ndarray]) -> float:
        if not any(f.penalties for f in self.factors):
            return 0.0
        if self.units:
            X = self.units.normalised(X)
        return float(
            sum(p.value(F, X) for F, f in zip(X, self.factors, strict=True) for p in f.penalties)
        )

    def _own_scale(self, X: Sequence[np.ndarray]) -> list[np.ndarray]:
        return self.scaled(X, self.scale)

    def _scale_to(self, power: float) -> float:
        """The scale to a power, within what a double can hold."""
        return float(2.0 ** min(max(power * math.log2(self.scale), -1000.0), 1000.0))
