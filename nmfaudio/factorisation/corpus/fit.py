"""Fits of a corpus: from a sample of its frames and a few passes, or by all iterations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nmfaudio.errors import NumericalError
from nmfaudio.factorisation.corpus.driver import Driver
from nmfaudio.factorisation.corpus.results import save_activations
from nmfaudio.factorisation.corpus.runs import CorpusRun, ExtrapolatedCorpusRun, FreshRun
from nmfaudio.factorisation.corpus.shard_sums import SweepSettings
from nmfaudio.factorisation.corpus.start import SURVEYING, Start, initial
from nmfaudio.factorisation.corpus.store import Stored
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.engine import nmf
from nmfaudio.factorisation.initialisation import mean_of, weighted_mean
from nmfaudio.factorisation.loop import (
    Course,
    Criterion,
    Progress,
    Schedule,
    finite,
    iterate,
    scale_for,
)
from nmfaudio.factorisation.sums import add_shards

_SAMPLE_FRAMES, _SAMPLE_BINS = 200_000, 2**28


@dataclass(frozen=True)
class Method:
    """Settings of a fit.

    Parameters
    ----------
    rank : int
        Number of components.
    divergence : Beta
    solver : "mu" or "bmme"
    schedule : Schedule
        Stopping criteria, of the fit to the sample or by all iterations.
    seed : int
    sample : int or None
        Largest number of frames of the sample.
    passes : int
        Passes after the fit to the sample.
    updates : int
        Updates of the activations in each of them.
    """

    rank: int
    divergence: Beta
    solver: str
    schedule: Schedule
    seed: int
    sample: int | None
    passes: int
    updates: int

    def sample_frames(self, n_bins: int) -> int:
        """Largest number of frames of the sample, by default as many as take 1 GiB in float32."""
        return self.sample or min(_SAMPLE_FRAMES, max(1, _SAMPLE_BINS // n_bins))

    def describe(self, n_bins: int, *, exact: bool) -> dict[str, Any]:
        """Return all settings that the result depends on, in JSON types."""
        common = {
            "rank": self.rank,
            "beta": self.divergence.beta,
            "floor": self.divergence.floor,
            "solver": self.solver,
            "max_iter": self.schedule.max_iter,
            "tol": self.schedule.tol,
            "check_every": self.schedule.check_every,
            "seed": self.seed,
            "exact": exact,
        }
        if exact:
            return common
        of_passes = {"passes": self.passes, "updates": self.updates}
        return common | of_passes | {"sample": self.sample_frames(n_bins)}


@dataclass(frozen=True, eq=False)
class Fitted:
    """Result of a fit.

    Parameters
    ----------
    W : np.ndarray [shape=(freq, component)]
    losses : np.ndarray [shape=(check,)]
    checks : np.ndarray [shape=(check,)]
        Iteration or pass of each loss.
    converged : bool
    activations : tuple of Path
        Files of the activations of each block, if they were kept.
    """

    W: np.ndarray
    losses: np.ndarray
    checks: np.ndarray
    converged: bool
    activations: tuple[Path, ...] = ()


def fit_exactly(
    driver: Driver,
    method: Method,
    W: np.ndarray | None,
    H: np.ndarray | None,
    *,
    keep: bool,
) -> Fitted:
    """Fit W and H by all iterations, as `nmf` does with the whole corpus in memory.

    Parameters
    ----------
    driver : Driver
    method : Method
    W : np.ndarray [shape=(freq, component)] or None
        Initial templates.
    H : np.ndarray [shape=(component, time)] or None
        Initial activations.
    keep : bool
        Whether the spectrograms are kept on disk.

    Returns
    -------
    Fitted
    """
    start = initial(driver, method.rank, method.divergence, W, H, method.seed, keep=keep)
    kind = ExtrapolatedCorpusRun if method.solver == "bmme" else CorpusRun
    run = kind(driver, start.W, start.settings, start.top)
    course = _resumed(run, driver.load_checkpoint())
    if course is None:
        run.begin()
        course = Course([finite(run.loss, 0)], [0])
        _keep(driver, run, course)
    callback = method.schedule.callback

    def report(progress: Progress) -> bool:
        _keep(driver, run, course)
        return callback is not None and bool(callback(progress))

    criterion = Criterion(method.schedule.tol, lambda: _constant_model_loss(driver, run, start))
    converged = iterate(run, method.schedule, course, criterion, report)
    templates = np.array(run.templates)
    if not np.isfinite(templates).all():
        raise NumericalError("a factor is not finite; try float64")
    files = save_activations(driver, run.source, method.rank, start.settings.scale)
    losses, checks = np.array(course.losses), np.array(course.checks)
    return Fitted(templates, losses, checks, converged, files)


_CONSTANT = "prepared-sums", "constant-model"  # steps of the loss of a constant model


def _constant_model_loss(driver: Driver, run: CorpusRun, start: Start) -> float:
    """Divergence of the mean of V from V, as the loop of `nmf` computes it."""
    plan = driver.work.plan
    facts = {"settings": start.settings._asdict(), "top": start.top}
    order = Stored(facts | {"kind": "sums"}, {})
    sums = [value for each in driver.results(_CONSTANT[0], order) for value in each.facts["sums"]]
    mean = mean_of(sums, plan.settings["n_bins"] * plan.n_frames)
    order = Stored(facts | {"kind": "constant", "mean": mean}, {})
    costs = [value for each in driver.results(_CONSTANT[1], order) for value in each.facts["costs"]]
    return float(add_shards(np.array(costs))) * run.cost_scale


def _keep(driver: Driver, run: CorpusRun, course: Course) -> None:
    """Save a checkpoint."""
    state = run.state()
    facts = state.facts | {"losses": course.losses, "checks": course.checks}
    driver.save_checkpoint(Stored(facts, state.arrays), {*run.needed(), *_CONSTANT})


def _resumed(run: CorpusRun, state: Stored | None) -> Course | None:
    """Return to a checkpoint, if there is one."""
    if state is None:
        return None
    run.restore(state)
    return Course(state.facts["losses"], state.facts["checks"])


def fit_from_sample(driver: Driver, method: Method, W: np.ndarray | None) -> Fitted:
    """Fit W to frames spread over the corpus, then update it by passes over all frames.

    Each pass computes the activations anew from W alone, sums over all frames and updates W once.

    Parameters
    ----------
    driver : Driver
    method : Method
    W : np.ndarray [shape=(freq, component)] or None
        Initial templates.

    Returns
    -------
    Fitted
    """
    state = driver.load_checkpoint()
    if state is None:
        state = _fit_sample(driver, method, W)
        driver.save_checkpoint(state, ())
    settings = SweepSettings(**state.facts["settings"])
    start = state.arrays["W"], settings, state.facts["top"]
    run = FreshRun(driver, *start, updates=method.updates, passes=method.passes)
    run.restore(state)
    losses, callback, stopped = state.facts["losses"], method.schedule.callback, False
    while len(losses) < method.passes and not stopped:
        run.advance(1)
        losses.append(finite(run.loss, len(losses)))
        now = run.state()
        driver.save_checkpoint(Stored(state.facts | now.facts | {"losses": losses}, now.arrays), ())
        progress = Progress(1, 1, run.loss, len(losses), 1 + method.passes)
        stopped = callback is not None and bool(callback(progress))
    if not np.isfinite(run.templates).all():
        raise NumericalError("a factor is not finite; try float64")
    checks = np.arange(len(losses))
    return Fitted(np.array(run.templates), np.array(losses), checks, state.facts["converged"])


def _fit_sample(driver: Driver, method: Method, W: np.ndarray | None) -> Stored:
    """Fit W to the sample; return the state of the run that continues."""
    plan, divergence, schedule = driver.work.plan, method.divergence, method.schedule
    count = min(method.sample_frames(plan.settings["n_bins"]), plan.n_frames)
    rows = np.empty((count, plan.settings["n_bins"]), plan.settings["dtype"])
    order = Stored({"kind": "sample", "count": count}, {})
    filled = 0
    for result in driver.results("sample", order, SURVEYING):
        if "V" in result.arrays:
            rows[filled : filled + len(result.arrays["V"])] = result.arrays["V"]
            filled += len(result.arrays["V"])
    callback = schedule.callback
    d = nmf(
        rows.T,
        method.rank,
        beta_loss=divergence,
        solver=method.solver,
        W=W,
        max_iter=schedule.max_iter,
        tol=schedule.tol,
        check_every=schedule.check_every,
        callback=callback and (lambda p: callback(replace(p, n_starts=1 + method.passes))),
        rng=method.seed,
    )
    scale = scale_for(weighted_mean(rows.T, None), divergence.degree)
    exponents = list(divergence.exponents)
    settings = SweepSettings(divergence.beta, divergence.floor, scale, exponents, False)
    facts = {
        "number": -1,
        "loss": float(d.losses[-1]),
        "losses": [],
        "converged": d.converged,
        "settings": settings._asdict(),
        "top": float(rows.max() / rows.dtype.type(scale)),
    }
    return Stored(facts, {"W": d.W})
