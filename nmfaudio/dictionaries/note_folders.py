"""Folders of isolated notes: which file is which note, and how hard it is played."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from nmfaudio._common.files import show
from nmfaudio._common.validation import as_number
from nmfaudio.dictionaries.learning import Reader
from nmfaudio.dictionaries.note_stages import NoteSound
from nmfaudio.dictionaries.recordings import SUFFIXES, Recording, pitch_named
from nmfaudio.errors import AudioFileError, ContentError, ParameterError

_HARDEST = 127  # MIDI
_STEM = re.compile(r"(?P<pitch>[^_]+?)(?:_v?(?P<velocity>\d{1,3}))?")


class NoteFile(NamedTuple):
    """A recording of one note."""

    path: Path
    pitch: int
    velocity: float | None


def note_files(
    folder: str | os.PathLike[str], velocities: Mapping[str, float] | None
) -> list[NoteFile]:
    """The notes in a folder and in the folders in it; see `NoteDictionary.from_folder`.

    Raises
    ------
    AudioFileError
        It is no folder.
    ContentError
        It holds no audio, or a file whose name says no pitch.
    ParameterError
        A velocity is given for a folder that there is not.
    """
    layers = dict(velocities or {})
    root = Path(folder)
    below = [entry for entry in _entries(root) if entry.is_dir()]
    if unknown := set(layers) - {entry.name for entry in below}:
        raise ParameterError(
            f"{show(root)}: there is no folder {sorted(unknown)[0]!r} to give a velocity; there "
            f"are: {', '.join(entry.name for entry in below) or 'none'}"
        )
    found = [_note_file(path, None) for path in _audio(root)]
    for layer in below:
        found += [_note_file(path, _layer_velocity(layer.name, layers)) for path in _audio(layer)]
    if not found:
        raise ContentError(
            f"{show(root)}: holds no audio files; put notes there, named by their MIDI numbers or "
            f"pitches: 60.wav, F#3.flac (of {', '.join(SUFFIXES)})"
        )
    return sorted(found, key=lambda note: (note.pitch, note.velocity or 0, str(note.path)))


def read_notes_of(files: list[NoteFile], instrument: str, reader: Reader) -> Iterator[NoteSound]:
    """The sounds of notes, one at a time."""
    for file in files:
        samples = reader.samples(instrument, Recording(file.path, pitch=file.pitch))
        yield NoteSound(samples, file.pitch, file.velocity, show(file.path))


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise AudioFileError(f"{show(folder)}: {os.strerror(error.errno or 0)}") from None


def _audio(folder: Path) -> list[Path]:
    return [path for path in _entries(folder) if path.suffix.lower() in SUFFIXES and path.is_file()]


def _note_file(path: Path, velocity: float | None) -> NoteFile:
    match = _STEM.fullmatch(path.stem)
    pitch = pitch_named(match["pitch"]) if match else None
    if match is None or pitch is None:
        raise ContentError(
            f"{show(path)}: its name says no pitch; name it by a MIDI number or a note, and a "
            "velocity if you like: 60.wav, F#3.wav, C4_v100.wav"
        )
    if match["velocity"]:
        velocity = _midi_velocity(match["velocity"], path)
    return NoteFile(path, pitch, velocity)


def _layer_velocity(name: str, layers: Mapping[str, float]) -> float | None:
    """What a folder's name says about how hard its notes are played."""
    if name in layers:
        velocity = as_number(layers[name], f"the velocity of {name}", low=0)
        if velocity > 1:
            raise ParameterError(f"the velocity of {name} is {velocity:g}; it goes from 0 to 1")
        return velocity
    match = re.fullmatch(r"v?(\d{1,3})", name)
    return _midi_velocity(match[1], name) if match else None


def _midi_velocity(digits: str, path: str | Path) -> float:
    if not 1 <= int(digits) <= _HARDEST:
        raise ContentError(
            f"{show(path)}: its name says velocity {int(digits)}; it goes from 1 to {_HARDEST}"
        )
    return int(digits) / _HARDEST
