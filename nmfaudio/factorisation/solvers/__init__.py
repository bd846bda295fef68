"""Solvers: algorithms that minimise the objective."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.base import Run, Solver, Stepwise
from nmfaudio.factorisation.solvers.bmme import BMME
from nmfaudio.factorisation.solvers.ccd import CCD
from nmfaudio.factorisation.solvers.diagonal import Diagonal
from nmfaudio.factorisation.solvers.hals import HALS
from nmfaudio.factorisation.solvers.mu import MU
from nmfaudio.factorisation.solvers.pg import PG

__all__ = [
    "BMME",
    "CCD",
    "HALS",
    "MU",
    "PG",
    "SOLVERS",
    "Diagonal",
    "Run",
    "Solver",
    "Stepwise",
    "solver_named",
]

SOLVERS: dict[str, Solver] = {"mu": MU(), "bmme": BMME(), "hals": HALS(), "pg": PG(), "ccd": CCD()}
"""Solvers by the name that `nmf` and `decompose` take."""


def solver_named(solver: str | Solver, problem: Problem, initial: Sequence[np.ndarray]) -> Solver:
    """Return a solver by name, after a check that it supports a problem.

    Parameters
    ----------
    solver : str or Solver
        Name in `SOLVERS`, ``"auto"`` for the fastest one that supports the problem, or a solver,
        which is returned.
    problem : Problem
        Problem to be solved.
    initial : sequence of np.ndarray
        Initial factors.

    Returns
    -------
    Solver
        Solver that supports the problem.

    Raises
    ------
    ParameterError
        The name is unknown, or the solver does not support the problem.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V, W, H = np.ones((4, 6)), np.ones((4, 2)), np.ones((2, 6))
    >>> problem = na.factorisation.Problem(V, None, na.structures.Product(), na.Beta(2),
    ...                                    (na.Factor(W), na.Factor(H)), (True, True))
    >>> na.solvers.solver_named("auto", problem, [W, H])
    HALS()
    """
    if solver == "auto":
        return _automatic(problem, initial)
    if isinstance(solver, str):
        if solver not in SOLVERS:
            names = ", ".join(repr(name) for name in ("auto", *SOLVERS))
            raise ParameterError(f"solver is {solver!r}; it must be one of {names} or a Solver")
        chosen = SOLVERS[solver]
    elif isinstance(solver, type) or not hasattr(solver, "begin"):
        raise ParameterError(f"solver is {solver!r}; it must be a name or an instance of a Solver")
    else:
        chosen = solver
    reason = chosen.supports(problem)
    if reason:
        raise ParameterError(f"solver {type(chosen).__name__} cannot solve this: {reason}")
    return chosen


def _automatic(problem: Problem, initial: Sequence[np.ndarray]) -> Solver:
    """Return the fastest suitable solver.

    `HALS` moves exact zeros, which may mark a support, so it is chosen for strictly positive
    factors without penalties only.
    """
    positive = all((F > 0).all() for F in initial)
    bare = positive and not any(f.penalties for f in problem.factors)
    names = ("hals", "bmme") if bare else ("bmme",)
    suitable = (SOLVERS[name] for name in names if SOLVERS[name].supports(problem) is None)
    return next(suitable, SOLVERS["mu"])
