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
"""Does so many iterations from the same start, every time."""


def say(text: str) -> None:
    """Tell on stderr how far it has come."""
    print(f"[{time.perf_counter() - _BEGUN:4.0f} s] {text}", file=sys.stderr, flush=True)


_BEGUN = time.perf_counter()


@dataclass(frozen=True)
class Spread:
    """What the rounds gave, in order."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    def __str__(self) -> str:
        low, high = min(self.values), max(self.values)
        if len(self.values) == 1:
            return rounded(low)
        return f"{rounded(self.median)} ({rounded(low)}–{rounded(high)})"

    def to(self, others: Spread) -> Spread:
        """How many times the others' values these are, round by round."""
        return Spread(tuple(a / b for a, b in zip(self.values, others.values, strict=True)))

    def times(self, factor: float) -> Spread:
        return Spread(tuple(factor * value for value in self.values))

    def into(self, amount: float) -> Spread:
        """The amount divided by each, e.g. operations by seconds."""
        return Spread(tuple(amount / value for value in self.values))


def rounded(value: float) -> str:
    """Three digits below 10, else whole numbers from 100 on."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def seconds_of(work: Callable[[], object]) -> float:
    gc.collect()
    time.sleep(0.05)  # idle threads of the one before may still spin
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@dataclass(frozen=True)
class Contender:
    """One who factors.

    Calls of one iteration are subtracted from calls of many, and with them all that a call costs
    besides its iterations.
    """

    run: Run
    longest: int | None = None
    """How many iterations a call may have at most."""

    def plan(self, seconds: float) -> Plan:
        """As many iterations as take about `seconds`, without what a call costs besides."""
        self.run(1)  # compiles, loads and allocates
        besides = seconds_of(lambda: self.run(1))
        done, took = 1, 0.0
        while took < seconds / 4 and done != self.longest:
            done = min(2 if done == 1 else 4 * done, self.longest or 4 * done)
            took = seconds_of(lambda: self.run(done)) - besides  # noqa: B023
        wanted = max(2, math.ceil(seconds * (done - 1) / max(took, seconds / 1000)))
        if self.longest is None or wanted < self.longest:
            return Plan(self.run, 1 + wanted, 1)
        return Plan(self.run, self.longest, math.ceil(wanted / (self.longest - 1)))


@dataclass(frozen=True)
class Plan:
    """How long the long call is, and how many of each there are."""

    run: Run
    iterations: int
    calls: int

    def seconds_per_iteration(self) -> float:
        def several(iterations: int) -> None:
            for _ in range(self.calls):
                self.run(iterations)

        long, short = (seconds_of(lambda n=n: several(n)) for n in (self.iterations, 1))
        return (long - short) / (self.calls * (self.iterations - 1))


def paired(works: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, Spread]:
    """What each of `works` returns in each round; every other round goes backwards."""
    rounds: list[dict[str, float]] = []
    for i in range(repeats):
        names: Sequence[str] = list(works)[:: -1 if i % 2 else 1]
        rounds.append({name: works[name]() for name in names})
    return {name: Spread(tuple(r[name] for r in rounds)) for name in works}


def per_iteration(
    contenders: Mapping[str, Contender], seconds: Mapping[str, float], repeats: int
) -> dict[str, Spread]:
    """Seconds per iteration of each, from runs of about so many `seconds`."""
    plans = {name: who.plan(seconds[name]) for name, who in contenders.items()}
    gc.freeze()  # what is loaded by now stays; collecting garbage is quick then
    return paired({name: plan.seconds_per_iteration for name, plan in plans.items()}, repeats)
