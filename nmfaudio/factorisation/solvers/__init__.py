"""How the objective goes down: one file per solver, one line in `SOLVERS`."""

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


def solver_named(solver: str | Solver, problem: Problem, starts: Sequence[np.ndarray]) -> Solver:
    """The solver itself, of that name, or for ``"auto"`` the best that supports the problem."""
    if solver == "auto":
        return _best(problem, starts)
    if isinstance(solver, str):
        if solver not in SOLVERS:
            names = ", ".join(repr(name) for name in ("auto", *SOLVERS))
            raise ParameterError(f"solver is {solver!r}; it must be one of {names} or a Solver")
        chosen = SOLVERS[solver]
    elif isinstance(solver, type) or not hasattr(solver, "begin"):
        raise ParameterError(f"solver is {solver!r}; it must be a name or an instance")
    else:
        chosen = solver
    reason = chosen.supports(problem)
    if reason:
        raise ParameterError(f"solver {type(chosen).__name__} cannot solve this: {reason}")
    return chosen


def _best(problem: Problem, starts: Sequence[np.ndarray]) -> Solver:
    """Where zeros or penalties say more than the data, only solvers that keep and take them all."""
    bare = not any(f.penalties for f in problem.factors) and all((F > 0).all() for F in starts)
    names = ("hals", "bmme") if bare else ("bmme",)
    fit = (SOLVERS[name] for name in names if SOLVERS[name].supports(problem) is None)
    return next(fit, SOLVERS["mu"])
