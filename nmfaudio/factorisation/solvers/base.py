"""Interface of solvers, and the run of solvers that update one factor at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from nmfaudio._common.docstrings import inherits_docstrings
from nmfaudio.factorisation.problem import Problem

Step = Callable[[int, list[np.ndarray], Problem], np.ndarray]


class Run(Protocol):
    """State of a running decomposition."""

    loss: float
    """Objective at the current factors."""

    def advance(self, iterations: int) -> None:
        """Run a number of iterations, then update `loss`.

        Parameters
        ----------
        iterations : int
            Number of iterations; each updates every free factor once.
        """

    def factors(self) -> list[np.ndarray]:
        """Return the current factors.

        Returns
        -------
        list of np.ndarray
            Factors in the order of the structure.
        """


class Solver(Protocol):
    """Algorithm that minimises the objective of a `Problem`."""

    def supports(self, problem: Problem) -> str | None:
        """Return None, or the reason why this solver cannot solve a problem.

        Parameters
        ----------
        problem : Problem
            Data, structure, divergence and penalties.

        Returns
        -------
        str or None
            Part of a sentence for an error message.
        """

    def begin(self, problem: Problem, factors: Sequence[np.ndarray]) -> Run:
        """Return a run from initial factors.

        Parameters
        ----------
        problem : Problem
            Problem that this solver supports.
        factors : sequence of np.ndarray
            Initial factors, which are not modified.

        Returns
        -------
        Run
            Run before its first iteration.
        """


@inherits_docstrings(Run)
class Stepwise:
    """Run of a solver that updates one factor at a time, the first factor first.

    Parameters
    ----------
    step : callable
        Function ``step(i, factors, problem)`` that returns a new value of factor `i`.
    problem : Problem
        Problem to be solved.
    factors : sequence of np.ndarray
        Initial factors.

    Examples
    --------
    A solver that halves all factors in each iteration:

    >>> import numpy as np, nmfaudio as na
    >>> class Halving:
    ...     def supports(self, problem):
    ...         return None
    ...     def begin(self, problem, factors):
    ...         return na.solvers.Stepwise(lambda i, X, problem: X[i] / 2, problem, factors)
    >>> factors = [na.Factor(np.ones((2, 1))), na.Factor(np.ones((1, 3)))]
    >>> d = na.decompose(np.full((2, 3), 0.1), factors, solver=Halving(), max_iter=1)
    >>> d.H.tolist()
    [[0.5, 0.5, 0.5]]
    """

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
