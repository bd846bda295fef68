"""Penalties on a model whose templates have norm 1, without constrained updates.

With w_k the components of the factors that have `Factor.unit`, and h_k those of the factor that
carries the scale, penalties apply to ``‖w_k‖ · h_k`` instead of h_k. Dividing w_k by its norm and
multiplying h_k by it then changes neither the model nor any penalty. So the factors are updated
without constraint, the objective never increases, and the factors are normalised once at the end
(Marmin, Goulart & Févotte 2023, doi:10.1109/TSP.2023.3296035).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.penalties import Terms
from nmfaudio.factorisation.structures import Structure

SPREAD = 0.1  # share of γ in `UnitNorms.coupled` that is uniform, so that no γ is 0


@dataclass(frozen=True, eq=False)
class UnitNorms:
    """Unit norms of some factors, and their effect on penalties of the factor of the scale."""

    structure: Structure
    factors: tuple[Factor, ...]

    def __bool__(self) -> bool:
        return any(f.unit for f in self.factors)

    @property
    def carrier(self) -> int:
        """Index of the factor that carries the scale: the last with components and no `unit`."""
        candidates = [
            i for i, f in enumerate(self.factors) if self._axes()[i] is not None and not f.unit
        ]
        if not candidates:
            raise ParameterError(
                "every factor that component_axes gives an axis has unit; leave one of these "
                "without, to carry the scale"
            )
        return candidates[-1]

    def check(self, X: Sequence[np.ndarray], free: Sequence[bool | np.ndarray]) -> None:
        """Raise `ParameterError` if the factors cannot be normalised."""
        for f, axis in zip(self.factors, self._axes(), strict=True):
            if axis is None and f.unit:
                raise ParameterError(
                    "unit needs a factor with components, and one of these has none; "
                    "leave unit=None"
                )
        last = self.carrier
        fixed = ~np.broadcast_to(np.asarray(free[last]), X[last].shape)
        if (X[last][fixed] != 0).any():
            raise ParameterError(
                "unit moves the scale of a factor to another one, which has fixed entries; "
                "leave that one free (exact zeros may be fixed) or unit=None"
            )

    def normalised(self, X: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return X with norms of 1 and the scale moved to the carrier."""
        out = list(X)
        for i, f in enumerate(self.factors):
            if f.unit:
                norm = self._along(i, X[i], self._norm(i, X[i])).astype(X[i].dtype)
                out[i] = np.divide(X[i], norm, out=X[i].copy(), where=norm > 0)
        last = self.carrier
        out[last] = X[last] * self._along(last, X[last], self._norms(X)).astype(X[last].dtype)
        return out

    def carried(self, terms: Terms, X: Sequence[np.ndarray]) -> Terms:
        """Convert terms on the carrier of the normalised model to terms on the carrier of X."""
        last = self.carrier
        n = self._along(last, X[last], np.maximum(self._norms(X), 2.0**-900))
        return Terms(terms.linear * n, terms.quadratic * n**2, terms.log, terms.inverse / n)

    def coupled(self, i: int, terms: Terms, X: Sequence[np.ndarray]) -> Terms:
        """Convert terms on the carrier Z of the normalised model to terms on unit factor `i`.

        For constant other norms, component k of Z grows by ρ = ‖w_k‖ / ‖w̃_k‖, and its cost is
        at most ``A·ρ + B/2·ρ² − C·log ρ + E/ρ`` with sums A, B, C, E over the component. With
        v = w / w̃, ρ = Σ α v for α = w̃ / ‖w̃‖₁ and ρ² = Σ α v² for α = w̃² / ‖w̃‖₂²: convexity bounds
        each term entry by entry. For the second norm and A > 0, ρ ≤ ρ²/2 + ½ bounds the linear
        term; for the square of the first norm, ``(ρ − 1)² ≤ Σ (w − w̃)² / (γ ‖w̃‖₁²)`` with any
        γ > 0 that sum to 1, here a mixture of α and a uniform share.
        """
        W = X[i].astype(np.float64)
        norm = self._along(i, W, self._norm(i, X[i]))
        norm = np.where(norm > 0, norm, 1.0)
        share = W / norm
        # A / ‖w̃‖, B / ‖w̃‖², C and E · ‖w̃‖, which stay in range while a component vanishes.
        A, B, C, E = (self._along(i, W, total) for total in self._totals(i, terms, X))
        if self.factors[i].unit == "l1":
            quadratic = B * (1 + SPREAD) / (share + SPREAD / self._columns(i, W).shape[1])
            return Terms(A + B * norm - quadratic * W, quadratic, C * share, E * share**2)
        linear, quadratic = np.minimum(A, 0.0) * share, np.maximum(A, 0.0) / norm + B
        return Terms(linear, quadratic, C * share**2, E * share**3)

    def _totals(self, i: int, terms: Terms, X: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Sum of each term on the carrier over a component, for factor `i` of norm 1."""
        last = self.carrier
        others = [self._norm(j, X[j]) for j, f in enumerate(self.factors) if f.unit and j != i]
        Z = X[last] * self._along(last, X[last], np.prod(others, axis=0))
        inverse = np.divide(1.0, np.maximum(Z, 2.0**-1000), out=np.zeros_like(Z), where=Z > 0)
        entries = (
            terms.linear * Z,
            terms.quadratic * Z**2,
            terms.log * (Z > 0),
            terms.inverse * inverse,
        )
        return [self._columns(last, np.broadcast_to(e, Z.shape)).sum(1) for e in entries]

    def _axes(self) -> tuple[int | None, ...]:
        """Component axis of each factor."""
        return self.structure.component_axes(len(self.factors))

    def _columns(self, i: int, F: np.ndarray) -> np.ndarray:
        """Factor `i` reshaped to (component, entry)."""
        moved = np.moveaxis(F, self._axes()[i] or 0, 0)
        return moved.reshape(len(moved), -1).astype(np.float64)

    def _norm(self, i: int, F: np.ndarray) -> np.ndarray:
        """Norm of each component of factor `i` [shape=(component,)]."""
        columns = self._columns(i, F)
        if self.factors[i].unit == "l1":
            return np.asarray(columns.sum(1))
        # Scaled by a power of two, so that the squares of a vanishing component do not underflow.
        exponent = np.frexp(columns.max(1))[1]
        squares = np.ldexp(columns, -exponent[:, None]) ** 2
        return np.asarray(np.ldexp(np.sqrt(squares.sum(1)), exponent))

    def _norms(self, X: Sequence[np.ndarray]) -> np.ndarray:
        """Product of the norms of all unit factors [shape=(component,)]."""
        norms = [self._norm(i, X[i]) for i, f in enumerate(self.factors) if f.unit]
        return np.asarray(np.prod(norms, axis=0))

    def _along(self, i: int, F: np.ndarray, per_component: np.ndarray) -> np.ndarray:
        """Values per component, reshaped to broadcast against factor `i`."""
        shape = [1] * F.ndim
        shape[self._axes()[i] or 0] = -1
        return per_component.reshape(shape)
