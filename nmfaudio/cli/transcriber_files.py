"""Dictionaries of notes and of drums, as files for transcribers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nmfaudio.cli.failures import printable
from nmfaudio.errors import ParameterError

_MARGIN = 0.5  # semitones beyond the lowest and the highest note of a dictionary

if TYPE_CHECKING:
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary


def load_notes(path: str) -> NoteDictionary:
    """Load notes, of instruments that ship or a file; refuse drums with the options they need."""
    from nmfaudio.dictionaries import named_notes
    from nmfaudio.dictionaries.dictionary import Dictionary

    if os.path.exists(path) and not named_notes.is_shipped(path):
        dictionary = Dictionary.load(path)
        if None in dictionary.pitches:
            names = ", ".join(dictionary.names)
            raise ParameterError(
                f"{printable(path)}: has templates of {names} without pitches; for hits of drums "
                "add --drums, for notes learn one with nmfaudio learn --notes LABEL=FOLDER"
            )
    return named_notes.load_notes(path)


def retuned(
    dictionary: NoteDictionary | None, scale: str | None, tuning: float | None
) -> NoteDictionary:
    """Transpose the notes of a dictionary, by default the piano, to a scale and a tuning in Hz."""
    from nmfaudio._common.pitch import A4_HZ
    from nmfaudio.dictionaries.bundled import piano_notes
    from nmfaudio.symbolic.scales import Scale, read_scale

    notes = piano_notes() if dictionary is None else dictionary
    a4 = A4_HZ if tuning is None else tuning
    chosen = Scale(a4=a4) if scale is None else read_scale(scale, a4=a4)
    low, *_, high = [*notes.groups(), max(notes.pitches)]
    return notes.retune(chosen.pitches(low - _MARGIN, high + _MARGIN))


def load_drums(path: str) -> Dictionary:
    """Load a dictionary of drum hits; refuse others with what to do."""
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.symbolic.names import DRUM_PARTS

    dictionary = Dictionary.load(path)
    if None not in dictionary.pitches:
        names = ", ".join(dictionary.names)
        raise ParameterError(
            f"{printable(path)}: has notes of {names}, --drums needs hits of drums; omit --drums"
        )
    if dictionary.lags == 1 or not set(DRUM_PARTS) & set(dictionary.names):
        raise ParameterError(
            f"{printable(path)}: has {dictionary.kind} of {', '.join(dictionary.names)}; --drums "
            f"needs convolutive ones of {', '.join(DRUM_PARTS)}: nmfaudio learn kick=FOLDER "
            "snare=FOLDER --kind convolutive"
        )
    return dictionary
