"""Notes: onset, offset, pitch and velocity."""

from __future__ import annotations

from dataclasses import dataclass

from nmfaudio._public import public
from nmfaudio.errors import ParameterError

_LATEST = 1e6  # s


@public
@dataclass(frozen=True)
class Note:
    """One note of a score or a transcription.

    Parameters
    ----------
    onset, offset : float
        Begin and end in seconds.
    pitch : float
        MIDI number: 69 is A4 = 440 Hz, one unit is a semitone.
    velocity : float
        Strength of the stroke, 0 to 1.
    track : str
        Name of the track, part or instrument.
    program : int
        General MIDI instrument, 0 to 127.
    channel : int
        MIDI channel, 0 to 15; 9 is for drums, where the pitch names the drum.

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

    def __post_init__(self) -> None:
        if not 0 <= self.onset <= self.offset <= _LATEST:
            raise ParameterError(
                f"a note lasts from {self.onset!r} to {self.offset!r} s; need "
                f"0 <= onset <= offset <= {_LATEST:g} s"
            )
        for name, high in (("pitch", 127), ("velocity", 1), ("program", 127), ("channel", 15)):
            value = getattr(self, name)
            if not 0 <= value <= high:
                raise ParameterError(f"a note's {name} is {value!r}; it must be from 0 to {high}")
