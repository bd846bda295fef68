"""Checks of the results of structures, divergences and penalties.

Shapes and dtypes are checked at every call, since kernels read arrays of the sizes that they are
told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmfaudio._common.validation import shown
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.penalties import Terms


def method_of(subject: Any, method: str) -> str:
    """Name of a method in messages: ``Class.method``."""
    return f"{type(subject).__name__}.{method}"


def as_array(result: Any, label: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return the result of a callback after a check of its type, shape and dtype.

    Parameters
    ----------
    result : object
        Returned by the callback.
    label : str
        Class and method, for messages.
    shape : tuple of int
        Shape that is needed.
    dtype : np.dtype
        Dtype that is needed.

    Returns
    -------
    np.ndarray
        The result itself.

    Raises
    ------
    ShapeError
        The shape is another one.
    ParameterError
        It is not an array, or has another dtype.
    """
    if not isinstance(result, np.ndarray):
        raise ParameterError(f"{label} returned {type(result).__name__}; it must return an array")
    if result.shape != shape:
        raise ShapeError(f"{label} returned shape {result.shape}; it must return {shape}")
    if result.dtype != dtype:
        raise ParameterError(
            f"{label} returned {result.dtype} for {dtype}; it must keep the dtype, e.g. with "
            f".astype({dtype})"
        )
    return result


def as_cost(value: Any, label: str) -> float:
    """Return a cost as a float; `ParameterError` unless it is a finite number."""
    if np.ndim(value) != 0 or not isinstance(value, int | float | np.number | np.ndarray):
        raise ParameterError(f"{label} returned {shown(value)}; it must return a finite number")
    if not np.isfinite(value):
        raise ParameterError(f"{label} returned {value}; it must return a finite number")
    return float(value)


def as_terms(terms: Any, penalty: Any, F: np.ndarray) -> Terms:
    """Return the terms of a penalty after a check that each broadcasts to the factor."""
    label = method_of(penalty, "majorize")
    if not isinstance(terms, Terms):
        raise ParameterError(f"{label} returned {type(terms).__name__}; it must return Terms")
    for name, term in terms._asdict().items():
        try:
            fits = np.broadcast_shapes(np.shape(term), F.shape) == F.shape
        except ValueError:
            fits = False
        if not fits:
            raise ShapeError(
                f"{label} returned a {name} term of shape {np.shape(term)}, which does not "
                f"broadcast to the factor's {F.shape}"
            )
    return terms


def require_axes(structure: Any, X: Sequence[np.ndarray]) -> None:
    """`ParameterError` unless component axes and scale carriers are those of the factors."""
    axes, carriers = structure.component_axes(len(X)), structure.scale_carriers(len(X))
    fit = len(axes) == len(X) and all(
        axis is None or -F.ndim <= axis < F.ndim for axis, F in zip(axes, X, strict=True)
    )
    if not fit:
        raise ParameterError(
            f"{method_of(structure, 'component_axes')} returned {axes} for factors of shapes "
            f"{[F.shape for F in X]}; it must return one axis of each, or None"
        )
    if not carriers or not all(0 <= i < len(X) for i in carriers):
        raise ParameterError(
            f"{method_of(structure, 'scale_carriers')} returned {carriers} for {len(X)} factors; "
            "it must return indices of factors"
        )


def require_exponents(divergence: Any) -> None:
    """`ParameterError` unless the exponents of a divergence are p ≥ 0 ≥ q."""
    exponents = divergence.exponents
    is_pair = isinstance(exponents, tuple | list) and len(exponents) == 2
    numeric = int | float | np.integer | np.floating
    if not (
        is_pair
        and all(isinstance(value, numeric) for value in exponents)
        and 0 <= exponents[0] < np.inf
        and -np.inf < exponents[1] <= 0
    ):
        raise ParameterError(
            f"{method_of(divergence, 'exponents')} is {exponents}; it must be (p, q) with p ≥ 0 ≥ q"
        )


def require_non_negative(array: np.ndarray, label: str) -> None:
    """`ParameterError` for values that are negative or not finite."""
    low, high = array.min(), array.max()
    if not (low >= 0 and high < np.inf):  # NaN makes both comparisons false
        raise ParameterError(
            f"{label} has values from {low:g} to {high:g}; all must be finite and ≥ 0"
        )


def require_valid_terms(terms: Terms, penalty: Any) -> None:
    """`ParameterError` unless terms are finite, and all but the linear one ≥ 0."""
    label = method_of(penalty, "majorize")
    if not np.isfinite(terms.linear).all():
        raise ParameterError(f"{label} returned a linear term that is not finite")
    for name in ("quadratic", "log", "inverse"):
        require_non_negative(np.asarray(getattr(terms, name)), f"the {name} term of {label}")
