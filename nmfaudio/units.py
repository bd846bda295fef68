"""Penalties on a model whose templates have norm 1, without constraining the updates.

With w_k the components of the factors that have `Factor.unit`, h_k those of a penalised factor and
p a penalty of degree d, the cost ``D(V | WH) + Σ_k ‖w_k‖^d · p(h_k)`` has the minima of
``D(V | WH) + Σ_k p(h_k)`` under ``‖w_k‖ = 1``: dividing w_k by its norm and multiplying h_k by it
changes neither term. So the factors move freely, the objective never rises, and the norm is made 1
once at the end (Marmin, Goulart & Févotte 2023, doi:10.1109/TSP.2023.3296035).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.errors import ParameterError
from nmfaudio.factors import Factor
from nmfaudio.penalties import Penalty, Terms
from nmfaudio.structures import Structure


@dataclass(frozen=True, eq=False)
class Units:
    """The unit norms among some factors, and what they do to the penalties of the others."""

    structure: Structure
    factors: tuple[Factor, ...]

    def __bool__(self) -> bool:
        return any(f.unit for f in self.factors)

    def check(self, X: Sequence[np.ndarray], free: Sequence[bool | np.ndarray]) -> None:
        """`ParameterError` where the norms cannot be kept."""
        for f, axis in zip(self.factors, self._axes(), strict=True):
            if axis is None and (f.unit or f.penalties):
                raise ParameterError(
                    "unit, and penalties beside it, are for factors that have components, and one "
                    "of these has none; leave unit=None"
                )
        last = self._absorber()
        held = ~np.broadcast_to(np.asarray(free[last]), X[last].shape)
        if (X[last][held] != 0).any():
            raise ParameterError(
                "unit on one factor moves its scale to another, of which entries are fixed; "
                "leave that one free (exact zeros may be fixed) or unit=None"
            )
        for f in self.factors:
            for p in f.penalties:
                if p.degree not in (1, 2):
                    raise ParameterError(
                        f"{type(p).__name__} is not of degree 1 or 2, which unit needs; "
                        "leave unit=None or choose another penalty"
                    )

    def normalised(self, X: Sequence[np.ndarray]) -> list[np.ndarray]:
        """X with the norms made 1 and the scale moved to the last factor that has components."""
        out = list(X)
        for i, f in enumerate(self.factors):
            if f.unit:
                norm = self._along(i, X[i], self._norm(i, X[i])).astype(X[i].dtype)
                out[i] = np.divide(X[i], norm, out=X[i].copy(), where=norm > 0)
        last = self._absorber()
        out[last] = X[last] * self._along(last, X[last], self._norms(X)).astype(X[last].dtype)
        return out

    def value(self, X: Sequence[np.ndarray]) -> float:
        """All penalties, on the normalised model."""
        norms = self._norms(X)
        return float(
            sum(
                (self._values(i, p, X) * norms ** (p.degree or 0)).sum()
                for i, f in enumerate(self.factors)
                for p in f.penalties
            )
        )

    def penalised(self, i: int, X: Sequence[np.ndarray]) -> Terms:
        """What the penalties of factor `i`, which has no unit norm, majorise to."""
        norms = self._norms(X)
        lin, quad, pull = np.zeros((3, *X[i].shape), X[i].dtype)
        for p in self.factors[i].penalties:
            gain = self._along(i, X[i], norms ** (p.degree or 0))
            more = p.majorize(X[i], X)
            lin, quad, pull = (t + gain * m for t, m in zip((lin, quad, pull), more, strict=True))
        return lin, quad, pull

    def coupled(self, i: int, X: Sequence[np.ndarray]) -> Terms:
        """What all penalties majorise to as functions of factor `i`, which has a unit norm.

        The norms of the other unit factors stay put, so with n = ‖w_k‖ the cost is c · n^d. It is
        linear for ("l1", d = 1), quadratic for ("l2", 2), and bounded for ("l2", 1) by
        n ≤ n²/2ñ + ñ/2 and for ("l1", 2) by n² ≤ ñ · Σ w² / w̃, both tight at w̃.
        """
        W, unit = X[i], self.factors[i].unit
        own = self._norm(i, W)
        others = np.divide(self._norms(X), own, out=np.zeros_like(own), where=own > 0)
        lin, quad = np.zeros((2, *W.shape))
        for j, f in enumerate(self.factors):
            for p in f.penalties:
                degree = p.degree or 0
                cost = self._along(i, W, self._values(j, p, X) * others**degree)
                norm = np.maximum(self._along(i, W, own), np.finfo(W.dtype).tiny)
                if degree == 1 and unit == "l1":
                    lin += cost
                elif degree == 1:
                    quad += cost / norm
                elif unit == "l2":
                    quad += 2 * cost
                else:
                    quad += 2 * cost * norm / np.maximum(W, np.finfo(W.dtype).tiny)
        return lin, quad, 0.0

    def _axes(self) -> tuple[int | None, ...]:
        return self.structure.component_axes(len(self.factors))

    def _absorber(self) -> int:
        able = [i for i, f in enumerate(self.factors) if self._axes()[i] is not None and not f.unit]
        if not able:
            raise ParameterError("every factor has unit; leave one without, to carry the scale")
        return able[-1]

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

    def _values(self, i: int, p: Penalty, X: Sequence[np.ndarray]) -> np.ndarray:
        """The penalty of each component of factor `i`."""
        axis = self._axes()[i] or 0
        each = np.split(X[i], X[i].shape[axis], axis=axis)
        return np.array([p.value(one, X) for one in each])
