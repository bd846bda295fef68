"""Time from the same start to the objective that scikit-learn has after so many iterations."""

from __future__ import annotations

from typing import Any

import numpy as np

import nmfaudio as na
from benchmarks.speed.measure import paired, say, seconds_of
from benchmarks.speed.peers import OURS, fit_sklearn
from benchmarks.speed.sound import Sizes, spectrogram, start

RANK = 32
RACES = {
    "KL": {"beta": 1, "theirs": "mu", "iterations": 200, "ours": "auto"},
    "Frobenius": {"beta": 2, "theirs": "cd", "iterations": 60, "ours": "hals"},
}


def objective(V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float) -> float:
    return float(na.nmf(V, W=W, H=H, beta_loss=beta, max_iter=0).losses[0])


class Race:
    """One loss, raced by us and by scikit-learn on its preferred (C) order.

    Whoever calls `theirs` first learns the target. Our time is that of the whole call, which looks
    at the objective every ten iterations and stops below the target.
    """

    def __init__(self, V: np.ndarray, beta: float, theirs: str, iterations: int, ours: str) -> None:
        self.V, self.beta, self.iterations = V, beta, iterations
        self.solvers = theirs, ours
        self.start = start(V, (V.shape[0], RANK), (RANK, V.shape[1]))
        self.target = np.nan
        self.needed: list[int] = []

    def theirs(self) -> float:
        V, (W, H) = np.ascontiguousarray(self.V), self.start
        found: list[tuple[np.ndarray, np.ndarray]] = []
        solver = self.solvers[0]
        seconds = seconds_of(
            lambda: found.append(fit_sklearn(V, W, H, self.beta, self.iterations, solver))
        )
        self.target = objective(self.V, *found[0], self.beta)
        return seconds

    def ours(self) -> float:
        found: list[na.Decomposition] = []
        seconds = seconds_of(lambda: found.append(self.fit(self.V, *self.start)))
        self.needed.append(found[0].n_iter)
        if found[0].losses[-1] > self.target:
            raise SystemExit(
                f"{self.solvers[1]} did not reach {self.target:g} in {found[0].n_iter} iterations"
            )
        return seconds

    def fit(self, V: np.ndarray, W: np.ndarray, H: np.ndarray) -> na.Decomposition:
        return na.nmf(
            V,
            W=W,
            H=H,
            beta_loss=self.beta,
            solver=self.solvers[1],
            tol=0,
            max_iter=20 * self.iterations,
            callback=lambda progress: progress.loss <= self.target,
        )

    def warm_up(self) -> None:
        """A few frames, so that the machine code is there."""
        few = slice(None), slice(0, 64)
        na.nmf(self.V[few], 4, beta_loss=self.beta, solver=self.solvers[1], max_iter=20, rng=0)


def rows(sizes: Sizes, repeats: int) -> list[dict[str, Any]]:
    V = spectrogram(sizes.seconds["3 min"], "float32")
    found = []
    for name, settings in RACES.items():
        race = Race(V, **settings)
        race.warm_up()
        took = paired({"scikit-learn C": race.theirs, OURS: race.ours}, repeats)
        ratio = took["scikit-learn C"].to(took[OURS])
        say(f"{name}, time to scikit-learn's objective: {ratio} ×")
        found.append(
            {"loss": name, "shape": V.shape, "rank": RANK, **settings}
            | {"our iterations": race.needed[-1], "target": race.target}
            | {"seconds": took, "ratio": ratio}
        )
    return found
