"""Beats, bars and tempo of a performance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.figures import draw
from nmfaudio._public import public
from nmfaudio.errors import ParameterError


@public
@dataclass(frozen=True, eq=False, repr=False)
class Beats(EqualByContent):
    """Beats of a performance in one time signature.

    Parameters
    ----------
    times : np.ndarray [shape=(beat,)]
        Beats in seconds, increasing; at least two.
    per_bar : int
        Beats of a bar.
    first_downbeat : int
        Index of the first beat that begins a bar, below `per_bar`.
    compound : bool
        Whether beats are divided by three, as in 6/8.

    Raises
    ------
    ParameterError
        Times do not increase, or a number is out of range.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> beats = na.symbolic.Beats(np.arange(1, 9) * 0.5, per_bar=3, first_downbeat=1)
    >>> beats.tempo, beats.time_signature, beats.downbeats
    (120.0, (3, 4), array([1. , 2.5, 4. ]))
    """

    times: np.ndarray
    per_bar: int = 4
    first_downbeat: int = 0
    compound: bool = False

    def __post_init__(self) -> None:
        times = np.asarray(self.times, np.float64)
        valid = times.ndim == 1 and len(times) > 1 and np.isfinite(times).all()
        if not (valid and (np.diff(times) > 0).all()):
            raise ParameterError("beats need at least two times in seconds that increase")
        if self.per_bar < 1 or not 0 <= self.first_downbeat < self.per_bar:
            raise ParameterError(
                f"a bar of {self.per_bar} beats with its first downbeat at {self.first_downbeat}; "
                "need at least 1 beat, and a downbeat from 0 to per_bar - 1"
            )
        object.__setattr__(self, "times", times)

    def __repr__(self) -> str:
        numerator, denominator = self.time_signature
        return (
            f"Beats({len(self.times)} beats, {self.tempo:.1f} per minute, "
            f"{numerator}/{denominator})"
        )

    @property
    def tempo(self) -> float:
        """Beats per minute: 60 s over the median distance of beats."""
        return float(60 / np.median(np.diff(self.times)))

    @property
    def time_signature(self) -> tuple[int, int]:
        """Time signature, such as (3, 4), or (6, 8) for two beats of three eighths."""
        return (3 * self.per_bar, 8) if self.compound else (self.per_bar, 4)

    @property
    def quarters(self) -> float:
        """Quarter notes of a beat: 1, or 1.5 where it is compound."""
        return 1.5 if self.compound else 1.0

    @property
    def downbeats(self) -> np.ndarray:
        """Beats that begin a bar, in seconds [shape=(bar,)]."""
        return self.times[self.first_downbeat :: self.per_bar]

    def position(self, seconds: Any) -> np.ndarray:
        """Position in beats from the first one: beats are integers, negative before it.

        Parameters
        ----------
        seconds : float or np.ndarray
            The tempo of the first and of the last beat continues outside the beats.

        Returns
        -------
        np.ndarray [shape of `seconds`]
        """
        return _interpolate(seconds, self.times, np.arange(len(self.times), dtype=float))

    def seconds(self, position: Any) -> np.ndarray:
        """Time in seconds of a position in beats: the inverse of `position`.

        Parameters
        ----------
        position : float or np.ndarray

        Returns
        -------
        np.ndarray [shape of `position`]
        """
        return _interpolate(position, np.arange(len(self.times), dtype=float), self.times)

    def plot(self, notes: Any = None, **options: Any) -> Any:
        """Draw beats and downbeats over notes, and the tempo from beat to beat.

        Parameters
        ----------
        notes : sequence of Note, path, or object with notes, optional
            Notes of the performance. Default: the tempo alone.
        **options
            Further arguments of `nmfaudio.display.plot_beats`.

        Returns
        -------
        Panels
            Axes by name.

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        return draw("plot_beats", self, notes=notes, **options)


def _interpolate(x: Any, known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Piecewise linear function through points, whose first and last pieces continue."""
    x = np.asarray(x, np.float64)
    piece = np.clip(np.searchsorted(known, x, side="right") - 1, 0, len(known) - 2)
    share = (x - known[piece]) / (known[piece + 1] - known[piece])
    return np.asarray(values[piece] + share * (values[piece + 1] - values[piece]))
