"""Notes: onset, offset, pitch and velocity."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from nmfaudio._public import public
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

_LATEST = 1e6  # s
_HIGHEST = 127


@public
@dataclass(frozen=True)
class Note:
    """One note of a score or a transcription.

    Parameters
    ----------
    onset, offset : float
        Begin and end in seconds.
    pitch : float
        MIDI number: 69 is A4 = 440 Hz, one unit is a semitone. Of a note with a contour, its middle
        pitch.
    velocity : float
        Strength of the stroke, 0 to 1.
    track : str
        Name of the track, part or instrument.
    program : int
        General MIDI instrument, 0 to 127.
    channel : int
        MIDI channel, 0 to 15; 9 is for drums, where the pitch names the drum.
    contour : tuple of (float, float)
        Course of the pitch: seconds after the onset, ascending, and semitones above `pitch`;
        linear in between, and constant before the first and after the last point. Empty for a
        constant pitch.

    Raises
    ------
    ParameterError
        A value is out of its range.

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.Note(0.5, 1.0, 69)
    Note(onset=0.5, offset=1.0, pitch=69, velocity=0.8, track='', program=0, channel=0)
    """

    onset: float
    offset: float
    pitch: float
    velocity: float = 0.8
    track: str = ""
    program: int = 0
    channel: int = 0
    contour: tuple[tuple[float, float], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.onset <= self.offset <= _LATEST:
            raise ParameterError(
                f"a note lasts from {self.onset!r} to {self.offset!r} s; need "
                f"0 <= onset <= offset <= {_LATEST:g} s"
            )
        for name, high in (("pitch", _HIGHEST), ("velocity", 1), ("program", 127), ("channel", 15)):
            value = getattr(self, name)
            if not 0 <= value <= high:
                raise ParameterError(f"a note's {name} is {value!r}; it must be from 0 to {high}")
        if self.contour != ():
            self._check_contour()

    def _check_contour(self) -> None:
        points = tuple((float(seconds), float(semitones)) for seconds, semitones in self.contour)
        object.__setattr__(self, "contour", points)
        if not points:
            return
        if not all(math.isfinite(value) for point in points for value in point):
            raise ParameterError("a note's contour has values that are not finite; leave them out")
        if points[0][0] < 0 or any(a[0] >= b[0] for a, b in pairwise(points)):
            raise ParameterError(
                "a note's contour has times that are negative or do not ascend; sort its points, "
                "and keep one of each time"
            )
        pitches = [self.pitch + semitones for _, semitones in points]
        if min(pitches) < 0 or max(pitches) > _HIGHEST:
            raise ParameterError(
                f"a note's contour reaches the pitches {min(pitches):g} and {max(pitches):g}; they "
                f"must be from 0 to {_HIGHEST}"
            )

    def pitch_at(self, times: ArrayLike) -> np.ndarray:
        """Pitch at times within the note, by its contour.

        Parameters
        ----------
        times : array_like
            Times in seconds, on the time axis of `onset`.

        Returns
        -------
        np.ndarray
            MIDI numbers in float64, of the shape of `times`.

        Examples
        --------
        >>> import nmfaudio as na
        >>> glide = na.Note(1.0, 2.0, 60, contour=((0.0, -1.0), (0.5, 0.0)))
        >>> glide.pitch_at([1.0, 1.25, 2.0]).tolist()
        [59.0, 59.5, 60.0]
        """
        import numpy as np

        seconds = np.asarray(times, np.float64) - self.onset
        if not self.contour:
            return np.full(seconds.shape, float(self.pitch))
        points = np.array(self.contour)
        pitches: np.ndarray = self.pitch + np.interp(seconds, points[:, 0], points[:, 1])
        return pitches
