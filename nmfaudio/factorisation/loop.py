"""Loop of iterations, run in parallel from several starts."""

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

# V is rescaled if its mean lies outside these bounds, beyond which products of float32 could leave
# the range of exponents (2^±126).
MIN_MEAN, MAX_MEAN = 2.0**-16, 2.0**16


@dataclass(frozen=True)
class Progress:
    """State of a running decomposition, passed to callbacks.

    Parameters
    ----------
    iteration : int
        Iterations done.
    max_iter : int
        Largest number of iterations.
    loss : float
        Objective at this iteration.
    start_index : int
        Index of the start, below `n_init`.

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


Callback = Callable[[Progress], bool | None]


@dataclass(frozen=True)
class Schedule:
    """Stopping criteria and the interval of checks, as in `decompose`."""

    max_iter: int
    tol: float
    check_every: int
    callback: Callback | None


@dataclass(frozen=True, eq=False)
class Task:
    """Arguments of a decomposition that all starts share.

    V and weights are those that `as_spectrogram` returns.
    """

    V: np.ndarray
    weights: np.ndarray | None
    structure: Structure
    divergence: Divergence
    factors: tuple[Factor, ...]
    solver: str | Solver
    schedule: Schedule


def best_of(task: Task, rngs: Sequence[np.random.Generator]) -> Decomposition:
    """Decompose from one start per generator; return the result of lowest objective.

    Of equal objectives the first start wins, so the result does not depend on the order of threads.
    """
    results = _BestOf(task.schedule.callback, len(rngs))
    scale = _scale(task.V, task.weights, task.divergence.degree)
    prepared = task.divergence.prepare(_divided(task.V, scale, None), task.weights)

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
    finally:  # after an interrupt, the other threads end at their next check
        results.stopped = True
    return replace(results.best, start_losses=results.losses)


class _BestOf:
    """Best result of parallel starts, and their shared callback; thread-safe."""

    best: Decomposition

    def __init__(self, callback: Callback | None, n_starts: int) -> None:
        self.stopped = False
        self.losses = np.full(n_starts, np.nan)
        """Final objective of each start."""
        self._callback = callback
        self._lock = threading.Lock()
        self._best_key = (float("inf"), 0)  # objective, then index of the start

    def report(self, progress: Progress) -> bool:
        """Call the callback; return whether all starts shall stop."""
        with self._lock:
            if not self.stopped and self._callback is not None:
                self.stopped = bool(self._callback(progress))
            return self.stopped

    def add(self, start_index: int, result: Decomposition) -> None:
        """Record the result of a start, and keep it if it is the best so far."""
        with self._lock:
            self.losses[start_index] = result.losses[-1]
            key = (float(result.losses[-1]), start_index)
            if key < self._best_key:
                self._best_key, self.best = key, result


def _pose(
    task: Task, prepared: np.ndarray, scale: float, rng: np.random.Generator
) -> tuple[Problem, list[np.ndarray], list[np.ndarray]]:
    """Problem at the scale of the solver, the starting factors, and these at that scale."""
    V, factors, structure = task.V, task.factors, task.structure
    starts = [f.begin(V, task.weights, rng) for f in factors]
    shape = structure.shape(starts)
    if shape != V.shape:
        raise ShapeError(
            f"factors of shapes {[F.shape for F in starts]} make a model of shape {shape}, "
            f"but V has {V.shape}; give factors that fit V"
        )
    carriers = structure.scale_carriers(len(starts))
    # Dividing V and these factors by the same number keeps the model in proportion to V.
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
    """Power of two nearest to V's mean, or 1 if V need not be rescaled.

    Divergences of degree ≤ 0 always rescale: they depend on ratios of V far below its mean.
    """
    mean = weighted_mean(V, weights)
    stays = degree is None or (degree > 0 and MIN_MEAN <= mean <= MAX_MEAN)
    return 1.0 if stays else power_of_two(mean)


def _divided(F: np.ndarray, scale: float, name: str | None) -> np.ndarray:
    """F divided by `scale`; factors, which have a name, must not over- or underflow."""
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
    """Iterate from one start until convergence, `max_iter` or the callback's stop."""
    problem, starts, X = _pose(task, prepared, scale, rng)
    schedule = task.schedule
    run = solver_named(task.solver, problem, X).begin(problem, X)
    losses, checks = [_finite(run.loss, 0)], [0]
    converged = stopped = False
    while checks[-1] < schedule.max_iter and not (converged or stopped):
        n_iter = min(schedule.check_every, schedule.max_iter - checks[-1])
        run.advance(n_iter)
        checks.append(checks[-1] + n_iter)
        losses.append(_finite(run.loss, checks[-1]))
        # Relative to the first objective; a last, shorter interval proves no convergence.
        threshold = schedule.tol * abs(losses[0])
        converged = 0 < threshold >= losses[-2] - losses[-1] and n_iter == schedule.check_every
        stopped = results.report(Progress(checks[-1], schedule.max_iter, run.loss, start_index))
    return Decomposition(
        _result(problem, starts, run.factors()),
        np.array(losses),
        np.array(checks),
        converged,
        problem.structure,
        problem.divergence,
    )


def _finite(loss: float, iteration: int) -> float:
    """Return `loss`; `NumericalError` if it is not finite."""
    if not np.isfinite(loss):
        raise NumericalError(
            f"the objective is {loss} after {iteration} iterations; try float64, or another beta, "
            "start or weights"
        )
    return loss


def _result(
    problem: Problem, starts: list[np.ndarray], fitted: Sequence[np.ndarray]
) -> tuple[np.ndarray, ...]:
    """Factors at the caller's scale, in C order, with fixed entries bitwise unchanged."""
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
