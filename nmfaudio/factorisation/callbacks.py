"""Check of the values that structures, divergences and penalties of users return."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmfaudio.factorisation.contracts import (
    as_cost,
    as_terms,
    method_of,
    require_axes,
    require_exponents,
    require_non_negative,
    require_valid_terms,
)
from nmfaudio.factorisation.problem import Problem


def check_values(problem: Problem, X: Sequence[np.ndarray]) -> None:
    """Check the results of classes from outside of this package at the initial factors.

    The tests cover those within, and a check takes as long as an iteration.

    Raises
    ------
    ParameterError
        A result has the wrong type, or values that are not finite or negative.
    ShapeError
        A result has the wrong shape.
    """
    penalties = [p for f in problem.factors for p in f.penalties]
    if not any(map(_foreign, (problem.structure, problem.divergence, *penalties))):
        return
    require_axes(problem.structure, X)
    require_exponents(problem.divergence)
    for i, factor in enumerate(problem.factors):
        negative, positive = problem.gradient_parts(i, X)
        for part in (negative, positive):
            what = method_of(problem.structure, "adjoint")
            require_non_negative(
                part, f"{what} of {method_of(problem.divergence, 'gradient_parts')}"
            )
        for penalty in factor.penalties:
            terms = as_terms(penalty.majorize(X[i], X), penalty, X[i])
            require_valid_terms(terms, penalty)
            as_cost(penalty.value(X[i], X), method_of(penalty, "value"))


def _foreign(subject: Any) -> bool:
    """Return whether the class of an object is from outside of this package."""
    return type(subject).__module__.partition(".")[0] != "nmfaudio"
