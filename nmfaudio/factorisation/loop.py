"""From starts to the best `Decomposition`: runs side by side, each in one loop of iterations."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nmfaudio.errors import NumericalError, ParameterError, ShapeError
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.divergences import Divergence
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.initialisation import power_of_two, weighted_mean
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers import Solver, solver_named
from nmfaudio.factorisation.structures import Structure
from nmfaudio.kernels.threads import parallel_for_each

# V's mean may lie between these as it is; beyond them float32 would run out of exponents.
QUIETEST, LOUDEST = 2.0**-16, 2.0**16


@dataclass(frozen=True)
class Progress:
    """How far a decomposition has come, as callbacks are told."""

    iteration: int
    max_iter: int
    loss: float
    start: int = 0
    """Which of the `n_init` starts this is."""


Callback = Callable[[Progress], bool | None]


@dataclass(frozen=True)
class Schedule:
    """When a run checks the objective, and when it ends."""

    max_iter: int
    tol: float
    check_every: int
    callback: Callback | None


@dataclass(frozen=True, eq=False)
class Task:
    """What all starts have in common; V and weights as `as_spectrogram` returns them."""

    V: np.ndarray
    weights: np.ndarray | None
    structure: Structure
    divergence: Divergence
    factors: tuple[Factor, ...]
    solver: str | Solver
    schedule: Schedule


def best_of(task: Task, rngs: Sequence[np.random.Generator]) -> Decomposition:
    """The best of the runs from as many starts as there are generators, the first of equals."""
    desk = _BestOf(task.schedule.callback, len(rngs))
    scale = _scale(task.V, task.weights, task.divergence.degree)
    prepared = task.divergence.prepare(_divided(task.V, scale, None), task.weights)

    def run(number: int) -> None:
        if desk.closed:
            return
        try:
            desk.offer(number, _run(task, prepared, scale, rngs[number], desk, number))
        except BaseException:
            desk.closed = True
            raise

    try:
        parallel_for_each(run, len(rngs))
    finally:  # an interrupt while waiting for the others ends them at their next check
        desk.closed = True
    return replace(desk.best, start_losses=desk.losses)


class _BestOf:
    """Where runs side by side report: it calls the callback, and keeps the best result."""

    best: Decomposition

    def __init__(self, callback: Callback | None, starts: int) -> None:
        self.closed = False
        self.losses = np.full(starts, np.nan)
        """Where each start ended."""
        self._callback = callback
        self._lock = threading.Lock()
        self._rank = (float("inf"), 0)

    def report(self, progress: Progress) -> bool:
        """Whether all shall stop."""
        with self._lock:
            if not self.closed and self._callback is not None:
                self.closed = bool(self._callback(progress))
            return self.closed

    def offer(self, number: int, found: Decomposition) -> None:
        with self._lock:
            self.losses[number] = found.losses[-1]
            rank = (float(found.losses[-1]), number)
            if rank < self._rank:
                self._rank, self.best = rank, found


def _pose(
    task: Task, prepared: np.ndarray, scale: float, rng: np.random.Generator
) -> tuple[Problem, list[np.ndarray], list[np.ndarray]]:
    """The problem at a scale the arithmetic can bear, its starts, and these at that scale."""
    V, factors, structure = task.V, task.factors, task.structure
    starts = [f.begin(V, task.weights, rng) for f in factors]
    shape = structure.shape(starts)
    if shape != V.shape:
        raise ShapeError(
            f"the factors' shapes {[F.shape for F in starts]} make a model of shape {shape}, "
            f"but V has {V.shape}; give factors that fit V"
        )
    carriers = structure.scale_carriers(len(starts))
    X = [
        _divided(F, scale, f.name) if i in carriers else F
        for i, (f, F) in enumerate(zip(factors, starts, strict=True))
    ]
    free = tuple(f.movable(F.shape) for f, F in zip(factors, starts, strict=True))
    problem = Problem(prepared, task.weights, structure, task.divergence, factors, free, scale)
    if problem.units:
        problem.units.check(starts, free)
    for penalty in (p for f in factors for p in f.penalties if hasattr(p, "check")):
        penalty.check([penalty in f.penalties for f in factors])
    return problem, starts, X


def _scale(V: np.ndarray, weights: np.ndarray | None, degree: float | None) -> float:
    """The power of two nearest to V's mean, or 1 where V can stay as it is.

    It cannot where a divergence of degree ≤ 0 needs all of the range below V's mean.
    """
    mean = weighted_mean(V, weights)
    stays = degree is None or (degree > 0 and QUIETEST <= mean <= LOUDEST)
    return 1.0 if stays else power_of_two(mean)


def _divided(F: np.ndarray, scale: float, name: str | None) -> np.ndarray:
    """F at another scale; a factor (it has a name) must not lose entries on the way."""
    if scale == 1.0:
        return F
    divided: np.ndarray = F / F.dtype.type(scale)
    if name is not None and (not np.isfinite(divided).all() or ((divided == 0) & (F > 0)).any()):
        raise ParameterError(
            f"{name or 'a factor'} has values from {F[F > 0].min():g} to {F.max():g}, too "
            f"far from V's mean of about {scale:g} for {F.dtype}; bring them closer or use float64"
        )
    return divided


def _run(
    task: Task,
    prepared: np.ndarray,
    scale: float,
    rng: np.random.Generator,
    desk: _BestOf,
    number: int,
) -> Decomposition:
    """What the run from one start found."""
    problem, starts, X = _pose(task, prepared, scale, rng)
    schedule = task.schedule
    run = solver_named(task.solver, problem, X).begin(problem, X)
    losses, checks = [_finite(run.loss, 0)], [0]
    converged = stopped = False
    while checks[-1] < schedule.max_iter and not (converged or stopped):
        todo = min(schedule.check_every, schedule.max_iter - checks[-1])
        run.advance(todo)
        checks.append(checks[-1] + todo)
        losses.append(_finite(run.loss, checks[-1]))
        enough = schedule.tol * abs(losses[0])
        converged = 0 < enough >= losses[-2] - losses[-1] and todo == schedule.check_every
        stopped = desk.report(Progress(checks[-1], schedule.max_iter, run.loss, number))
    return Decomposition(
        _result(problem, starts, run.factors()),
        np.array(losses),
        np.array(checks),
        converged,
        problem.structure,
        problem.divergence,
    )


def _finite(loss: float, iteration: int) -> float:
    if not np.isfinite(loss):
        raise NumericalError(
            f"the objective is {loss} after {iteration} iterations; the result was thrown away; "
            "try float64, or another beta, start or weights"
        )
    return loss


def _result(
    problem: Problem, starts: list[np.ndarray], found: Sequence[np.ndarray]
) -> tuple[np.ndarray, ...]:
    """The factors at the caller's scale, in C order, the fixed entries exactly as they were."""
    out = problem.scaled(found, problem.scale)
    out = [
        F if free is False else np.where(free, G, F)
        for F, G, free in zip(starts, out, problem.free, strict=True)
    ]
    if problem.units:
        out = problem.units.normalised(out)
    if not all(np.isfinite(F).all() for F in out):
        raise NumericalError("a factor is not finite; the result was thrown away; try float64")
    return tuple(np.ascontiguousarray(F) for F in out)
