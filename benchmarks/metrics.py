"""Run time of BSS-eval compared with mir_eval: ``python -m benchmarks.metrics``.

Sources are the first ten seconds of the sample `band`, in stereo and mixed down, as float64; each
estimate is its true source plus interference and noise. Times are medians of three rounds, each of
which runs both implementations.
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

with warnings.catch_warnings():  # mir_eval.separation is deprecated
    warnings.simplefilter("ignore")
    from mir_eval import separation

ROUNDS = 3


def main() -> None:
    warnings.simplefilter("ignore", FutureWarning)
    stereo = np.stack(
        [read(p, stop=10.0).samples for p in sorted((SAMPLES / "band" / "sources").iterdir())]
    ).astype(np.float64)
    rng = np.random.default_rng(0)
    print("| | nmfaudio, s | mir_eval, s | × | largest difference, dB |")
    print("|---|---|---|---|---|")
    for name, sources in (("one channel", stereo.mean(axis=1, keepdims=True)), ("stereo", stereo)):
        noise = np.sqrt(np.mean(sources**2)) * rng.standard_normal(sources.shape)
        estimates = 0.8 * sources + 0.1 * sources.sum(axis=0) + 0.1 * noise
        for order in (False, True):
            label = f"three sources, {name}{', permuted' if order else ''}"
            print(f"| {label} | {_compare(sources, estimates, order)} |", flush=True)


def _compare(sources: np.ndarray, estimates: np.ndarray, permuted: bool) -> str:
    """Cells of a table row: both run times, their ratio and the largest difference."""
    images = (sources.transpose(0, 2, 1), estimates.transpose(0, 2, 1))
    mono = sources.shape[1] == 1

    def theirs() -> np.ndarray:
        if mono:
            return np.array(
                separation.bss_eval_sources(sources[:, 0], estimates[:, 0], permuted)[:3]
            )
        return np.array(separation.bss_eval_images(*images, permuted)[:4])

    def ours() -> np.ndarray:
        bss = BssEval(sources)
        order = assign(bss.sir(estimates)) if permuted else range(len(sources))
        scores = bss.scores(estimates[list(order)])
        return np.array(
            (scores.sdr, scores.sir, scores.sar)
            if mono
            else (scores.image_sdr, scores.isr, scores.sir, scores.sar)
        )

    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    results: dict[str, np.ndarray] = {}
    for _ in range(ROUNDS):
        for name, run in (("ours", ours), ("theirs", theirs)):
            seconds[name].append(_timed(run, name, results))
    our_median, their_median = (statistics.median(seconds[name]) for name in ("ours", "theirs"))
    difference = np.abs(results["ours"] - results["theirs"]).max()
    ratio = their_median / our_median
    return f"{our_median:.2f} | {their_median:.1f} | {ratio:.0f} | {difference:.0e}"


def _timed(run: Callable[[], np.ndarray], name: str, results: dict[str, np.ndarray]) -> float:
    """Store the result of `run` under `name` and return the seconds it took."""
    began = time.perf_counter()
    results[name] = run()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
