"""Validation and conversion of arguments."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.errors import ContentError, ParameterError, ShapeError

# Audio with more channels than samples, and more than this many channels, is assumed to be
# transposed: microphone arrays of that size are rare, recordings of so few samples are rarer.
_MANY_CHANNELS = 32
_LONGEST = 80  # characters of a value in a message

LOWEST_RATE, HIGHEST_RATE = 100, 1_500_000
"""Range of sample rates of audio in Hz."""


def as_audio(y: Any, name: str = "y") -> np.ndarray:
    """Convert audio to a float array of shape (channel, sample), without a copy if possible.

    Parameters
    ----------
    y : array_like [shape=(sample,) or (channel, sample)]
        float32 and float64 are kept; shorter floats become float32, longer ones float64.
    name : str
        Name of `y` in messages.

    Returns
    -------
    np.ndarray [shape=(channel, sample)]
        May be a view of `y`, so it must not be written to. A `LazyAudio` is returned as it is.

    Raises
    ------
    ParameterError
        The values are not floating-point numbers, some of them are masked, or there is a sample
        rate with them.
    ShapeError
        There are neither one nor two axes, or they look transposed.
    ContentError
        There are no samples, or some are NaN or infinite.
    """
    if isinstance(y, LazyAudio):
        return cast(np.ndarray, y)
    require_array(y, name)
    if np.ma.is_masked(y):
        raise ParameterError(f"{name} has masked samples; fill them first, e.g. {name}.filled(0)")
    samples = np.asarray(y)
    require_floats(samples, name)
    if samples.ndim not in (1, 2):
        raise ShapeError(
            f"{name} has shape {samples.shape}; audio must be (sample,) or (channel, sample)"
        )
    samples = np.atleast_2d(samples)
    if samples.size == 0:
        raise ContentError(f"{name} is empty, shape {samples.shape}; at least 1 sample is needed")
    require_channels_first(samples.shape, name)
    samples = samples.astype(np.float32 if samples.itemsize <= 4 else np.float64, copy=False)
    require_finite(samples, name)
    return samples


def require_channels_first(shape: tuple[int, ...], name: str = "y") -> None:
    """Refuse audio that looks transposed.

    Parameters
    ----------
    shape : tuple of int
        Of audio with two axes.
    name : str
        Name of the audio in messages.

    Raises
    ------
    ShapeError
        There are more channels than samples.
    """
    channels, length = shape
    if channels > max(length, _MANY_CHANNELS):
        raise ShapeError(
            f"{name} has shape {shape} and looks transposed; audio must be (channel, sample): "
            "transpose it"
        )


def is_integer(value: Any) -> bool:
    """Return True for integers, False for bools and anything else."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def require_array(y: Any, name: str) -> None:
    """Raise a `ParameterError` if samples come with their sample rate, as from `nmfaudio.read`."""
    is_pair = isinstance(y, tuple) and len(y) == 2 and np.ndim(y[0]) > 0 == np.ndim(y[1])
    if is_pair or (hasattr(y, "samples") and hasattr(y, "sr")):
        raise ParameterError(
            f"{name} has samples and their rate in one; pass them as two arguments, as in "
            "*na.read(path), or pass the path itself"
        )


def shown(value: Any) -> str:
    """Return the value of an argument for a message, in one line."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape}"
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python prints
        text = "\n"
    return text if len(text) <= _LONGEST and "\n" not in text else f"a {type(value).__name__}"


def as_count(value: Any, name: str, *, low: int, high: int | None = None) -> int:
    """Return `value` as an int; raise a `ParameterError` if it is a float or out of bounds.

    Without `high`, the largest count is that of NumPy's indices.
    """
    if high is None and is_integer(value) and value > sys.maxsize:
        high = sys.maxsize
    if not (is_integer(value) and low <= value and (high is None or value <= high)):
        bound = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ParameterError(f"{name} must be an integer {bound}, got {shown(value)}")
    return int(value)


def as_sample_rate(value: Any, name: str = "sr") -> int:
    """Return a sample rate in Hz as an int.

    Parameters
    ----------
    value : int
        Sample rate in Hz.
    name : str
        Name of `value` in messages.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        It is not a whole number of Hz from 100 to 1,500,000. A rate that seems to be in kHz gets a
        hint.

    Examples
    --------
    >>> as_sample_rate(44100)
    44100
    """
    if is_integer(value) and LOWEST_RATE <= value <= HIGHEST_RATE:
        return int(value)
    message = f"{name} is {shown(value)}; it must be a whole number of Hz from {LOWEST_RATE} to "
    message += f"{HIGHEST_RATE}"
    is_real = isinstance(value, int | float | np.integer | np.floating)
    if is_real and not isinstance(value, bool) and math.isfinite(_float(value)):
        hertz = round(value if value >= LOWEST_RATE else 1000 * value)
        if LOWEST_RATE <= hertz <= HIGHEST_RATE:
            message += f"; did you mean {hertz}?"
    raise ParameterError(message)


def _float(value: float) -> float:
    """Float of a number, infinite for integers that are too large for one."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def as_number(
    value: Any, name: str, *, low: float = -float("inf"), above: float = -float("inf")
) -> float:
    """Return `value` as a finite float, at least `low` and more than `above`, or raise an error."""
    numeric = int | float | np.integer | np.floating
    is_real = isinstance(value, numeric) and not isinstance(value, bool)
    if not (is_real and low <= _float(value) < math.inf and value > above):
        bound = f" of at least {low:g}" if low > -float("inf") else ""
        bound += f" above {above:g}" if above > -float("inf") else ""
        raise ParameterError(f"{name} must be a finite number{bound}, got {shown(value)}")
    return float(value)


def require_members(subject: Any, kind: str, members: Sequence[str]) -> None:
    """Raise a `ParameterError` with the members of a kind of class that an instance lacks."""
    missing = [member for member in members if not hasattr(subject, member)]
    if missing:
        raise ParameterError(
            f"{type(subject).__name__} lacks {', '.join(missing)}; a {kind} needs "
            f"{', '.join(members)}"
        )


def as_pair(value: Any, name: str, parts: str) -> tuple[Any, Any]:
    """Return an item of a sequence as its two parts, or raise a `ParameterError`."""
    if not (isinstance(value, tuple | list) and len(value) == 2):
        raise ParameterError(
            f"{name} has the item {shown(value)}; each must be a pair {parts}, as in [{parts}]"
        )
    return value[0], value[1]


def as_choice(value: Any, name: str, allowed: Sequence[str]) -> str:
    """Return `value` if it is one of the allowed words, or raise a `ParameterError`."""
    if not (isinstance(value, str) and value in allowed):
        raise ParameterError(f"{name} is {value!r}; it must be one of {', '.join(allowed)}")
    return value


def require_floats(samples: np.ndarray, name: str) -> None:
    """Raise a `ParameterError` unless samples are real floating-point numbers."""
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


def require_finite(samples: np.ndarray, name: str) -> None:
    """Raise a `ContentError` with number and position of NaN and infinite samples."""
    # NaN propagates to both extremes, so finite audio needs no array of flags.
    if np.isfinite(samples.min()) and np.isfinite(samples.max()):
        return
    bad = ~np.isfinite(samples)
    first = int(np.argmax(bad.any(axis=0)))
    raise ContentError(
        f"{name} has {np.count_nonzero(bad)} NaN or infinite samples, the first at sample {first}; "
        "repair them first, e.g. with np.nan_to_num"
    )


def frame_step(values: Any, times: Any) -> float:
    """Check salience and its frame times, and return the step between frames.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Non-negative salience.
    times : np.ndarray [shape=(time,)]
        Frame times in seconds, evenly spaced.

    Returns
    -------
    float
        Step in seconds; 1 for fewer than two frames.

    Raises
    ------
    ShapeError
        The shapes do not fit each other.
    ParameterError
        The times are not evenly spaced, or values are negative, NaN or infinite.
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
        raise ParameterError("times are not evenly spaced; pass those of consecutive frames")
    return step
