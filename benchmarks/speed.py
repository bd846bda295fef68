"""Time per iteration of plain NMF, ours and scikit-learn's: ``python -m benchmarks.speed``.

A three-minute spectrogram (1025 × 15504, float32) made by repeating the band sample. Ours and each
peer take turns in one process; an iteration is the difference between a long and a short run, so
that what they do once is not counted. The median ratio of the turns counts, with its range.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
from sklearn.decomposition import non_negative_factorization

import nmfaudio as na
from benchmarks.quality import load
from nmfaudio.separators.stems import analyse

FRAMES = 15504
SHORT, LONG = 2, 8  # iterations
BETAS = {"KL": 1.0, "IS": 0.0, "β = ½": 0.5, "Frobenius": 2.0}


def spectrogram() -> np.ndarray:
    """Magnitudes (freq, time) in Fortran order, as librosa gives them."""
    mixture, sr, _ = load("band")
    V = analyse(mixture, na.Stft(sr, 2048, 512)) + np.float32(1e-4)
    return np.asfortranarray(np.tile(V, -(-FRAMES // V.shape[1]))[:, :FRAMES])


def ours(V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float) -> Callable[[int], object]:
    return lambda n: na.nmf(
        V, W=W, H=H, beta_loss=beta, solver="mu", max_iter=n, tol=0, check_every=1000
    )


def sklearns(V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float) -> Callable[[int], object]:
    return lambda n: non_negative_factorization(
        V,
        W=W.copy(),
        H=H.copy(),
        n_components=W.shape[1],
        init="custom",
        solver="mu",
        beta_loss=beta,
        max_iter=n,
        tol=0,
    )


def per_iteration(run: Callable[[int], object]) -> float:
    """Seconds."""
    times = []
    for n in (SHORT, LONG):
        began = time.perf_counter()
        run(n)
        times.append(time.perf_counter() - began)
    return (times[1] - times[0]) / (LONG - SHORT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")  # that scikit-learn has not converged
    V = spectrogram()
    in_c_order = np.ascontiguousarray(V)
    rng = np.random.default_rng(0)
    print("| loss | components | ours, ms | × sklearn, C order | × sklearn, librosa's order |")
    print("|---|---|---|---|---|")
    for name, beta in BETAS.items():
        for rank in (8, 32, 128):
            W = rng.random((len(V), rank), np.float32) + np.float32(0.1)
            H = rng.random((rank, FRAMES), np.float32) + np.float32(0.1)
            ours(V, W, H, beta)(1)  # compiled, if it was not
            runs = ours(V, W, H, beta), sklearns(in_c_order, W, H, beta), sklearns(V, W, H, beta)
            turns = np.array([[per_iteration(run) for run in runs] for _ in range(chosen.turns)])
            ratios = turns[:, 1:] / turns[:, :1]
            cells = [f"{np.median(r):.1f} ({r.min():.1f}–{r.max():.1f})" for r in ratios.T]
            print(f"| {name} | {rank} | {1e3 * np.median(turns[:, 0]):.0f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
