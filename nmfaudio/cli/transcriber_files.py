"""Dictionaries of notes and of drums, as files for transcribers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nmfaudio.cli.failures import printable
from nmfaudio.errors import ParameterError

_MARGIN = 0.5  # semitones beyond the lowest and the highest note of a dictionary

if TYPE_CHECKING:
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary


def is_shipped(text: str) -> bool:
    """Return whether a text is names of instruments that ship with the package, not a file."""
    from nmfaudio.dictionaries.shipped_instruments import instrument_named

    return all(instrument_named(name) is not None for name in text.split(","))


def load_shipped(text: str) -> NoteDictionary:
    """Load instruments that ship with the package, named with commas between."""
    from nmfaudio.dictionaries.shipped_instruments import instrument_notes

    first, *further = map(instrument_notes, dict.fromkeys(text.split(",")))
    # Those with a template for all of a note (the voice) and those with stages fit together.
    return first.merge(*further)


def load_notes(path: str) -> NoteDictionary:
    """Load a dictionary of notes; refuse others with the options that they need."""
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary

    if is_shipped(path):
        return load_shipped(path)
    dictionary = Dictionary.load(path)
    if None in dictionary.pitches:
        names = ", ".join(dictionary.names)
        raise ParameterError(
            f"{printable(path)}: has templates of {names} without pitches; for hits of drums add "
            "--drums, for notes learn one with nmfaudio learn --notes LABEL=FOLDER"
        )
    return NoteDictionary.load(path)


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
