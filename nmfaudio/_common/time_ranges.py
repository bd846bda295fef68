"""Times as people write them."""

from __future__ import annotations

from nmfaudio.errors import ParameterError


def parse_time_range(text: str) -> tuple[float, float]:
    """Read ``0:30-0:45`` or ``90-100.5`` as a start and an end in seconds.

    Raises
    ------
    ParameterError
        The text is not a time range, or the range ends before it begins.
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


def _seconds(text: str) -> float:
    """``[[h:]m:]s`` in seconds; below the first, minutes and seconds are under 60."""
    *whole, last = text.split(":")
    digits = [*whole, *last.split(".", 1)]
    if len(whole) > 2 or not all(part.isascii() and part.isdecimal() for part in digits):
        raise ValueError(text)
    parts = [*map(float, whole), float(last)]
    if any(part >= 60 for part in parts[1:]):
        raise ValueError(text)
    return sum(part * 60.0**i for i, part in enumerate(reversed(parts)))
