"""Instruments whose notes ship with the package."""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio.audio.transforms import Stft
from nmfaudio.dictionaries.bundled import piano_notes
from nmfaudio.dictionaries.note_dictionary import NoteDictionary
from nmfaudio.dictionaries.parametric_notes import harmonic_notes
from nmfaudio.dictionaries.template_conversion import unit_sums
from nmfaudio.errors import ParameterError
from nmfaudio.symbolic.names import program_named

if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Transform

_DATA = Path(__file__).resolve().parents[1] / "data"
_NO_FILE = "none, from partials"
_VOICE_STFT = Stft(22050, 4096, 512)


@dataclass(frozen=True)
class Instrument:
    """Instrument whose notes ship with the package.

    Parameters
    ----------
    name : str
        Argument of `instrument_notes`, and label of its templates.
    program : int
        General MIDI instrument of its notes.
    low, high : int
        MIDI numbers of its lowest and highest note.
    licence : str
        Licence of the sounds that its templates were learned from.
    monophonic : bool
        Whether it plays one note at a time.

    Examples
    --------
    >>> import nmfaudio as na
    >>> [each.name for each in na.dictionaries.instruments() if each.low < 30]
    ['piano', 'electric piano', 'bass', 'strings']
    """

    name: str
    program: int
    low: int
    high: int
    licence: str = "MIT"
    monophonic: bool = False

    @property
    def joined_name(self) -> str:
        """Name with hyphens between its words, as on the command line."""
        return self.name.replace(" ", "-")

    @property
    def size(self) -> int:
        """Size of its file in bytes; 0 for notes that are synthesised."""
        return 0 if self.licence == _NO_FILE else self.path.stat().st_size

    @property
    def path(self) -> Path:
        """Path of its file."""
        suffix = ".npz" if self.name == "piano" else ".npz.gz"
        return _DATA / f"{self.name.replace(' ', '_')}{suffix}"


_INSTRUMENTS = (
    Instrument("piano", 0, 21, 108),
    Instrument("electric piano", 4, 28, 103),
    Instrument("guitar", 24, 40, 88),
    Instrument("electric guitar", 27, 40, 88),
    Instrument("bass", 33, 23, 67, monophonic=True),
    Instrument("strings", 48, 28, 100),
    Instrument("flute", 73, 60, 98, monophonic=True),
    Instrument("oboe", 68, 58, 91, monophonic=True),
    Instrument("clarinet", 71, 50, 94, monophonic=True),
    Instrument("bassoon", 70, 34, 75, monophonic=True),
    Instrument("saxophone", 65, 44, 85, monophonic=True),
    Instrument("trumpet", 56, 52, 87, monophonic=True),
    Instrument("horn", 60, 34, 77, monophonic=True),
    Instrument("voice", 53, 40, 84, _NO_FILE, monophonic=True),
)


def instruments() -> tuple[Instrument, ...]:
    """Return the instruments whose notes ship with the package.

    Returns
    -------
    tuple of Instrument
        The piano first, then by family.

    Examples
    --------
    >>> import nmfaudio as na
    >>> guitar = na.dictionaries.instruments()[2]
    >>> guitar.name, guitar.low, guitar.high
    ('guitar', 40, 88)
    """
    return _INSTRUMENTS


def instrument_named(text: str) -> Instrument | None:
    """Instrument of a name, whose words may be joined by hyphens, or None.

    Parameters
    ----------
    text : str

    Returns
    -------
    Instrument or None

    Examples
    --------
    >>> instrument_named("electric-guitar").name
    'electric guitar'
    """
    name = text.replace("-", " ")
    return next((each for each in _INSTRUMENTS if each.name == name), None)


def instrument_notes(name: str, transform: Transform | None = None) -> NoteDictionary:
    """Return the notes of an instrument that ships with the package.

    They were learned at 22.05 kHz from the SoundFonts Fluid (R3) GM and MuseScore General; see
    ``nmfaudio/data/LICENSES.md``. Those of a voice are synthesised from partials.

    Parameters
    ----------
    name : str
        Name of one of `instruments`; words may be joined by hyphens.
    transform : Transform, optional
        Transform to convert the templates to; by default their own.

    Returns
    -------
    NoteDictionary
        Its templates are read-only without `transform`: it is loaded once and shared.

    Raises
    ------
    ParameterError
        There is no such instrument, or the transform does not cover its notes.

    Examples
    --------
    >>> import nmfaudio as na
    >>> guitar = na.dictionaries.instrument_notes("guitar")
    >>> duo = guitar.merge(na.dictionaries.instrument_notes("flute"))
    >>> duo.names
    ('guitar', 'flute')
    """
    instrument = instrument_named(name)
    if instrument is None:
        choices = ", ".join(each.joined_name for each in _INSTRUMENTS)
        raise ParameterError(f"no instrument {name!r} ships with nmfaudio; choose from {choices}")
    if instrument.name == "piano":
        return piano_notes(transform)
    notes = _bundled_notes(instrument)
    return notes if transform is None else notes.to_transform(transform)


def program_of(label: str) -> int:
    """General MIDI instrument of a label of a dictionary; 0, a piano, if it is unknown.

    Parameters
    ----------
    label : str

    Returns
    -------
    int

    Examples
    --------
    >>> program_of("bass"), program_of("church organ"), program_of("kazoo")
    (33, 19, 0)
    """
    instrument = instrument_named(label)
    if instrument is not None:
        return instrument.program
    return (None if label.isdecimal() else program_named(label)) or 0


@cache
def _bundled_notes(instrument: Instrument) -> NoteDictionary:
    pitches = range(instrument.low, instrument.high + 1)
    if instrument.licence == _NO_FILE:
        notes = harmonic_notes(_VOICE_STFT, pitches=pitches, instrument=instrument.name)
        notes = replace(notes, templates=notes.templates.astype(np.float32))
    else:
        content = gzip.decompress(instrument.path.read_bytes())
        # Files have every second note.
        notes = NoteDictionary.load(io.BytesIO(content)).fill(pitches[0], pitches[-1])
    notes = replace(notes, templates=unit_sums(notes.templates))
    notes.templates.flags.writeable = False
    return notes
