"""Components as features, compared with PCA and k-means: ``python -m benchmarks.features``.

Data are the digits of scikit-learn (8 × 8 pixels, ten classes) and frames of the drum stems of
`audio_samples` (magnitudes, three classes: kick, snare, hi-hat). Columns, at equal rank:

- error: reconstruction error relative to the data, both as Frobenius norms;
- Hoyer: sparsity of the components, 0 for equal entries and 1 for a single non-zero entry (Hoyer
  2004);
- local: largest share of a component's energy in a window of about a seventh of its entries, 3 × 3
  pixels or as many neighbouring bins; evenly spread energy gives 0.14;
- NMI: normalised mutual information of the classes with each sample's largest activation (for
  k-means its cluster), and with ten (or three) clusters that k-means finds among the features;
- accuracy: logistic regression on the features, five folds; a fold is a contiguous section of every
  class, so that neighbouring frames are in the same fold;
- seconds: time of `fit_transform`, minimum over seeds, after a first call that compiles.

Figures are mean ± standard deviation over seeds.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import NMF, PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import normalized_mutual_info_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nmfaudio as na
from nmfaudio.audio.io import read

SAMPLES = Path(__file__).parent.parent / "audio_samples"
COLUMNS = ("error", "Hoyer", "local", "NMI, largest", "NMI, k-means", "accuracy", "seconds")

METHODS: dict[str, Callable[[int, int], Any]] = {
    "NMF, KL": lambda rank, seed: na.estimators.NMF(rank, random_state=seed, init="random"),
    "NMF, KL, sparse": lambda rank, seed: na.estimators.NMF(
        rank, random_state=seed, init="random", sparsity=1.0
    ),
    "NMF, Frobenius": lambda rank, seed: na.estimators.NMF(
        rank, beta_loss="frobenius", random_state=seed, init="random"
    ),
    "scikit-learn NMF, KL": lambda rank, seed: NMF(
        rank, solver="mu", beta_loss="kullback-leibler", random_state=seed, init="random"
    ),
    "scikit-learn NMF, Frobenius": lambda rank, seed: NMF(rank, random_state=seed, init="random"),
    "PCA": lambda rank, seed: PCA(rank, random_state=seed),
    "k-means": lambda rank, seed: KMeans(rank, random_state=seed, n_init=1),
}


@dataclass(frozen=True)
class Case:
    """Samples, their classes, and the entries in each window [shape=(window, feature)]."""

    X: np.ndarray
    y: np.ndarray
    rank: int
    windows: np.ndarray


def digits() -> Case:
    """Digits of scikit-learn, scaled to [0, 1]."""
    X, y = load_digits(return_X_y=True)
    grid = np.arange(64).reshape(8, 8)
    boxes = [grid[i : i + 3, j : j + 3] for i in range(6) for j in range(6)]
    return Case(X / 16, y, 16, np.array([np.isin(grid.ravel(), box) for box in boxes]))


def drums() -> Case:
    """Frames of the drum stems, without those below 5 % of the loudest."""
    frames, labels = [], []
    for label, path in enumerate(sorted((SAMPLES / "drums" / "sources").iterdir())):
        audio = read(path)
        V = np.abs(na.Stft(audio.sr, n_fft=1024, hop=512).forward(audio.samples))[0]
        active = V[:, V.sum(0) > 0.05 * V.sum(0).max()]
        frames.append(active.T)
        labels += [label] * active.shape[1]
    X = np.concatenate(frames)
    bins = np.arange(X.shape[1])
    width = len(bins) // 7
    bands = [(bins >= low) & (bins < low + width) for low in bins[: len(bins) - width + 1]]
    return Case(X / X.mean(), np.array(labels), 6, np.array(bands))


def hoyer(parts: np.ndarray) -> float:
    """Mean sparsity of components [shape=(component, feature)]."""
    # (√n − L1 / L2) / (√n − 1), Hoyer 2004.
    size = np.sqrt(parts.shape[1])
    ratio = np.abs(parts).sum(1) / np.linalg.norm(parts, axis=1)
    return float(((size - ratio) / (size - 1)).mean())


def locality(parts: np.ndarray, windows: np.ndarray) -> float:
    """Mean over components of the largest share of energy in a window."""
    energy = parts**2
    return float(((energy @ windows.T).max(1) / energy.sum(1)).mean())


def reconstruction(model: Any, codes: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Reconstruction from features; for k-means the centre of each sample's cluster."""
    if isinstance(model, KMeans):
        return np.asarray(model.cluster_centers_[model.labels_])
    return np.asarray(model.inverse_transform(codes))


def measure(case: Case, make: Callable[[int, int], Any], seed: int) -> list[float]:
    """Return one number per column of the table."""
    model = make(case.rank, seed)
    begun = time.perf_counter()
    codes = model.fit_transform(case.X)
    seconds = time.perf_counter() - begun
    clustered = isinstance(model, KMeans)
    parts = model.cluster_centers_ if clustered else model.components_
    largest = model.labels_ if clustered else np.abs(codes).argmax(1)
    clusters = KMeans(len(set(case.y)), random_state=seed, n_init=4).fit_predict(codes)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    scores = cross_val_score(classifier, codes, case.y, cv=StratifiedKFold(5))
    error = np.linalg.norm(case.X - reconstruction(model, codes, case.X))
    return [
        float(error / np.linalg.norm(case.X)),
        hoyer(parts[np.linalg.norm(parts, axis=1) > 0]),
        locality(parts[np.linalg.norm(parts, axis=1) > 0], case.windows),
        float(normalized_mutual_info_score(case.y, largest)),
        float(normalized_mutual_info_score(case.y, clusters)),
        float(scores.mean()),
        seconds,
    ]


def show(values: np.ndarray) -> list[str]:
    """Format values [shape=(seed, column)] as table cells."""
    cells = [f"{v.mean():.3f} ± {v.std():.3f}" for v in values.T[:-1]]
    return [*cells, f"{values[:, -1].min():.2f}"]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.features",
        description="Compare NMF, PCA and k-means as feature extractors at equal rank.",
    )
    parser.add_argument("--seeds", type=int, default=4, help="number of random seeds (default: 4)")
    seeds = parser.parse_args().seeds
    warnings.simplefilter("ignore", ConvergenceWarning)
    for title, case in {"digits": digits(), "drum frames": drums()}.items():
        print(f"\n**{title}**: {case.X.shape[0]} × {case.X.shape[1]}, rank {case.rank}\n")
        print(f"| | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}")
        for name, make in METHODS.items():
            print(f"{title}: {name}", file=sys.stderr)
            make(case.rank, 0).fit(case.X[:200])
            values = np.array([measure(case, make, seed) for seed in range(seeds)])
            print(f"| {name} | {' | '.join(show(values))} |", flush=True)


if __name__ == "__main__":
    main()
