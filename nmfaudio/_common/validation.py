"""Checks at the border: what comes from a caller is made right here, or refused with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmfaudio.errors import ContentError, ParameterError, ShapeError

# A microphone array of this many channels is rare, audio of so few samples rarer.
_MANY_CHANNELS = 32


def as_audio(y: Any, name: str = "y") -> np.ndarray:
    """Audio as a float array of shape (channel, sample), without copying where possible.

    The result may be a view of `y`: read it, never write into it.

    Parameters
    ----------
    y : array_like [shape=(sample,) or (channel, sample)]
        float32 and float64 stay what they are, shorter floats become float32, longer ones float64.
    name : str
        What messages call `y`.

    Returns
    -------
    np.ndarray [shape=(channel, sample)]

    Raises
    ------
    ParameterError
        The values are not floating-point numbers, or some of them are masked.
    ShapeError
        Neither one nor two axes, or the axes look transposed.
    ContentError
        There are no samples, or some are NaN or infinite.
    """
    if np.ma.is_masked(y):
        raise ParameterError(f"{name} has masked samples; fill them first, e.g. {name}.filled(0)")
    samples = np.asarray(y)
    _require_floats(samples, name)
    if samples.ndim not in (1, 2):
        raise ShapeError(
            f"{name} has shape {samples.shape}; audio is (sample,) or (channel, sample)"
        )
    samples = np.atleast_2d(samples)
    channels, length = samples.shape
    if samples.size == 0:
        raise ContentError(f"{name} is empty, shape {samples.shape}; at least 1 sample is needed")
    if channels > max(length, _MANY_CHANNELS):
        raise ShapeError(
            f"{name} has shape {samples.shape} and looks transposed: audio is (channel, sample); "
            "transpose it"
        )
    samples = samples.astype(np.float32 if samples.itemsize <= 4 else np.float64, copy=False)
    _require_finite(samples, name)
    return samples


def as_count(value: Any, name: str, *, low: int, high: int | None = None) -> int:
    """`value` as an int within bounds; a bool or a float is a ParameterError."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (whole and low <= value and (high is None or value <= high)):
        bound = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ParameterError(f"{name} must be an integer {bound}, got {value!r}")
    return int(value)


def as_number(
    value: Any, name: str, *, low: float = -float("inf"), above: float = -float("inf")
) -> float:
    """`value` as a finite float, at least `low` and more than `above`, else a ParameterError."""
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not (real and low <= value < float("inf") and value > above):
        bound = f" of at least {low:g}" if low > -float("inf") else ""
        bound += f" above {above:g}" if above > -float("inf") else ""
        raise ParameterError(f"{name} must be a finite number{bound}, got {value!r}")
    return float(value)


def as_choice(value: Any, name: str, allowed: Sequence[str]) -> str:
    """`value` as one of the allowed words, else a ParameterError."""
    if not (isinstance(value, str) and value in allowed):
        raise ParameterError(f"{name} is {value!r}; it must be one of {', '.join(allowed)}")
    return value


def _require_floats(samples: np.ndarray, name: str) -> None:
    """Refuse every dtype but the real floating-point ones."""
    kind = samples.dtype.kind
    if kind == "f":
        return
    message = f"{name} has dtype {samples.dtype}; audio must be floating point"
    if kind in "iu":
        full_scale = f"2**{8 * samples.itemsize - 1}"
        centred = name if kind == "i" else f"({name} - {full_scale})"
        message += f", e.g. {centred} / {full_scale} for full-scale integers"
    elif kind == "c":
        message += " and real; is this a spectrogram?"
    raise ParameterError(message)


def _require_finite(samples: np.ndarray, name: str) -> None:
    """Refuse NaN and infinity, saying how many there are and where the first one is."""
    # NaN wins both extremes, so that no array of flags as long as the audio is needed.
    if np.isfinite(samples.min()) and np.isfinite(samples.max()):
        return
    bad = ~np.isfinite(samples)
    first = int(np.argmax(bad.any(axis=0)))
    raise ContentError(
        f"{name} has {np.count_nonzero(bad)} NaN or infinite samples, the first at sample {first}; "
        "repair them first, e.g. with np.nan_to_num"
    )


def frame_step(values: Any, times: Any) -> float:
    """Seconds from frame to frame.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.

    Returns
    -------
    float
        1 where there are fewer than two frames.

    Raises
    ------
    ShapeError
        The shapes do not fit each other.
    ParameterError
        The times do not ascend, or not evenly; or values are negative, NaN or infinite.
    """
    values, times = np.asarray(values), np.asarray(times, np.float64)
    if values.ndim != 2 or times.shape != values.shape[1:]:
        raise ShapeError(
            f"values have shape {values.shape} and times {times.shape}; they must be (pitch, time) "
            "and (time,)"
        )
    if values.size and not (values.min() >= 0 and values.max() < np.inf):
        raise ParameterError("values are negative, NaN or infinite; all must be finite and ≥ 0")
    if len(times) < 2:
        return 1.0
    step = float(times[-1] - times[0]) / (len(times) - 1)
    if not (step > 0 and np.allclose(np.diff(times), step, rtol=0.01)):
        raise ParameterError("times are not evenly spaced; give those of consecutive frames")
    return step
