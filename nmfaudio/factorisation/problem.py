"""Optimisation problem that solvers receive: data, model, free entries and penalties."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.factorisation.contracts import as_array, as_terms, method_of
from nmfaudio.factorisation.divergences import Divergence
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.penalties import Terms
from nmfaudio.factorisation.structures import Structure
from nmfaudio.factorisation.unit_norms import UnitNorms


@dataclass(frozen=True, eq=False)
class Problem:
    """Minimise ``divergence(V, structure(X), weights) + Σ penalties`` over the free entries of X.

    V may have been divided by `scale`, a power of two; then so were the structure's
    `scale_carriers`. Penalties are always evaluated on factors at the caller's scale, and
    `majorize` converts them to that of V, so that solvers need not know the scale.

    Parameters
    ----------
    V : np.ndarray [shape=(…, freq, time)]
        Data, as the divergence prepared it.
    weights : np.ndarray or None
        Weights in the shape of V; V is 0 in bins of weight 0.
    structure : Structure
        Model of V as a function of the factors.
    divergence : Divergence
        Divergence of the model from V.
    factors : tuple of Factor
        Penalties and norms of the factors.
    free : tuple of bool or np.ndarray
        Free entries of each factor, as booleans in its shape, True or False.
    scale : float
        Power of two that V was divided by.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.random((20, 3)), rng.random((3, 30))]
    >>> problem = na.factorisation.Problem(
    ...     X[0] @ X[1], None, na.structures.Product(), na.Beta(2),
    ...     tuple(na.Factor(F) for F in X), (True, True))
    >>> round(problem.loss(X), 9)
    0.0
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
        """Indices of the factors that carry the scale of the model."""
        return self.structure.scale_carriers(len(self.factors))

    def scaled(self, X: Sequence[np.ndarray], by: float) -> list[np.ndarray]:
        """Return the factors of the model multiplied by a number.

        Parameters
        ----------
        X : sequence of np.ndarray
            Factors.
        by : float
            Number that the scale-carrying factors are multiplied by.

        Returns
        -------
        list of np.ndarray
        """
        if by == 1:
            return list(X)
        return [F * F.dtype.type(by) if i in self.scale_carriers else F for i, F in enumerate(X)]

    @property
    def units(self) -> UnitNorms:
        """Unit norms of the factors; False if there are none."""
        return UnitNorms(self.structure, self.factors)

    def loss(self, X: Sequence[np.ndarray], misfit: float | None = None) -> float:
        """Compute the objective at the caller's scale.

        Parameters
        ----------
        X : sequence of np.ndarray
            Factors at the scale of V.
        misfit : float, optional
            Divergence at X, if known.

        Returns
        -------
        float
        """
        if misfit is None:
            misfit = self.divergence.value(self.V, self.model(X), self.weights)
        return misfit * self.cost_scale + self._penalty(self._at_caller_scale(X))

    @property
    def cost_scale(self) -> float:
        """Factor that converts a divergence from the scale of V to the caller's: scale^degree."""
        return self._scale_to(self.divergence.degree or 0.0)

    def gradient_parts(self, i: int, X: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Split the gradient of the divergence with respect to a factor into non-negative parts.

        Parameters
        ----------
        i : int
            Index of the factor.
        X : sequence of np.ndarray
            Factors at the scale of V.

        Returns
        -------
        negative, positive : np.ndarray
            Arrays in the shape of the factor; the gradient is ``positive − negative``.
        """
        halves = self.divergence.gradient_parts(self.V, self.model(X), self.weights)
        label = method_of(self.divergence, "gradient_parts")
        A, B = (as_array(half, label, self.V.shape, self.V.dtype) for half in halves)
        label, shape = method_of(self.structure, "adjoint"), X[i].shape
        return (
            as_array(self.structure.adjoint(i, A, X), label, shape, A.dtype),
            as_array(self.structure.adjoint(i, B, X), label, shape, B.dtype),
        )

    def model(self, X: Sequence[np.ndarray]) -> np.ndarray:
        """Compute the model of V.

        Parameters
        ----------
        X : sequence of np.ndarray
            Factors at the scale of V.

        Returns
        -------
        np.ndarray [shape=(…, freq, time)]

        Raises
        ------
        ShapeError, ParameterError
            The structure returned an array of another shape or dtype than V's.
        """
        label = method_of(self.structure, "forward")
        return as_array(self.structure.forward(X), label, self.V.shape, self.V.dtype)

    def majorize(self, i: int, X: Sequence[np.ndarray]) -> Terms | None:
        """Compute the majoriser of the penalties on a factor, at the scale of V.

        Parameters
        ----------
        i : int
            Index of the factor.
        X : sequence of np.ndarray
            Factors at the scale of V.

        Returns
        -------
        Terms or None
            None if nothing penalises the factor.
        """
        if not self.is_penalised(i):
            return None
        source = self._penalised_factor(i)
        unscaled = self._at_caller_scale(X)
        terms = self._terms(source, self.units.normalised(unscaled) if self.units else unscaled)
        if source != i:
            terms = self.units.coupled(i, terms, unscaled)
        elif self.units and i == self.units.carrier:
            terms = self.units.carried(terms, unscaled)
        size = 1.0 if i in self.scale_carriers else 0.0
        cost = self.divergence.degree or 0.0
        return Terms(
            terms.linear * self._scale_to(size - cost),
            terms.quadratic * self._scale_to(2 * size - cost),
            terms.log * self._scale_to(-cost),
            terms.inverse * self._scale_to(-size - cost),
        )

    def is_penalised(self, i: int) -> bool:
        """Return whether a penalty depends on a factor: its own, or one on the carrier of its norm.

        Parameters
        ----------
        i : int
            Index of the factor.

        Returns
        -------
        bool
        """
        return bool(self.factors[self._penalised_factor(i)].penalties)

    def _penalised_factor(self, i: int) -> int:
        """Index of the factor whose penalties depend on factor `i`."""
        return self.units.carrier if self.factors[i].unit else i

    def _terms(self, i: int, X: Sequence[np.ndarray]) -> Terms:
        """Sum of the majorisers of the penalties on factor `i`."""
        all_terms = [as_terms(p.majorize(X[i], X), p, X[i]) for p in self.factors[i].penalties]
        return Terms(*(sum(parts) for parts in zip(*all_terms, strict=True)))

    def _penalty(self, X: Sequence[np.ndarray]) -> float:
        """Sum of all penalties at the caller's scale."""
        if not any(f.penalties for f in self.factors):
            return 0.0
        if self.units:
            X = self.units.normalised(X)
        return float(
            sum(p.value(F, X) for F, f in zip(X, self.factors, strict=True) for p in f.penalties)
        )

    def _at_caller_scale(self, X: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Factors at the caller's scale."""
        return self.scaled(X, self.scale)

    def _scale_to(self, power: float) -> float:
        """Power of the scale, clipped to the range of float64."""
        return float(2.0 ** min(max(power * math.log2(self.scale), -1000.0), 1000.0))
