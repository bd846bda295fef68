"""Parsing of durations and time ranges."""

from __future__ import annotations

from nmfaudio.errors import ParameterError

_LONGEST = 1e9  # s, over 30 years


def parse_time_range(text: str) -> tuple[float, float]:
    """Parse a time range such as ``0:30-0:45`` or ``90-100.5``.

    Parameters
    ----------
    text : str
        Start and end, each as ``[[hours:]minutes:]seconds``.

    Returns
    -------
    start, stop : float
        In seconds.

    Raises
    ------
    ParameterError
        The text is not a time range, or ends before it begins.

    Examples
    --------
    >>> parse_time_range("1:30-100.5")
    (90.0, 100.5)
    """
    start, dash, stop = text.partition("-")
    try:
        if not dash:
            raise ValueError
        span = (_seconds(start), _seconds(stop))
    except ValueError:
        raise ParameterError(
            f"{text!r} is not a time range; write FROM-TO, as in 0:30-0:45 or 90-100.5"
        ) from None
    if span[0] >= span[1]:
        raise ParameterError(f"{text!r} ends before it begins; put the earlier time first")
    return span


def parse_duration(text: str) -> float:
    """Parse a duration such as ``90``, ``1:30`` or ``2:00:00``.

    Parameters
    ----------
    text : str
        ``[[hours:]minutes:]seconds``.

    Returns
    -------
    float
        Seconds, above 0.

    Raises
    ------
    ParameterError
        The text is not a duration.

    Examples
    --------
    >>> parse_duration("1:30")
    90.0
    """
    try:
        seconds = _seconds(text)
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        raise ParameterError(f"{text!r} is not a duration; write seconds, or 1:30 or 2:00:00")
    return seconds


def _seconds(text: str) -> float:
    """Seconds of ``[[h:]m:]s``; all but the first number must be below 60."""
    *leading, last = text.split(":")
    digits = [*leading, *last.split(".", 1)]
    if len(leading) > 2 or not all(part.isascii() and part.isdecimal() for part in digits):
        raise ValueError(text)
    parts = [*map(float, leading), float(last)]
    if any(part >= 60 for part in parts[1:]):
        raise ValueError(text)
    seconds = sum(part * 60.0**i for i, part in enumerate(reversed(parts)))
    if seconds > _LONGEST:
        raise ValueError(text)
    return seconds
