"""Readers of files, and the small sound files that their mutants come from."""

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

import nmfaudio as na
from nmfaudio.audio.io import open_track
from nmfaudio.audio.io.inspecting import inspect, read_header
from nmfaudio.audio.io.tags import read_tags
from nmfaudio.cli.batch_inputs import listed
from nmfaudio.datasets import readers as annotations
from nmfaudio.experiments import ExperimentResults
from nmfaudio.experiments.toml_file import read_experiment
from nmfaudio.separators.boxes import Stroke, read_pictures, read_strokes
from nmfaudio.separators.component_groups import read_groups
from nmfaudio.separators.pitch_track import read_pitch
from nmfaudio.separators.saved_models import load_model
from nmfaudio.symbolic import read_beats, read_hits, read_scale
from nmfaudio.transcription.analysis import Analysis

from . import seeds


@dataclass(frozen=True)
class Reader:
    """A kind of file: how it is read, and a function that makes sound files."""

    read: object
    """Reads a path; if `by_content`, it gets the content as well, which chooses the way."""
    seeds: object
    suffix: str = "x"
    by_content: bool = False

    def __call__(self, path, content):
        self.read(path, content) if self.by_content else self.read(path)


def audio(path, content):
    """Read audio in one of the ways there are."""
    way = crc32(content) % 6
    if way == 0:
        na.read(path)
    elif way == 1:
        na.read(io.BytesIO(content), salvage=True, nonfinite="zero")
    elif way == 2:
        inspect(path)
    elif way == 3:
        read_header(path), read_tags(path)
    elif way == 4:
        na.read(path, start=0.01, stop=0.05, strict=True)
    else:
        with open_track(path, salvage=True) as track:
            track[:, 500:600], track[:, :20]


def data_set(name):
    """Read the annotation of a data set."""
    read = getattr(annotations, name)
    return Reader(lambda path: read((path,)), lambda: [seeds.annotations()[name]])


def table(name):
    return lambda: seeds.tables()[name]


def file(*names):
    return lambda: [seeds.written()[name] for name in names]


def dictionary(path, content):
    """Read a dictionary, of notes or not."""
    kind = na.NoteDictionary if b"attack" in content else na.Dictionary
    repr(kind.load(path))


READERS = {
    "audio": Reader(audio, lambda: list(seeds.audio()), by_content=True),
    "containers": Reader(audio, lambda: list(seeds.containers()), by_content=True),
    "tags": Reader(read_tags, lambda: list(seeds.tagged())),
    "MIDI": Reader(na.symbolic.read_notes, file("a.mid"), "mid"),
    "notes": Reader(na.symbolic.read_notes, table("notes"), "csv"),
    "JAMS": Reader(na.symbolic.read_notes, file("a.jams"), "jams"),
    "hits": Reader(read_hits, table("hits"), "csv"),
    "beats": Reader(read_beats, lambda: [*table("beats")(), *file("beats.jams")()], "csv"),
    "pitch": Reader(read_pitch, table("pitch"), "csv"),
    "scale": Reader(read_scale, table("scales"), "scl"),
    "boxes": Reader(read_strokes, lambda: [seeds.boxes()], "json"),
    "groups": Reader(read_groups, lambda: [seeds.groups()], "json"),
    "results": Reader(lambda path: ExperimentResults.load(path).to_dict(), file("results.json")),
    "experiment": Reader(read_experiment, table("toml"), "toml"),
    "list": Reader(lambda path: list(listed([str(path)])), table("list")),
    "PNG": Reader(
        lambda path: read_pictures([Stroke("a", image=path)]), lambda: list(seeds.pictures()), "png"
    ),
    "dictionary": Reader(dictionary, file("templates.npz", "notes.npz"), "npz", by_content=True),
    "model": Reader(load_model, file("model.npz", "nmfd.npz"), "npz"),
    "cache": Reader(Analysis.load, file("analysis.npz"), "npz"),
    **{
        f"data-set-{name}": data_set(name)
        for name in ("maps", "musicnet", "urmp", "bach10", "jams", "hits", "idmt")
    },
}

CORPUS = Path(__file__).parent / "corpus"
"""A folder for each reader, of mutants that have failed."""


@cache
def sound_files(name):
    """Files of a reader that it reads without an error.

    Parameters
    ----------
    name : str
        A key of `READERS`.

    Returns
    -------
    tuple of bytes
    """
    return tuple(READERS[name].seeds())


def past_failures(name):
    """Mutants that have failed once.

    Parameters
    ----------
    name : str
        A key of `READERS`.

    Returns
    -------
    list of bytes
    """
    return [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
