"""Base class of the estimators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from nmfaudio._common.extras import missing_extra

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import (
        check_array,
        check_is_fitted,
        check_non_negative,
        validate_data,
    )
except ImportError as error:
    raise missing_extra("sklearn", "estimators") from error

from nmfaudio._common.validation import as_count
from nmfaudio.factorisation.divergences import Divergence, divergence_named
from nmfaudio.factorisation.online import activations
from nmfaudio.factorisation.penalties import Penalty
from nmfaudio.factorisation.structures import Product, Structure

# Multiplicative updates in `transform`: a fixed number, so that samples do not affect one another.
UPDATES = 200


class Estimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """Estimator whose subclasses implement `_learn`."""

    n_components: int | str | None
    beta_loss: str | float | Divergence
    random_state: Any
    components_: np.ndarray
    n_iter_: int

    def fit(self, X: Any, y: Any = None) -> Any:
        """Learn the components of X.

        Parameters
        ----------
        X : array_like [shape=(sample, feature)]
            Non-negative, dense.
        y : object
            Ignored.

        Returns
        -------
        Estimator
            The estimator itself.
        """
        self.fit_transform(X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Learn the components of X and return its activations, as `transform` does.

        Parameters
        ----------
        X : array_like [shape=(sample, feature)]
            Non-negative, dense.
        y : object
            Ignored.

        Returns
        -------
        np.ndarray [shape=(sample, component)]
        """
        V = self._as_V(X, reset=True)
        self.components_, self.n_iter_ = self._learn(V)
        H = self._activations(V)
        self.reconstruction_err_ = float(np.sqrt(2 * max(self._misfit(V, H), 0.0)))
        return H.T

    def transform(self, X: Any) -> np.ndarray:
        """Compute the activations of the learned components.

        Parameters
        ----------
        X : array_like [shape=(sample, feature)]
            Non-negative, dense; training data or other samples.

        Returns
        -------
        np.ndarray [shape=(sample, component)]
        """
        check_is_fitted(self)
        return self._activations(self._as_V(X, reset=False)).T

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Compute the model from activations.

        Parameters
        ----------
        X : array_like [shape=(sample, component)]
            Activations, as `transform` returns them.

        Returns
        -------
        np.ndarray [shape=(sample, feature)]

        Raises
        ------
        ShapeError
            X does not have one column per component.
        """
        check_is_fitted(self)
        H = check_array(X, dtype=self.components_.dtype).T
        structure, W = self._structure(), self._W()
        structure.shape((W, H))
        return structure.forward((W, H)).T

    def score(self, X: Any, y: Any = None) -> float:
        """Compute the negative mean divergence of the model from X; higher is better.

        Parameters
        ----------
        X : array_like [shape=(sample, feature)]
            Non-negative, dense.
        y : object
            Ignored.

        Returns
        -------
        float
        """
        check_is_fitted(self)
        V = self._as_V(X, reset=False)
        return -self._misfit(V, self._activations(V)) / V.size

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    @abstractmethod
    def _learn(self, V: np.ndarray) -> tuple[np.ndarray, int]:
        """Learn `components_` from V; return them and the number of iterations."""

    def _structure(self) -> Structure:
        """Structure of the model."""
        return Product()

    def _penalties(self) -> tuple[Penalty, ...]:
        """Penalties on the activations."""
        return ()

    def _W(self) -> np.ndarray:
        """Templates in the shape that the structure expects."""
        return self.components_.T

    def _divergence(self) -> Divergence:
        return divergence_named(self.beta_loss)

    def _activations(self, V: np.ndarray) -> np.ndarray:
        """Activations [shape=(component, sample)] for the learned templates."""
        return activations(
            V,
            self._W(),
            self._divergence(),
            structure=self._structure(),
            penalties=self._penalties(),
            max_iter=UPDATES,
        )

    def _misfit(self, V: np.ndarray, H: np.ndarray) -> float:
        """Divergence of the model from V."""
        divergence, model = self._divergence(), self._structure().forward((self._W(), H))
        return divergence.value(divergence.prepare(V, None), model, None)

    def _as_V(self, X: Any, *, reset: bool) -> np.ndarray:
        """V [shape=(feature, sample)] from validated samples."""
        checked = validate_data(self, X, reset=reset, dtype=[np.float64, np.float32])
        check_non_negative(checked, f"{type(self).__name__} (input X)")
        return np.asfortranarray(checked.T)

    def _rank(self, V: np.ndarray) -> int:
        """Number of components."""
        if self.n_components in (None, "auto"):
            return int(min(V.shape))
        return int(as_count(self.n_components, "n_components", low=1))

    def _seed(self) -> int:
        """Seed drawn from `random_state`."""
        return int(check_random_state(self.random_state).randint(2**31))
