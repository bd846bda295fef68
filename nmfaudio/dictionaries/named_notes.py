"""Dictionaries of notes by the names of instruments that ship with the package, or of files."""

from __future__ import annotations

import os
from pathlib import Path

from nmfaudio._common.files.names import show
from nmfaudio.dictionaries.note_dictionary import NoteDictionary
from nmfaudio.dictionaries.shipped_instruments import (
    instrument_named,
    instrument_notes,
    instruments,
)
from nmfaudio.errors import AudioFileError


def is_shipped(source: str) -> bool:
    """Return whether a text is names of instruments that ship with the package, not a file.

    Parameters
    ----------
    source : str
        Names with commas between.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_shipped("flute,electric-guitar"), is_shipped("flute.npz")
    (True, False)
    """
    return all(instrument_named(name) is not None for name in source.split(","))


def load_notes(source: str, folder: str | Path = "") -> NoteDictionary:
    """Load the notes of instruments that ship with the package, or of a file.

    Parameters
    ----------
    source : str
        Names of instruments with commas between, or the path of a file.
    folder : str or Path
        Folder that relative paths start from.

    Returns
    -------
    NoteDictionary
        Its labels are the instruments.

    Raises
    ------
    AudioFileError
        There is neither such a file nor such an instrument, or the file has no notes.

    Examples
    --------
    >>> load_notes("flute,electric-guitar").names
    ('flute', 'electric guitar')
    """
    if is_shipped(source):
        first, *further = map(instrument_notes, dict.fromkeys(source.split(",")))
        # Those with a template for all of a note (the voice) and those with stages fit together.
        return first.merge(*further)
    path = Path(folder, source)
    if not path.suffix and not os.path.exists(path):
        unknown = next(name for name in source.split(",") if instrument_named(name) is None)
        known = ", ".join(each.joined_name for each in instruments())
        raise AudioFileError(
            f"{show(source)}: there is no such file, and no instrument {unknown!r} ships with "
            f"nmfaudio; name a file, or some of {known}"
        )
    return NoteDictionary.load(path)
