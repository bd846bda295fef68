"""Phrases and numbers of HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nmfaudio.symbolic.names import sound_name
from nmfaudio.symbolic.note import Note

_CHANNELS = {1: "mono", 2: "stereo"}


def recording_facts(channels: int, samples: int, sr: int) -> list[str]:
    """Duration, sample rate and channels as text."""
    return [
        f"{samples / sr:.2f} s",
        f"{sr} Hz",
        _CHANNELS.get(channels, f"{channels} channels"),
    ]


def note_facts(notes: Sequence[Note]) -> list[str]:
    """Number and range of the notes as text."""
    if not notes:
        return ["no notes"]
    lowest, highest = (f(notes, key=lambda note: note.pitch) for f in (min, max))
    return [counted(len(notes), "note"), f"{sound_name(lowest)} to {sound_name(highest)}"]


def counted(count: int, noun: str) -> str:
    """Number and noun, plural unless the number is 1."""
    return f"{count} {noun}" + "s" * (count != 1)


def number(x: float, style: str) -> str:
    """Number as text, with a minus sign; – for NaN."""
    if math.isnan(x):
        return "–"
    return format(x, style).replace("-", "−").replace("inf", "∞")
