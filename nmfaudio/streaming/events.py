"""Beginnings and ends of notes, as a stream reports them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class NoteEvent:
    """Begin or end of a note in a stream.

    Parameters
    ----------
    kind : "on" or "off"
        Whether the note begins or ends. Drum hits only begin.
    time : float
        Seconds from the beginning of the stream.
    pitch : float
        MIDI number, as of a `Note`.
    velocity : float
        Strength of the stroke, 0 to 1, relative to the loudest so far; 0 for an end. The first
        pitched note has 0.5, since louder ones may follow.
    track : str
        Part of a drum kit; empty for pitched notes.

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.streaming.NoteEvent("on", 0.5, 69.0, 0.8)
    NoteEvent(kind='on', time=0.5, pitch=69.0, velocity=0.8, track='')
    """

    kind: Literal["on", "off"]
    time: float
    pitch: float
    velocity: float = 0.0
    track: str = ""
