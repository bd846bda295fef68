"""Salience: the strength of each pitch, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.figures import draw


@dataclass(frozen=True, eq=False, repr=False)
class Salience(EqualByContent):
    """Strength of each pitch, frame by frame.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        ≥ 0.
    pitches : np.ndarray [shape=(pitch,)]
        MIDI numbers, ascending.
    times : np.ndarray [shape=(time,)]
        Centre of each frame in seconds.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> salience = na.transcription.Salience(
    ...     np.array([[0.0, 1.0, 0.5]]), np.array([60.0]), np.array([0.0, 0.1, 0.2])
    ... )
    >>> salience
    Salience(pitches 60; times 0 to 0.2 s; 1 × 3 values)
    >>> float(salience.times[salience.values[0].argmax()])
    0.1
    """

    values: np.ndarray
    pitches: np.ndarray
    times: np.ndarray

    def __repr__(self) -> str:
        rows, frames = self.values.shape
        return (
            f"Salience(pitches {_range(self.pitches)}; times {_range(self.times)} s; "
            f"{rows} × {frames} values)"
        )

    def plot(self, **options: Any) -> Any:
        """Draw the strength of each pitch over time, in dB.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_notes`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        return draw("plot_notes", (), salience=self, **options)

    @classmethod
    def from_activations(
        cls, H: np.ndarray, pitches: Sequence[float], times: np.ndarray
    ) -> Salience:
        """Sum the activations of each pitch.

        Parameters
        ----------
        H : np.ndarray [shape=(component, time)]
            Activations of templates that each sum to one. Components beyond the number of
            `pitches` are ignored.
        pitches : sequence of float
            MIDI number of each component.
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
        distinct = np.unique(np.asarray(pitches, np.float64))
        values = np.zeros((len(distinct), H.shape[1]), H.dtype)
        # add.at, since several components of one pitch add to the same row.
        np.add.at(values, np.searchsorted(distinct, pitches), H[: len(pitches)])
        return cls(values, distinct, times)


def _range(values: np.ndarray) -> str:
    """First and last of ascending values."""
    ends = dict.fromkeys(f"{values[k]:g}" for k in (0, -1) if len(values))
    return " to ".join(ends) or "none"
