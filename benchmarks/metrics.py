"""How long BSS-eval takes, beside mir_eval: ``python -m benchmarks.metrics``.

On the first ten seconds of the project's band, mixed down or not, float64, each estimate its true
source with noise; median of three rounds, in each of which both take their turn.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np

from benchmarks.quality.cases import SAMPLES
from nmfaudio.audio.io import read
from nmfaudio.metrics import BssEval
from nmfaudio.metrics.scale_invariant import assign

with warnings.catch_warnings():  # it warns of its own end
    warnings.simplefilter("ignore")
    from mir_eval import separation

ROUNDS = 3


def main() -> None:
    warnings.simplefilter("ignore", FutureWarning)
    stereo = np.stack(
        [read(p, stop=10.0).samples for p in sorted((SAMPLES / "band" / "sources").iterdir())]
    ).astype(np.float64)
    rng = np.random.default_rng(0)
    print("| | ours, s | mir_eval, s | × | largest difference, dB |")
    print("|---|---|---|---|---|")
    for name, sources in (("one channel", stereo.mean(axis=1, keepdims=True)), ("stereo", stereo)):
        noise = np.sqrt(np.mean(sources**2)) * rng.standard_normal(sources.shape)
        estimates = 0.8 * sources + 0.1 * sources.sum(axis=0) + 0.1 * noise
        for order in (False, True):
            told = f"three sources, {name}{', permuted' if order else ''}"
            print(f"| {told} | {_compare(sources, estimates, order)} |", flush=True)


def _compare(sources: np.ndarray, estimates: np.ndarray, permuted: bool) -> str:
    images = (sources.transpose(0, 2, 1), estimates.transpose(0, 2, 1))
    mono = sources.shape[1] == 1

    def theirs() -> np.ndarray:
        if mono:
            return np.array(
                separation.bss_eval_sources(sources[:, 0], estimates[:, 0], permuted)[:3]
            )
        return np.array(separation.bss_eval_images(*images, permuted)[:4])

    def ours() -> np.ndarray:
        judge = BssEval(sources)
        order = assign(judge.sir(estimates)) if permuted else range(len(sources))
        found = judge.scores(estimates[list(order)])
        return np.array(
            (found.sdr, found.sir, found.sar)
            if mono
            else (found.image_sdr, found.isr, found.sir, found.sar)
        )

    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    results: dict[str, np.ndarray] = {}
    for _ in range(ROUNDS):
        for who, run in (("ours", ours), ("theirs", theirs)):
            seconds[who].append(_timed(run, who, results))
    mine, other = (statistics.median(seconds[who]) for who in ("ours", "theirs"))
    difference = np.abs(results["ours"] - results["theirs"]).max()
    return f"{mine:.2f} | {other:.1f} | {other / mine:.0f} | {difference:.0e}"


def _timed(run: Callable[[], np.ndarray], who: str, results: dict[str, np.ndarray]) -> float:
    began = time.perf_counter()
    results[who] = run()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
