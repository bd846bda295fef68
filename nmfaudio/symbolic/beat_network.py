"""Network that tells which strokes are on beats, from the strokes of half a minute around them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from nmfaudio.kernels.products import product
from nmfaudio.symbolic.strokes import Strokes

_PATH = Path(__file__).resolve().parents[1] / "data" / "beats.npz"
_RATE = 25  # frames per second
_LEAD = 0.3  # s before the first stroke
_LARGEST = 8.0  # magnitude of a logit


@dataclass(frozen=True, eq=False)
class BeatNetwork:
    """Temporal convolutional network with residual layers, whose dilations are powers of two.

    Each layer adds to its input a convolution of it, and its mean over time: the metrical level
    is a property of the whole piece. See `benchmarks.scores.learn_beats`.

    Parameters
    ----------
    weights : dict of str to np.ndarray
        ``input`` and its ``input_bias``; for each layer n ``taps{n}``
        [shape=(tap, unit, unit)], ``taps_bias{n}``, ``mixed{n}``, ``mixed_bias{n}`` and
        ``mean{n}``; ``hidden``, ``hidden_bias``, ``output`` and ``output_bias``.
    """

    weights: dict[str, np.ndarray]

    def logits(self, strokes: Strokes) -> np.ndarray:
        """Compute log-odds that strokes are on beats.

        Parameters
        ----------
        strokes : Strokes

        Returns
        -------
        np.ndarray [shape=(stroke,)]
            float64; the same bytes for any number of threads.
        """
        w = self.weights
        frames, left, share = framed(strokes)
        units = product(frames, w["input"]) + w["input_bias"]
        for n in range(sum(name.startswith("mean") for name in w)):
            units = self._layer(units, n)
        units = np.maximum(units, 0)
        at_strokes = units[left] * (1 - share) + units[left + 1] * share
        both = np.column_stack([at_strokes, inputs(strokes)])
        hidden = np.maximum(product(both, w["hidden"]) + w["hidden_bias"], 0)
        logits = product(hidden, w["output"]) + w["output_bias"]
        return np.asarray(np.clip(logits[:, 0], -_LARGEST, _LARGEST))

    def _layer(self, units: np.ndarray, n: int) -> np.ndarray:
        """Units of a layer [shape=(frame, unit)]."""
        w, taps = self.weights, self.weights[f"taps{n}"]
        reach = len(taps) // 2 * 2**n
        padded = np.pad(units, ((reach, reach), (0, 0)))
        total = np.tile(w[f"taps_bias{n}"], (len(units), 1))
        for k, tap in enumerate(taps):
            total += product(padded[k * 2**n : k * 2**n + len(units)], tap)
        active = np.maximum(total, 0)
        mean = product(active.mean(axis=0, keepdims=True), w[f"mean{n}"])
        return np.asarray(units + product(active, w[f"mixed{n}"]) + w[f"mixed_bias{n}"] + mean)


def inputs(strokes: Strokes) -> np.ndarray:
    """Return the inputs of the network: a constant and the features of strokes.

    Parameters
    ----------
    strokes : Strokes

    Returns
    -------
    np.ndarray [shape=(stroke, input)]
    """
    return np.column_stack([np.ones(len(strokes.times)), strokes.features])


def framed(strokes: Strokes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distribute the inputs of the network over frames: those of a stroke to the two nearest.

    Parameters
    ----------
    strokes : Strokes

    Returns
    -------
    frames : np.ndarray [shape=(frame, input)]
    left : np.ndarray of int [shape=(stroke,)]
        Frame before each stroke.
    share : np.ndarray [shape=(stroke, 1)]
        Weight of the frame after it.
    """
    place = (strokes.times - strokes.times[0] + _LEAD) * _RATE
    left = place.astype(int)
    share = (place - left)[:, None]
    features = inputs(strokes)
    frames = np.zeros((left[-1] + 3, features.shape[1]))
    np.add.at(frames, left, features * (1 - share))
    np.add.at(frames, left + 1, features * share)
    return frames, left, share


@cache
def bundled_network() -> BeatNetwork:
    """Return the network that ships with the package.

    Returns
    -------
    BeatNetwork
    """
    with np.load(_PATH, allow_pickle=False) as file:
        return BeatNetwork({name: file[name].astype(np.float64) for name in file.files})
