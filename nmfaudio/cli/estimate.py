"""Share of a command's work that is done, and time left, over all its stages."""

from __future__ import annotations

import math
from collections.abc import Mapping

_EARLIEST = 0.05  # share done from which on the time left is estimated
_STEADY = 0.7  # share of a stage that reports nothing, up to which its progress is linear
_BRIEFEST = 1.0  # seconds


class Estimate:
    """Share done, which never falls, and time left at the speed so far.

    Parameters
    ----------
    weights : mapping of str to float
        Relative durations of the stages, in their order. Stages may be left out.

    Examples
    --------
    >>> estimate = Estimate({"fitting": 3, "writing": 1})
    >>> estimate.begin("fitting", 0.0)
    >>> estimate.advance(2 / 3)
    >>> estimate.share(10.0), estimate.left(10.0)
    (0.5, 10.0)
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        total = sum(weights.values())
        self._spans: dict[str, tuple[float, float]] = {}  # first and last share of each stage
        first = 0.0
        for name, weight in weights.items():
            self._spans[name] = (first, first + weight / total)
            first += weight / total
        self._span = (0.0, 0.0)
        self._began = 0.0  # seconds
        self._within: float | None = None  # share of the stage, None while it is unknown
        # Seconds and share at the beginning of the first stage that reported. The time before, of
        # imports and of loading machine code, says nothing about the speed of the work.
        self._base: tuple[float, float] | None = None
        self._share = 0.0

    def begin(self, stage: str, now: float) -> None:
        """Begin a stage, `now` seconds of work after the beginning."""
        self._span = self._spans.get(stage, (self._share, self._share))
        self._began, self._within = now, None

    def advance(self, share: float) -> None:
        """Set the share of the stage that is done."""
        self._within = share
        if self._base is None:
            self._base = self._began, self._span[0]

    def measure_from(self, now: float) -> None:
        """Measure the speed from now on; the share done until now took an unknown time."""
        self._base = now, self.share(now)

    def share(self, now: float) -> float:
        """Share of all stages that is done, from 0 to 1."""
        first, last = self._span
        within = self._guess(now) if self._within is None else self._within
        self._share = max(self._share, first + within * (last - first))
        return self._share

    def left(self, now: float) -> float | None:
        """Seconds left, None while too little is known."""
        share = self.share(now)
        if self._base is None:
            return None
        seconds, done = now - self._base[0], share - self._base[1]
        if done < _EARLIEST or seconds < _BRIEFEST:
            return None
        return seconds * (1 - share) / done

    def _guess(self, now: float) -> float:
        """Share of a stage that reports nothing, from the rate of the stages before it."""
        first, last = self._span
        began, share = self._base or (0.0, 0.0)
        if first <= share or self._began <= began:
            return 0.0
        expected = (self._began - began) * (last - first) / (first - share)
        if expected <= 0:
            return 0.0
        passed = (now - self._began) / expected
        rest = 1 - _STEADY
        # As expected at first; near the end it slows down, for stages that take longer.
        return passed if passed < _STEADY else 1 - rest * math.exp((_STEADY - passed) / rest)
