"""Readers of the notes and drum hits of data sets."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from nmfaudio._common.files.names import show
from nmfaudio._common.files.sources import MALFORMED
from nmfaudio.datasets.matlab import read_variable
from nmfaudio.errors import AudioFileError
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.notes import read_notes

_MUSICNET_RATE = 44100  # Hz; times of MusicNet are samples
_BACH10_HOP, _BACH10_CENTRE = 0.01, 0.023  # s; frames of Bach10, and the centre of the first
_BACH10_PARTS = {"violin": 40, "clarinet": 71, "saxophone": 66, "bassoon": 70}  # MIDI programs
_HIT_LENGTH = 0.1  # s
_OTHER_DRUM = 81  # open triangle
_DRUMS = {  # General MIDI keys of the names in ENST-Drums, MDB Drums and IDMT-SMT-Drums
    36: "bd kd",
    37: "cs sst",
    38: "sd sdb sdd sdf sdg sdns sweep",
    40: "rs",
    41: "lft",
    42: "chh hh",
    43: "lt ltr hft",
    44: "phh",
    45: "lmt tt",
    46: "ohh",
    47: "mt mtr",
    48: "mht",
    49: "c cr crc cy",
    50: "hit",
    51: "rc rdc",
    52: "ch chc",
    53: "rdb",
    54: "tmb",
    55: "spl spc",
    56: "cb",
    _OTHER_DRUM: "ot sticks",
}
_KEYS = {name: key for key, names in _DRUMS.items() for name in names.split()}

Reader = Callable[[tuple[Path, ...]], list[Note]]


def reader(read: Callable[[Path], Iterator[Note]]) -> Reader:
    """Make a reader of several files that reports wrong content in one line."""

    @wraps(read)
    def read_all(paths: tuple[Path, ...]) -> list[Note]:
        notes: list[Note] = []
        for path in paths:
            try:
                notes += read(path)
            except AudioFileError:
                raise
            except OSError as error:
                raise AudioFileError(f"{show(path)}: {error.strerror}") from None
            except (*MALFORMED, ElementTree.ParseError, csv.Error) as error:
                reason = str(error) or type(error).__name__
                raise AudioFileError(
                    f"{show(path)}: is not the annotation that its name promises ({reason}); "
                    "download the file again"
                ) from None
        return notes

    return read_all


@reader
def midi(path: Path) -> Iterator[Note]:
    """Notes of a MIDI file or a table, see `nmfaudio.read_notes`."""
    yield from read_notes(path)


@reader
def maps(path: Path) -> Iterator[Note]:
    """Notes of MAPS: rows of onset, offset and pitch below a line of names."""
    for onset, offset, pitch in _rows(path, skip=1):
        yield Note(float(onset), float(offset), int(pitch))


@reader
def musicnet(path: Path) -> Iterator[Note]:
    """Notes of MusicNet: a table of samples, General MIDI programs from 1, and pitches."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            begin, end = (int(row[f"{name}_time"]) / _MUSICNET_RATE for name in ("start", "end"))
            yield Note(begin, end, int(row["note"]), program=int(row["instrument"]) - 1)


@reader
def urmp(path: Path) -> Iterator[Note]:
    """Notes of one player of URMP: rows of onset, frequency in Hz and duration."""
    from nmfaudio._common.pitch import hz_to_midi

    track = "_".join(path.stem.split("_")[1:3])  # Notes_1_vn_01_Jupiter: 1_vn
    for onset, hertz, duration in _rows(path):
        begin = float(onset)
        yield Note(
            begin, begin + float(duration), float(hz_to_midi(np.array(float(hertz)))), track=track
        )


@reader
def bach10(path: Path) -> Iterator[Note]:
    """Notes of Bach10: for each part, matrices with the frames and the pitches of each note.

    They come from the pitch of each part by itself; the text files beside them were interpolated
    between beats, and the MIDI files are the score.
    """
    parts = read_variable(path.read_bytes(), "GTNotes")
    for (track, program), part in zip(_BACH10_PARTS.items(), parts, strict=True):
        for frames, pitches in part:
            begin, end = _BACH10_CENTRE + _BACH10_HOP * (frames[[0, -1]] - 1)
            pitch = float(np.median(pitches))
            yield Note(float(begin), float(end) + _BACH10_HOP, pitch, track=track, program=program)


@reader
def jams(path: Path) -> Iterator[Note]:
    """Notes of a JAMS file, one annotation ``note_midi`` per string."""
    for annotation in json.loads(path.read_text(encoding="utf-8"))["annotations"]:
        if annotation["namespace"] != "note_midi":
            continue
        track = str(annotation.get("annotation_metadata", {}).get("data_source", ""))
        for event in _events(annotation["data"]):
            begin = float(event["time"])
            yield Note(begin, begin + float(event["duration"]), float(event["value"]), track=track)


@reader
def hits(path: Path) -> Iterator[Note]:
    """Drum hits: rows of seconds and name."""
    for onset, name in _rows(path):
        yield _hit(onset, name)


@reader
def idmt(path: Path) -> Iterator[Note]:
    """Drum hits of IDMT-SMT-Drums in XML."""
    for event in ElementTree.parse(path).iter("event"):
        onset, name = event.findtext("onsetSec"), event.findtext("instrument")
        if onset is None or name is None:
            raise ValueError("an event has no onsetSec or no instrument")
        yield _hit(onset, name)


def _hit(onset: str, name: str) -> Note:
    label = name.strip().lower().rstrip("0123456789-")  # ENST numbers its cymbals
    if label not in _KEYS:
        raise ValueError(f"no drum is called {name.strip()!r}")
    begin = float(onset)
    return Note(begin, begin + _HIT_LENGTH, _KEYS[label], track=label, channel=DRUM_CHANNEL)


def _rows(path: Path, *, skip: int = 0) -> Iterator[list[str]]:
    """Cells of the lines that are not empty, divided by white space."""
    for line in path.read_text(encoding="utf-8").splitlines()[skip:]:
        if line.strip():
            yield line.split()


def _events(data: object) -> Iterator[dict[str, float]]:
    """Observations of JAMS, which are rows, or columns in older files."""
    if isinstance(data, dict):
        for values in zip(*(data[name] for name in ("time", "duration", "value")), strict=True):
            yield dict(zip(("time", "duration", "value"), values, strict=True))
    elif isinstance(data, list):
        yield from data
    else:
        raise ValueError("the data of an annotation are neither rows nor columns")
