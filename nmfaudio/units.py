"""Penalties on a model whose templates have norm 1, without constraining the updates.

With w_k the components of the factors that have `Factor.unit`, and h_k those of the factor that
carries the scale, penalties are taken of ``‖w_k‖ · h_k`` instead of h_k. Dividing w_k by its norm
and multiplying h_k by it then changes neither the model nor any penalty. So the factors move
freely, the objective never rises, and the norm is made 1 once at the end (Marmin, Goulart & Févotte
2023, doi:10.1109/TSP.2023.3296035).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.errors import ParameterError
from nmfaudio.factors import Factor
from nmfaudio.penalties import Terms
from nmfaudio.structures import Structure


@dataclass(frozen=True, eq=False)
class Units:
    """The unit norms among some factors, and what they do to the penalties of the others."""

    structure: Structure
    factors: tuple[Factor, ...]

    def __bool__(self) -> bool:
        return any(f.unit for f in self.factors)

    @property
    def carrier(self) -> int:
        """The factor that takes the scale: the last that has components and no norm to keep."""
        able = [i for i, f in enumerate(self.factors) if self._axes()[i] is not None and not f.unit]
        if not able:
            raise ParameterError("every factor has unit; leave one without, to carry the scale")
        return able[-1]

    def check(self, X: Sequence[np.ndarray], free: Sequence[bool | np.ndarray]) -> None:
        """`ParameterError` where the norms cannot be kept."""
        for f, axis in zip(self.factors, self._axes(), strict=True):
            if axis is None and f.unit:
                raise ParameterError(
                    "unit is for factors that have components, and one of these has none; "
                    "leave unit=None"
                )
        last = self.carrier
        held = ~np.broadcast_to(np.asarray(free[last]), X[last].shape)
        if (X[last][held] != 0).any():
            raise ParameterError(
                "unit on one factor moves its scale to another, of which entries are fixed; "
                "leave that one free (exact zeros may be fixed) or unit=None"
            )

    def normalised(self, X: Sequence[np.ndarray]) -> list[np.ndarray]:
        """X with the norms made 1 and the scale moved to the carrier."""
        out = list(X)
        for i, f in enumerate(self.factors):
            if f.unit:
                norm = self._along(i, X[i], self._norm(i, X[i])).astype(X[i].dtype)
                out[i] = np.divide(X[i], norm, out=X[i].copy(), where=norm > 0)
        last = self.carrier
        out[last] = X[last] * self._along(last, X[last], self._norms(X)).astype(X[last].dtype)
        return out

    def carried(self, terms: Terms, X: Sequence[np.ndarray]) -> Terms:
        """Terms on the carrier of the normalised model, as terms on the carrier of X."""
        last = self.carrier
        norms = np.maximum(self._norms(X), 2.0**-120)
        n = self._along(last, X[last], norms)
        return Terms(terms.lin * n, terms.quad * n**2, terms.pull, terms.push / n)

    def coupled(self, i: int, terms: Terms, X: Sequence[np.ndarray]) -> Terms:
        """Terms on the carrier Z of the normalised model, as terms on factor `i`, which has a norm.

        While the other norms stay put, component k of Z grows by ρ = ‖w_k‖ / ‖w̃_k‖, and its cost is
        at most ``A·ρ + B/2·ρ² − C·log ρ + E/ρ`` with sums A, B, C, E over the component. With
        v = w / w̃, ρ = Σ α v for α = w̃ / ‖w̃‖₁ and ρ² = Σ α v² for α = w̃² / ‖w̃‖₂²: convexity bounds
        each term entry by entry, and where A > 0, ρ ≤ ρ²/2 + ½ does for the second norm.
        """
        W = X[i].astype(np.float64)
        tiny = 2.0**-120  # small enough to matter to nobody, large enough to divide by twice
        A, B, C, E = (self._along(i, W, total) for total in self._totals(terms, X))
        norm = np.maximum(self._along(i, W, self._norm(i, X[i])), tiny)
        if self.factors[i].unit == "l1":
            share = W / norm
            return Terms(A / norm, B / (norm * np.maximum(W, tiny)), C * share, E * share * W)
        share = (W / norm) ** 2
        lin, quad = np.minimum(A, 0.0) * W / norm**2, (np.maximum(A, 0.0) + B) / norm**2
        return Terms(lin, quad, C * share, E * share * W)

    def _totals(self, terms: Terms, X: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Per component, what each term says of multiplying the carrier by a number."""
        last = self.carrier
        Z = self.normalised(X)[last].astype(np.float64)
        inverse = np.divide(1.0, Z, out=np.zeros_like(Z), where=Z > 0)
        entries = (terms.lin * Z, terms.quad * Z**2, terms.pull * (Z > 0), terms.push * inverse)
        return [self._columns(last, np.broadcast_to(e, Z.shape)).sum(1) for e in entries]

    def _axes(self) -> tuple[int | None, ...]:
        return self.structure.component_axes(len(self.factors))

    def _columns(self, i: int, F: np.ndarray) -> np.ndarray:
        """Factor `i` as (component, everything else)."""
        moved = np.moveaxis(F, self._axes()[i] or 0, 0)
        return moved.reshape(len(moved), -1).astype(np.float64)

    def _norm(self, i: int, F: np.ndarray) -> np.ndarray:
        columns = self._columns(i, F)
        if self.factors[i].unit == "l1":
            return np.asarray(columns.sum(1))
        return np.asarray(np.sqrt((columns**2).sum(1)))

    def _norms(self, X: Sequence[np.ndarray]) -> np.ndarray:
        """Per component, the product of the norms of the unit factors."""
        norms = [self._norm(i, X[i]) for i, f in enumerate(self.factors) if f.unit]
        return np.asarray(np.prod(norms, axis=0))

    def _along(self, i: int, F: np.ndarray, per_component: np.ndarray) -> np.ndarray:
        """Numbers per component, shaped to broadcast against factor `i`."""
        shape = [1] * F.ndim
        shape[self._axes()[i] or 0] = -1
        return per_component.reshape(shape)
