"""Natural classes of numbers, by one-dimensional clustering."""

from __future__ import annotations

import numpy as np

from nmfaudio.stems.percussiveness import safe_ratio


def natural_classes(
    values: np.ndarray,
    weights: np.ndarray,
    count: int,
    unexplained: float = 0.0,
    negligible: float = 0.0,
) -> np.ndarray:
    """Split `values` into natural classes (Fisher–Jenks); return their labels 0, 1, ….

    The classes are intervals, labelled from low to high, that minimise the weighted squared
    deviation of the values from their class means, found by dynamic programming (W. D. Fisher 1958,
    doi:10.1080/01621459.1958.10501479). There are at most `count` classes: fewer if the deviation
    that remains is at most the share `unexplained` of that of a single class, or if the standard
    deviation within classes is at most `negligible`.
    """
    n = len(values)
    order = np.argsort(values, kind="stable")
    x, w = values[order] - values.mean() if n else values, weights[order]
    # Squared deviation of the values i … j - 1 from their mean, ∑ w x² - (∑ w x)² / ∑ w, from the
    # cumulative sums of w, w x and w x²; [i, j] of each array of shape (n + 1, n + 1).
    mass, first, second = (np.append(0, np.cumsum(w * x**p)) for p in range(3))
    sums = [s[None, :] - s[:, None] for s in (mass, first, second)]
    spread = sums[2] - safe_ratio(sums[1] ** 2, sums[0], 0.0)
    # cost[i, j] of a class of the values i … j - 1; infinite for i ≥ j
    cost = np.where(np.triu(np.ones((n + 1, n + 1), bool), 1), np.maximum(spread, 0), np.inf)
    tolerated = max(unexplained * cost[0, n], negligible**2 * mass[n]) if n else 0.0
    best = cost[0]  # best[j]: smallest cost of the values 0 … j - 1 in the classes so far
    starts: list[np.ndarray] = []  # starts[c][j]: first value of class c + 1 if it ends at j - 1
    while len(starts) < min(count, n) - 1 and (tolerated == 0 or best[n] > tolerated):
        total = best[:, None] + cost
        starts.append(total.argmin(axis=0))
        best = total.min(axis=0)
    labels = np.zeros(n, int)
    end = n  # trace the boundaries back from the last class
    for label in range(len(starts), 0, -1):
        start = int(starts[label - 1][end])
        labels[order[start:end]] = label
        end = start
    return labels
