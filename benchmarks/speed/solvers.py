"""Time to the objective that scikit-learn reaches, from the same initial factors."""

from __future__ import annotations

from typing import Any

import numpy as np

import nmfaudio as na
from benchmarks.speed.measure import paired, say, seconds_of
from benchmarks.speed.peers import OURS, fit_sklearn
from benchmarks.speed.sound import Sizes, initial_factors, spectrogram

RANK = 32
RACES: dict[str, dict[str, Any]] = {
    "KL": {"beta": 1, "theirs": "mu", "iterations": 200, "ours": "auto"},
    "Frobenius": {"beta": 2, "theirs": "cd", "iterations": 60, "ours": "hals"},
}


def objective(V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float) -> float:
    """Beta-divergence of V and W H."""
    return float(na.nmf(V, W=W, H=H, beta_loss=beta, max_iter=0).losses[0])


class Race:
    """Time to the same objective in nmfaudio and in scikit-learn (C order, which suits it best).

    `theirs` sets the target, so it runs first. The time of `ours` is that of the whole call, which
    evaluates the objective every ten iterations and stops below the target.
    """

    def __init__(self, V: np.ndarray, beta: float, theirs: str, iterations: int, ours: str) -> None:
        self.V, self.beta, self.iterations = V, beta, iterations
        self.solvers = theirs, ours
        self.initial = initial_factors(V, (V.shape[0], RANK), (RANK, V.shape[1]))
        self.target = np.nan
        self.n_iters: list[int] = []

    def theirs(self) -> float:
        """Run scikit-learn, set the target and return the seconds."""
        V, (W, H) = np.ascontiguousarray(self.V), self.initial
        results: list[tuple[np.ndarray, np.ndarray]] = []
        solver = self.solvers[0]
        seconds = seconds_of(
            lambda: results.append(fit_sklearn(V, W, H, self.beta, self.iterations, solver))
        )
        self.target = objective(self.V, *results[0], self.beta)
        return seconds

    def ours(self) -> float:
        """Run nmfaudio down to the target and return the seconds."""
        results: list[na.Decomposition] = []
        seconds = seconds_of(lambda: results.append(self.fit(self.V, *self.initial)))
        n_iter = results[0].n_iter
        self.n_iters.append(n_iter)
        if results[0].losses[-1] > self.target:
            raise SystemExit(
                f"{self.solvers[1]} did not reach {self.target:g} in {n_iter} iterations"
            )
        return seconds

    def fit(self, V: np.ndarray, W: np.ndarray, H: np.ndarray) -> na.Decomposition:
        """Factorise until the objective is below the target."""
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
        """Factorise a few frames, so that compilation is not timed."""
        few = slice(None), slice(0, 64)
        na.nmf(self.V[few], 4, beta_loss=self.beta, solver=self.solvers[1], max_iter=20, rng=0)


def race_rows(sizes: Sizes, repeats: int) -> list[dict[str, Any]]:
    V = spectrogram(sizes.seconds["3 min"], "float32")
    """Measure every race."""
    results = []
    for name, settings in RACES.items():
        race = Race(V, **settings)
        race.warm_up()
        took = paired({"scikit-learn C": race.theirs, OURS: race.ours}, repeats)
        ratio = took["scikit-learn C"].to(took[OURS])
        say(f"{name}, time to scikit-learn's objective: {ratio} ×")
        results.append(
            {"loss": name, "shape": V.shape, "rank": RANK, **settings}
            | {"our iterations": race.n_iters[-1], "target": race.target}
            | {"seconds": took, "ratio": ratio}
        )
    return results
