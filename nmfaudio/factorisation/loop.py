"""Main loop of `decompose`: iterations from one or several initialisations, in parallel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nmfaudio._common.log import LOGGER
from nmfaudio.errors import NumericalError, ParameterError, ShapeError
from nmfaudio.factorisation.callbacks import check_values
from nmfaudio.factorisation.contracts import (
    as_array,
    method_of,
    require_non_negative,
)
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.divergences import Divergence
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.initialisation import power_of_two, weighted_mean
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers import Run, Solver, solver_named
from nmfaudio.factorisation.structures import Structure
from nmfaudio.factorisation.sums import add_shards
from nmfaudio.kernels.layout import SHARD
from nmfaudio.kernels.threads import parallel_for_each

# V is rescaled if its mean is outside these bounds. They leave room for products of several factors
# and powers of V within the exponent range of float32 (2^±126).
MIN_MEAN, MAX_MEAN = 2.0**-16, 2.0**16
_MEAN_BLOCK = 1024  # frames of a block of the constant model


@dataclass(frozen=True)
class Progress:
    """State of a running decomposition, passed to callbacks.

    Parameters
    ----------
    iteration : int
        Number of iterations completed.
    max_iter : int
        Maximum number of iterations.
    loss : float
        Objective after this iteration.
    start_index : int
        Index of the initialisation, from 0 to ``n_starts − 1``.
    n_starts : int
        Number of initialisations, or of models that are fitted one after another.
    snapshot : callable, optional
        Function without arguments that copies the current factors; None where there are none, as
        in a search over ranks.
    structure : Structure, optional
        Structure of the factors; None where there are none.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V, seen = np.random.default_rng(0).random((20, 30)), []
    >>> d = na.nmf(V, 3, max_iter=20, tol=0, rng=0, callback=seen.append)
    >>> [progress.iteration for progress in seen], bool(seen[-1].loss == d.losses[-1])
    ([10, 20], True)
    """

    iteration: int
    max_iter: int
    loss: float
    start_index: int = 0
    n_starts: int = 1
    snapshot: Callable[[], tuple[np.ndarray, ...]] | None = field(
        default=None, compare=False, repr=False
    )
    structure: Structure | None = field(default=None, compare=False, repr=False)

    @property
    def factors(self) -> tuple[np.ndarray, ...]:
        """Copies of the factors after this iteration, at the scale of V; only in the callback."""
        return () if self.snapshot is None else self.snapshot()


Callback = Callable[[Progress], bool | None]
"""Function that gets a `Progress` at each check, and stops the iterations by returning True."""


def numbered(callback: Callback | None, index: int, count: int) -> Callback | None:
    """Return a callback for one of several decompositions, with its number in each `Progress`.

    Parameters
    ----------
    callback : callable or None
        None is returned unchanged.
    index : int
        Index of the decomposition, from 0.
    count : int
        Number of decompositions.

    Returns
    -------
    callable or None
    """
    if callback is None:
        return None
    return lambda progress: callback(replace(progress, start_index=index, n_starts=count))


@dataclass(frozen=True)
class Schedule:
    """Stopping criteria, and the interval between convergence checks; see `decompose`."""

    max_iter: int
    tol: float
    check_every: int
    callback: Callback | None


@dataclass(frozen=True, eq=False)
class Task:
    """Arguments of `decompose` that all initialisations share.

    V [shape=(…, freq, time)] and weights (same shape, or None) are as returned by `as_spectrogram`.
    """

    V: np.ndarray
    weights: np.ndarray | None
    structure: Structure
    divergence: Divergence
    factors: tuple[Factor, ...]
    solver: str | Solver
    schedule: Schedule


def best_of(task: Task, rngs: Sequence[np.random.Generator]) -> Decomposition:
    """Decompose once per random generator; return the result with the lowest objective.

    Ties go to the first generator, so the result does not depend on the order in which threads
    finish.
    """
    results = _BestOf(task.schedule.callback, len(rngs))
    scale = _scale(task.V, task.weights, task.divergence.degree)
    prepared = _prepared(task, scale)

    def run(start_index: int) -> None:
        if results.stopped:
            return
        try:
            result = _run(task, prepared, scale, rngs[start_index], results, start_index)
            results.add(start_index, result)
        except BaseException:
            results.stopped = True
            raise

    try:
        parallel_for_each(run, len(rngs))
    finally:  # after an exception or interrupt, the other threads stop at their next check
        results.stopped = True
    return replace(results.best, start_losses=results.losses)


def _prepared(task: Task, scale: float) -> np.ndarray:
    """V / scale in the domain of the divergence."""
    prepared = task.divergence.prepare(divided(task.V, scale, None), task.weights)
    label = method_of(task.divergence, "prepare")
    as_array(prepared, label, task.V.shape, task.V.dtype)
    if prepared is not task.V:
        require_non_negative(prepared, label)
    return prepared


class _BestOf:
    """Thread-safe record of the best of several parallel runs, with their shared callback."""

    best: Decomposition

    def __init__(self, callback: Callback | None, n_starts: int) -> None:
        self.stopped = False
        self.losses = np.full(n_starts, np.nan)
        """Final objective of each run; NaN for runs that have not finished."""
        self._callback = callback
        self._lock = threading.Lock()
        self._best_key = (float("inf"), 0)  # (objective, index of the run)

    def report(self, progress: Progress) -> bool:
        """Call the callback; return whether all runs should stop."""
        with self._lock:
            if not self.stopped and self._callback is not None:
                self.stopped = bool(self._callback(progress))
            return self.stopped

    def add(self, start_index: int, result: Decomposition) -> None:
        """Record the final objective of a run; keep its result if it is the best so far."""
        with self._lock:
            self.losses[start_index] = result.losses[-1]
            key = (float(result.losses[-1]), start_index)
            if key < self._best_key:
                self._best_key, self.best = key, result


def _build_problem(
    task: Task, prepared: np.ndarray, scale: float, rng: np.random.Generator
) -> tuple[Problem, list[np.ndarray], list[np.ndarray]]:
    """Initialise the factors and set up the problem for the solver.

    Returns
    -------
    problem : Problem
        Problem with V and weights as passed to the solver, V divided by `scale`.
    starts : list of np.ndarray
        Initial factors at the caller's scale.
    X : list of np.ndarray
        Initial factors of a model of V / scale.
    """
    V, factors, structure = task.V, task.factors, task.structure
    starts = [f.begin(V, task.weights, rng) for f in factors]
    shape = structure.shape(starts)
    if shape != V.shape:
        raise ShapeError(
            f"factors of shapes {[F.shape for F in starts]} make a model of shape {shape}, "
            f"but V has {V.shape}; give factors that fit V"
        )
    carriers = structure.scale_carriers(len(starts))
    # The model is linear in these factors: dividing them by `scale` divides the model by it too.
    X = [
        divided(F, scale, f.name) if i in carriers else F
        for i, (f, F) in enumerate(zip(factors, starts, strict=True))
    ]
    free = tuple(f.movable(F.shape) for f, F in zip(factors, starts, strict=True))
    problem = Problem(prepared, task.weights, structure, task.divergence, factors, free, scale)
    if problem.units:
        problem.units.check(starts, free)
    for penalty in (p for f in factors for p in f.penalties if hasattr(p, "check")):
        penalty.check([penalty in f.penalties for f in factors])
    check_values(problem, X)
    return problem, starts, X


def _scale(V: np.ndarray, weights: np.ndarray | None, degree: float | None) -> float:
    """Return the number that V is divided by: a power of two near its mean, or 1."""
    return scale_for(weighted_mean(V, weights), degree)


def scale_for(mean: float, degree: float | None) -> float:
    """Return the number that data of this mean are divided by.

    Powers of two are exact. For a divergence of degree d, d(c·V, c·Y) = c^d · d(V, Y). If d ≤ 0,
    bins far below the mean contribute as much as others, so V is rescaled whatever its mean.
    """
    in_range = degree is None or (degree > 0 and MIN_MEAN <= mean <= MAX_MEAN)
    return 1.0 if in_range else power_of_two(mean)


def divided(F: np.ndarray, scale: float, name: str | None) -> np.ndarray:
    """Divide F by `scale`; raise if a factor, which has a `name`, overflows or underflows."""
    if scale == 1.0:
        return F
    divided: np.ndarray = F / F.dtype.type(scale)
    if name is not None and (not np.isfinite(divided).all() or ((divided == 0) & (F > 0)).any()):
        raise ParameterError(
            f"{name or 'a factor'} has values from {F[F > 0].min():g} to {F.max():g}, too "
            f"far from V's mean of about {scale:g} for {F.dtype}; rescale them or use float64"
        )
    return divided


def _run(
    task: Task,
    prepared: np.ndarray,
    scale: float,
    rng: np.random.Generator,
    results: _BestOf,
    start_index: int,
) -> Decomposition:
    """Iterate from one initialisation until convergence, `max_iter` or a stop by the callback."""
    problem, starts, X = _build_problem(task, prepared, scale, rng)
    schedule = task.schedule
    solver = solver_named(task.solver, problem, X)
    run = solver.begin(problem, X)
    course = Course([finite(run.loss, 0)], [0])
    began = time.perf_counter()
    LOGGER.info(
        "fit %d: V %s as factors %s, %s, %s, %s, objective %.6g",
        *(start_index, task.V.shape, [F.shape for F in starts]),
        *(task.structure, task.divergence, solver, course.losses[0]),
    )

    def report(progress: Progress) -> bool:
        own = replace(
            progress,
            start_index=start_index,
            n_starts=len(results.losses),
            snapshot=lambda: _result(problem, starts, run.factors()),
            structure=problem.structure,
        )
        LOGGER.debug(
            "fit %d: iteration %d, objective %.6g",
            *(start_index, progress.iteration, progress.loss),
        )
        return results.report(own)

    criterion = Criterion(schedule.tol, lambda: _constant_model_loss(problem))
    converged = iterate(run, schedule, course, criterion, report)
    losses, checks = course.losses, course.checks
    LOGGER.info(
        "fit %d: %sconverged after %d iterations and %.3g s, objective %.6g",
        *(start_index, "" if converged else "not "),
        *(checks[-1], time.perf_counter() - began, losses[-1]),
    )
    factors = _result(problem, starts, run.factors())
    return Decomposition(
        factors,
        np.array(losses),
        np.array(checks),
        converged,
        problem.structure,
        problem.divergence,
        fitted=tuple(replace(f, initial=F) for f, F in zip(task.factors, factors, strict=True)),
        weights=task.weights,
    )


@dataclass
class Course:
    """Objective at the start and at each check, and the iterations of these."""

    losses: list[float]
    checks: list[int]


def iterate(
    run: Run,
    schedule: Schedule,
    course: Course,
    criterion: Criterion,
    report: Callable[[Progress], bool],
) -> bool:
    """Iterate until convergence, `max_iter`, or until `report` returns True after a check.

    `course` is continued. Returns whether the criterion was met.
    """
    losses, checks = course.losses, course.checks

    def converged() -> bool:
        # A shorter last interval is no evidence of convergence.
        complete = len(checks) > 1 and checks[-1] - checks[-2] == schedule.check_every
        return complete and criterion.met(losses)

    while not (ended := converged()) and checks[-1] < schedule.max_iter:
        n_iter = min(schedule.check_every, schedule.max_iter - checks[-1])
        run.advance(n_iter)
        checks.append(checks[-1] + n_iter)
        losses.append(finite(run.loss, checks[-1]))
        if report(Progress(checks[-1], schedule.max_iter, run.loss)):
            return converged()
    return ended


class Criterion:
    """Stopping criterion: the objective decreases by less than a tolerance.

    The tolerance is relative to the first objective, or to that of a constant model if that is
    smaller: of a poor start's objective, any later decrease would be a small part.
    """

    def __init__(self, tol: float, constant_model_loss: Callable[[], float]) -> None:
        self._tol = tol
        self._constant_model_loss = constant_model_loss
        self._constant: float | None = None  # computed at the first check that may be the last

    def met(self, losses: list[float]) -> bool:
        """Return whether the last decrease of the objectives at the checks was small enough."""
        decrease, first = losses[-2] - losses[-1], abs(losses[0])
        if not 0 < self._tol * first >= decrease:
            return False
        if self._constant is None:
            self._constant = self._constant_model_loss()
        # A constant V leaves no scale other than the first objective.
        return decrease <= self._tol * min(first, self._constant or first)


def _constant_model_loss(problem: Problem) -> float:
    """Divergence of the mean of V from V, at the caller's scale."""
    V, weights = problem.V, problem.weights
    mean = weighted_mean(V, weights)
    shards = [slice(first, first + SHARD) for first in range(0, V.shape[-1], SHARD)]
    costs = [
        constant_model_cost(
            problem.divergence, V[..., s], mean, None if weights is None else weights[..., s]
        )
        for s in shards
    ]
    return float(add_shards(np.array(costs))) * problem.cost_scale


def constant_model_cost(
    divergence: Divergence, V: np.ndarray, mean: float, weights: np.ndarray | None
) -> float:
    """Divergence of a constant from a shard of V, in blocks to save memory."""
    value, total = V.dtype.type(mean), 0.0
    for first in range(0, V.shape[-1], _MEAN_BLOCK):
        frames = (..., slice(first, first + _MEAN_BLOCK))
        block = V[frames]
        m = None if weights is None else weights[frames]
        total += divergence.value(block, np.full_like(block, value), m)
    return total


def finite(loss: float, iteration: int) -> float:
    """Return `loss`; raise `NumericalError` if it is not finite."""
    if not np.isfinite(loss):
        raise NumericalError(
            f"the objective is {loss} after {iteration} iterations; try float64, or another beta, "
            "initialisation or weights"
        )
    return loss


def _result(
    problem: Problem, starts: list[np.ndarray], fitted: Sequence[np.ndarray]
) -> tuple[np.ndarray, ...]:
    """Return C-contiguous factors at the caller's scale, fixed entries bitwise unchanged."""
    out = problem.scaled(fitted, problem.scale)
    out = [
        F if free is False else np.where(free, G, F)
        for F, G, free in zip(starts, out, problem.free, strict=True)
    ]
    if problem.units:
        out = problem.units.normalised(out)
    if not all(np.isfinite(F).all() for F in out):
        raise NumericalError("a factor is not finite; try float64")
    return tuple(np.ascontiguousarray(F) for F in out)
