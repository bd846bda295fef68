"""What a solver is, and the run that any solver with a step per factor gets for free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from nmfaudio.factorisation.problem import Problem

Step = Callable[[int, list[np.ndarray], Problem], np.ndarray]


class Run(Protocol):
    """A decomposition under way; it keeps what must live between iterations."""

    loss: float
    """The objective at the current factors."""

    def advance(self, iterations: int) -> None:
        """Do so many whole iterations, then bring `loss` up to date."""

    def factors(self) -> list[np.ndarray]:
        """The current factors."""


class Solver(Protocol):
    """How the objective goes down."""

    def supports(self, problem: Problem) -> str | None:
        """None, or in one sentence why this solver cannot solve the problem."""

    def begin(self, problem: Problem, factors: Sequence[np.ndarray]) -> Run:
        """A run from these starts, which it does not write into."""


class Stepwise:
    """A run made from ``step(i, factors, problem)``, which returns a better factor `i`."""

    def __init__(self, step: Step, problem: Problem, factors: Sequence[np.ndarray]) -> None:
        self._step = step
        self._problem = problem
        self._factors = list(factors)
        self.loss = problem.loss(self._factors)

    def advance(self, iterations: int) -> None:
        free = self._problem.free
        for _ in range(iterations):
            for i in range(len(self._factors)):
                if free[i] is not False:
                    self._factors[i] = self._step(i, self._factors, self._problem)
        self.loss = self._problem.loss(self._factors)

    def factors(self) -> list[np.ndarray]:
        return self._factors
