"""Values of options about notes."""

from __future__ import annotations

from typing import Literal

from nmfaudio.errors import ParameterError

_TEMPI = 40, 214  # those of track_beats


def parse_positive(text: str) -> float:
    """Parse a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise ParameterError(f"{text!r} is not a number above 0")
    return value


def parse_tempo(text: str) -> float | Literal["auto"]:
    """Parse beats per minute, or auto."""
    if text == "auto":
        return "auto"
    tempo = parse_positive(text)
    if not _TEMPI[0] <= tempo <= _TEMPI[1]:  # before minutes of computation
        raise ParameterError(
            f"{text!r} is no tempo; give beats per minute from {_TEMPI[0]} to {_TEMPI[1]}, or auto"
        )
    return tempo


def parse_program(text: str) -> int:
    """Parse a General MIDI instrument, by number or name."""
    from nmfaudio.symbolic.names import program_named

    program = program_named(text)
    if program is None:
        raise ParameterError(
            f"{text!r} is no General MIDI instrument; give a number from 0 to 127, or a name such"
            " as violin or church organ"
        )
    return program


def parse_pitch(text: str) -> int:
    """Parse a note such as C2, or a MIDI number."""
    from nmfaudio.symbolic.names import pitch_named

    pitch = pitch_named(text)
    if pitch is None:
        raise ParameterError(f"{text!r} is no pitch; give a note such as C2, or a MIDI number")
    return pitch
