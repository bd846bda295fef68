"""How strongly each pitch is heard, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Salience:
    """How strongly each pitch is heard, frame by frame.

    Attributes
    ----------
    values : np.ndarray [shape=(pitch, time)]
        ≥ 0.
    pitches : np.ndarray [shape=(pitch,)]
        MIDI numbers, ascending.
    times : np.ndarray [shape=(time,)]
        Centre of each frame in seconds.
    """

    values: np.ndarray
    pitches: np.ndarray
    times: np.ndarray

    @classmethod
    def from_activations(
        cls, H: np.ndarray, pitches: Sequence[float], times: np.ndarray
    ) -> Salience:
        """The sums of the activations of each pitch.

        Parameters
        ----------
        H : np.ndarray [shape=(component, time)]
            Further components than there are pitches are passed over.
        pitches : sequence of float
            The MIDI number of each component, of templates that each sum to one.
        times : np.ndarray [shape=(time,)]
            Centre of each frame in seconds.

        Returns
        -------
        Salience

        Examples
        --------
        >>> H = np.array([[1.0, 0.0], [0.5, 2.0], [0.0, 1.0]])
        >>> salience = Salience.from_activations(H, [60, 60, 64], np.array([0.0, 0.1]))
        >>> salience.pitches.tolist(), salience.values.tolist()
        ([60.0, 64.0], [[1.5, 2.0], [0.0, 1.0]])
        """
        heard = np.unique(np.asarray(pitches, np.float64))
        values = np.zeros((len(heard), H.shape[1]), H.dtype)
        np.add.at(values, np.searchsorted(heard, pitches), H[: len(pitches)])
        return cls(values, heard, times)
