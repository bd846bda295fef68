"""Validation of spectrograms and weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmfaudio.errors import ContentError, ParameterError, ShapeError


def as_spectrogram(
    V: Any, *, weights: Any = None, missing: str | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return V and its weights as float arrays of one shape, with V = 0 where the weight is 0.

    Both are in Fortran order, so that results do not depend on V's memory layout. V itself is
    returned if nothing has to change; weights are None if all are 1.

    Raises
    ------
    ParameterError
        V is complex, not numeric or negative; weights are negative or all 0; `missing` is unknown.
    ShapeError
        V has fewer than two axes or an empty one, or weights do not broadcast to it.
    ContentError
        V is NaN or infinite where its weight is not 0.
    """
    if missing not in (None, "nan"):
        raise ParameterError(f"missing is {missing!r}; it must be None or 'nan'")
    data = _as_real(V)
    weights = _as_weights(weights, data)
    absent = np.ma.getmaskarray(V) if np.ma.isMaskedArray(V) else None
    if missing == "nan":
        nans = np.isnan(data)
        absent = nans if absent is None else absent | nans
    if absent is not None and absent.any():
        weights = np.where(absent, data.dtype.type(0), 1 if weights is None else weights)
    if weights is not None:
        weights = _in_precision(weights, data.dtype)
        if not (weights > 0).any():
            raise ParameterError("every bin of V has weight 0; give at least one a positive weight")
        data = np.where(weights > 0, data, data.dtype.type(0))
        weights = None if (weights == 1).all() else np.asfortranarray(weights)
    _require_finite_and_non_negative(data)
    # The kernels read frame by frame, and librosa returns spectrograms in this order.
    return np.asfortranarray(data), weights


def _as_real(V: Any) -> np.ndarray:
    """V as a float array of at least two axes; integers become float64."""
    data = np.ma.getdata(V) if np.ma.isMaskedArray(V) else _as_array(V, "V")
    if data.dtype.kind not in "fiu":
        raise ParameterError(
            f"V is {_kind(V, data)}; it must be real numbers of shape (freq, time){_hint(V, data)}"
        )
    if data.ndim < 2 or data.size == 0:
        hint = ", e.g. abs(nmfaudio.Stft(sr).forward(y)[0]) of audio y" if data.ndim == 1 else ""
        raise ShapeError(
            f"V has shape {data.shape}; it must be (freq, time) with at least one bin and "
            f"frame{hint}"
        )
    return data if data.dtype in (np.float32, np.float64) else data.astype(np.float64)


def _as_array(values: Any, name: str) -> np.ndarray:
    """Convert to an array; `ParameterError` for what numpy cannot convert."""
    try:
        return np.asarray(values)
    except Exception as error:  # objects of other libraries may raise anything
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if "inhomogeneous" in reason:
            reason = "its elements differ in shape"
        raise ParameterError(
            f"{name} is a {type(values).__name__} that is no array: {reason.rstrip('.')}; pass an "
            "array of real numbers"
        ) from None


def _kind(V: Any, data: np.ndarray) -> str:
    """Type of V for a message."""
    return f"an array of {data.dtype}" if isinstance(V, np.ndarray) else f"a {type(V).__name__}"


def _hint(V: Any, data: np.ndarray) -> str:
    """Way to make real numbers of V, for a message."""
    if isinstance(V, str | bytes):
        return "; read a file with nmfaudio.read and take abs(nmfaudio.Stft(sr).forward(y)[0])"
    if hasattr(V, "toarray"):
        return "; make it dense with .toarray()"
    hints = {"c": "; take its magnitude, e.g. abs(V)", "b": "; convert it with .astype(float)"}
    return hints.get(data.dtype.kind, "")


def _as_weights(weights: Any, data: np.ndarray) -> np.ndarray | None:
    """Weights broadcast to the shape of `data`."""
    if weights is None:
        return None
    array = _as_array(weights, "weights")
    if array.dtype.kind not in "fiub":
        raise ParameterError(f"weights have dtype {array.dtype}; they must be real numbers")
    try:
        full = np.broadcast_to(array, data.shape)
    except ValueError:
        raise ShapeError(
            f"weights have shape {array.shape}, which does not broadcast to V's {data.shape}"
        ) from None
    if not np.isfinite(full).all() or (full < 0).any():
        raise ParameterError(
            f"weights go from {full.min()} to {full.max()}; they must be finite and ≥ 0"
        )
    return full


def _in_precision(weights: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Weights of another dtype; `ParameterError` if any would over- or underflow."""
    with np.errstate(over="ignore"):
        cast: np.ndarray = weights.astype(dtype, copy=False)
    if not np.isfinite(cast).all() or ((cast == 0) & (weights > 0)).any():
        raise ParameterError(
            f"weights go from {weights[weights > 0].min():g} to {weights.max():g}, too far for V's "
            f"{dtype}; divide them by a constant, or give V as float64"
        )
    return cast


def _require_finite_and_non_negative(data: np.ndarray) -> None:
    """`ContentError` for NaN and infinity, `ParameterError` for negative bins."""
    low, high = data.min(), data.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        bad = ~np.isfinite(data)
        where = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), data.shape))
        raise ContentError(
            f"V has {np.count_nonzero(bad)} NaN or infinite bins, the first at {where}; repair "
            "them, give them weight 0, or pass missing='nan'"
        )
    if low < 0:
        where = tuple(int(i) for i in np.unravel_index(int(np.argmin(data)), data.shape))
        raise ParameterError(
            f"V is negative in {np.count_nonzero(data < 0)} bins, lowest {low:g} at {where}; it "
            "must be ≥ 0, e.g. a magnitude spectrogram, neither audio nor decibels"
        )
