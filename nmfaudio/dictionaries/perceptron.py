"""Small networks that ship with the package: multilayer perceptrons."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from nmfaudio.kernels.products import product


@dataclass(frozen=True, eq=False)
class Perceptron:
    """Network of layers of rectified linear units, with standardised inputs.

    Parameters
    ----------
    mean, scale : np.ndarray [shape=(input,)]
        Mean and standard deviation of the inputs that it was trained on.
    weights : tuple of np.ndarray [shape=(input, output)]
        Of each layer.
    biases : tuple of np.ndarray [shape=(output,)]
        Of each layer. The last layer has no rectifier.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones((1, 1))
    >>> network = Perceptron(np.zeros(1), np.ones(1), (one, 2 * one), (np.zeros(1), np.ones(1)))
    >>> network(np.array([[3.0], [-3.0]])).tolist()
    [[7.0], [1.0]]
    """

    mean: np.ndarray
    scale: np.ndarray
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Return the outputs.

        Parameters
        ----------
        features : np.ndarray [shape=(row, input)]

        Returns
        -------
        np.ndarray [shape=(row, output)]
            float64; the same bytes for any number of threads.
        """
        units = (features - self.mean) / self.scale
        for weights, biases in zip(self.weights[:-1], self.biases[:-1], strict=True):
            units = np.maximum(product(units, weights) + biases, 0)
        outputs: np.ndarray = product(units, self.weights[-1]) + self.biases[-1]
        return outputs

    def arrays(self) -> dict[str, Any]:
        """Return all arrays by the names that `load` expects in a file."""
        layers = {f"weights{n}": each for n, each in enumerate(self.weights)}
        layers |= {f"biases{n}": each for n, each in enumerate(self.biases)}
        return {"mean": self.mean, "scale": self.scale, **layers}

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load a network from an ``.npz`` file of its arrays, which may hold others as well."""
        with np.load(path, allow_pickle=False) as file:
            depth = sum(name.startswith("weights") for name in file.files)
            layers = [
                tuple(file[f"{kind}{n}"].astype(np.float64) for n in range(depth))
                for kind in ("weights", "biases")
            ]
            mean, scale = (file[name].astype(np.float64) for name in ("mean", "scale"))
            return cls(mean, scale, layers[0], layers[1])
