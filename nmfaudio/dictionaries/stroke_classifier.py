"""Network that tells which parts of a drum kit were struck at an onset."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from nmfaudio.dictionaries.perceptron import Perceptron

_DATA = Path(__file__).resolve().parents[1] / "data"


@dataclass(frozen=True, eq=False)
class StrokeClassifier:
    """Probabilities of what may have been struck, from the features of a stroke.

    The network was trained on performances that were put together from single hits of many kits;
    see ``nmfaudio/data/LICENSES.md``. Several parts may be struck at once.

    Parameters
    ----------
    labels : tuple of str
        Names of the outputs: parts of a kit, and other percussion that is mistaken for them.
    network : Perceptron
    """

    labels: tuple[str, ...]
    network: Perceptron

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
        outputs = 1 / (1 + np.exp(-np.clip(self.network(features), -30, 30)))
        return dict(zip(self.labels, outputs.T, strict=True))


@cache
def bundled_classifier(*, live: bool = False) -> StrokeClassifier:
    """Return the classifier that ships with the package.

    Parameters
    ----------
    live : bool
        Whether it is for the features of a `StrokeDetector`, which end soon after an onset.

    Returns
    -------
    StrokeClassifier
    """
    path = _DATA / ("live_strokes.npz" if live else "strokes.npz")
    with np.load(path, allow_pickle=False) as file:
        labels = tuple(file["labels"].tolist())
    return StrokeClassifier(labels, Perceptron.load(path))
