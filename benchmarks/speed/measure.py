"""Time per iteration, in rounds that alternate between contenders."""

from __future__ import annotations

import gc
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Run = Callable[[int], object]
"""Run a number of iterations, always from the same initial factors."""


def say(text: str) -> None:
    """Report progress on stderr."""
    print(f"[{time.perf_counter() - _BEGUN:4.0f} s] {text}", file=sys.stderr, flush=True)


_BEGUN = time.perf_counter()


@dataclass(frozen=True)
class Spread:
    """Values of the rounds, in order."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median of the rounds."""
        return median(self.values)

    def __str__(self) -> str:
        low, high = min(self.values), max(self.values)
        if len(self.values) == 1:
            return rounded(low)
        return f"{rounded(self.median)} ({rounded(low)}–{rounded(high)})"

    def to(self, base: Spread) -> Spread:
        """Ratio to the values of `base`, round by round."""
        return Spread(tuple(a / b for a, b in zip(self.values, base.values, strict=True)))

    def times(self, factor: float) -> Spread:
        """Values multiplied by a factor."""
        return Spread(tuple(factor * value for value in self.values))

    def into(self, amount: float) -> Spread:
        """Amount divided by each value, e.g. operations by seconds."""
        return Spread(tuple(amount / value for value in self.values))


def rounded(value: float) -> str:
    """Format with three significant digits, from 100 on as an integer."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def seconds_of(work: Callable[[], object]) -> float:
    """Wall time of a call in seconds."""
    gc.collect()
    time.sleep(0.05)  # idle threads of the previous contender may still spin
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@dataclass(frozen=True)
class Contender:
    """Implementation whose time per iteration is measured.

    The time of a call with one iteration is subtracted from that of a call with many, so that the
    overhead of a call cancels.
    """

    run: Run
    longest: int | None = None
    """Maximum number of iterations of a call."""

    def plan(self, seconds: float) -> Plan:
        """Choose the number of iterations that take about `seconds`, without overhead."""
        self.run(1)  # compiles, loads and allocates
        overhead = seconds_of(lambda: self.run(1))
        # Increase the iterations until the run is long enough to extrapolate from.
        done, took = 1, 0.0
        while took < seconds / 4 and done != self.longest:
            done = min(2 if done == 1 else 4 * done, self.longest or 4 * done)
            took = seconds_of(lambda: self.run(done)) - overhead  # noqa: B023
        needed = max(2, math.ceil(seconds * (done - 1) / max(took, seconds / 1000)))
        if self.longest is None or needed < self.longest:
            return Plan(self.run, 1 + needed, 1)
        return Plan(self.run, self.longest, math.ceil(needed / (self.longest - 1)))


@dataclass(frozen=True)
class Plan:
    """Iterations of the long call, and number of long and of short calls."""

    run: Run
    iterations: int
    calls: int

    def seconds_per_iteration(self) -> float:
        """Difference of the times of long and short calls per iteration."""

        def several(iterations: int) -> None:
            for _ in range(self.calls):
                self.run(iterations)

        long, short = (seconds_of(lambda n=n: several(n)) for n in (self.iterations, 1))
        return (long - short) / (self.calls * (self.iterations - 1))


def paired(works: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, Spread]:
    """Values that `works` return in each round; every second round runs in reverse order."""
    rounds: list[dict[str, float]] = []
    for i in range(repeats):
        names: Sequence[str] = list(works)[:: -1 if i % 2 else 1]
        rounds.append({name: works[name]() for name in names})
    return {name: Spread(tuple(r[name] for r in rounds)) for name in works}


def per_iteration(
    contenders: Mapping[str, Contender], seconds: Mapping[str, float], repeats: int
) -> dict[str, Spread]:
    """Seconds per iteration of each contender, from runs of about `seconds`."""
    plans = {name: contender.plan(seconds[name]) for name, contender in contenders.items()}
    gc.freeze()  # exempt everything loaded so far, which makes garbage collection fast
    return paired({name: plan.seconds_per_iteration for name, plan in plans.items()}, repeats)
