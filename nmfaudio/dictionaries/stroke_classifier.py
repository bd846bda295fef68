"""Network that tells which parts of a drum kit were struck at an onset."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

_FILE = Path(__file__).resolve().parents[1] / "data" / "strokes.npz"


@dataclass(frozen=True, eq=False)
class StrokeClassifier:
    """Network of one hidden layer, from the features of a stroke to what may have been struck.

    It was trained on performances that were put together from single hits of many kits; see
    ``nmfaudio/data/LICENSES.md``. Several parts may be struck at once.

    Parameters
    ----------
    labels : tuple of str
        Names of the outputs: parts of a kit, and other percussion that is mistaken for them.
    offset, scale : np.ndarray [shape=(feature,)]
        Mean and standard deviation of the features.
    W1, b1 : np.ndarray [shape=(feature, hidden), (hidden,)]
        Weights of the hidden layer of rectifiers.
    W2, b2 : np.ndarray [shape=(hidden, label), (label,)]
        Weights of the outputs.
    """

    labels: tuple[str, ...]
    offset: np.ndarray
    scale: np.ndarray
    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray

    def probabilities(self, features: np.ndarray) -> dict[str, np.ndarray]:
        """Return the probability that each label was struck.

        Parameters
        ----------
        features : np.ndarray [shape=(onset, feature)]
            As `stroke_features` returns them.

        Returns
        -------
        dict of str to np.ndarray [shape=(onset,)]
        """
        hidden = np.maximum((features - self.offset) / self.scale @ self.W1 + self.b1, 0)
        outputs = 1 / (1 + np.exp(-np.clip(hidden @ self.W2 + self.b2, -30, 30)))
        return dict(zip(self.labels, outputs.T, strict=True))


@cache
def bundled_classifier() -> StrokeClassifier:
    """Return the classifier that ships with the package."""
    with np.load(_FILE, allow_pickle=False) as file:
        arrays = {name: file[name].astype(np.float64) for name in file.files if name != "labels"}
        return StrokeClassifier(tuple(file["labels"].tolist()), **arrays)
