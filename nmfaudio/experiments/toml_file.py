"""Experiments in TOML files."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nmfaudio._common.files.names import show
from nmfaudio._common.files.sources import read_text
from nmfaudio._common.settings import check_settings
from nmfaudio._common.validation import as_choice, shown
from nmfaudio.datasets import load_dataset, readers
from nmfaudio.datasets.piece import Piece
from nmfaudio.dictionaries.bundled import bundled_drum_sounds
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.dictionaries.named_notes import load_notes
from nmfaudio.errors import AudioFileError, ContentError, NmfAudioError, ParameterError
from nmfaudio.experiments.system import System
from nmfaudio.transcription import AttackDecayModel, DrumTranscriber, NoteModel, Transcriber
from nmfaudio.transcription.base import BaseTranscriber

_MAX_BYTES = 2**20
_MODELS: dict[str, type[Any]] = {"NoteModel": NoteModel, "AttackDecayModel": AttackDecayModel}
_DRUMS = "drums"  # the kit that ships
_DRUM_SETTINGS = {"model": ["prior_weight", "max_iter"], "decoding": ["threshold", "parts"]}
_TOP = {
    "title": str,
    "measures": list,
    "seeds": list,
    "pieces": dict,
    "datasets": dict,
    "systems": dict,
}
_PIECE = {"audio": str, "notes": str}
_DATASET = {"folder": str, "layout": str, "split": str, "recording": str}
_SYSTEM = {"kind": str, "dictionary": str, "model": dict, "decoding": dict, "tune": dict}
_TUNE = {"metric": str, "choice": str, "grid": dict}
_WORDS: dict[Any, str] = {str: "a text", list: "a list", dict: "a table"}


def read_experiment(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the fields of an `Experiment` from a TOML file.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    dict

    Raises
    ------
    AudioFileError
        A file cannot be read or is not TOML.
    ParameterError
        The file has an unknown key or an invalid value.
    """
    folder = Path(path).parent
    with _named(show(path)):
        content = _checked("the file", _parsed(path), _TOP, required=("systems",))
        systems = {
            name: _system(f"systems.{name}", table, folder)
            for name, table in content.pop("systems").items()
        }
        pieces = list(_pieces(content.pop("pieces", {}), folder))
        pieces += _data_sets(content.pop("datasets", {}), folder)
        for piece in pieces:
            _check_piece(piece)
    return {"pieces": pieces, "systems": systems, **content}


@contextmanager
def _named(label: str) -> Iterator[None]:
    """Begin the messages of errors with a name."""
    try:
        yield
    except NmfAudioError as error:
        if str(error).startswith(label):
            raise
        kind = type(error) if isinstance(error, AudioFileError | ContentError) else ParameterError
        raise kind(f"{label}: {error}") from None


def _parsed(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path, _MAX_BYTES))
    except ValueError as error:  # of TOML, or of a number with too many digits
        raise AudioFileError(f"is not TOML: {error}; correct it") from None
    except RecursionError:
        raise AudioFileError("is nested too deeply; correct it") from None


def _checked(
    label: str, table: Any, known: Mapping[str, type], required: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Table whose keys are all known, with values of their types."""
    if not isinstance(table, dict):
        raise ParameterError(f"{label} is {shown(table)}; it must be a table")
    for key, value in table.items():
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise ParameterError(
                f"{label} has no key {key!r}; {hint}choose from {', '.join(known)}"
            )
        if not isinstance(value, known[key]):
            raise ParameterError(
                f"{label} has {key} = {shown(value)}; it must be {_WORDS[known[key]]}"
            )
    for key in required:
        if not table.get(key):
            raise ParameterError(f"{label} has no {key}; add {_WORDS[known[key]]}")
    return dict(table)


def _pieces(table: dict[str, Any], folder: Path) -> Iterator[Piece]:
    for name, item in table.items():
        entry = _checked(f"pieces.{name}", item, _PIECE, required=("audio", "notes"))
        sound, notes = (folder / entry[key] for key in ("audio", "notes"))
        yield Piece(name, {"mix": sound}, (notes,), "", readers.midi)


def _data_sets(table: dict[str, Any], folder: Path) -> Iterator[Piece]:
    """Pieces of data sets, under the name of the set and their own."""
    for name, item in table.items():
        label = f"datasets.{name}"
        entry = _checked(label, item, _DATASET, required=("folder",))
        with _named(label):
            found = load_dataset(folder / entry["folder"], entry.get("layout"))
        if "split" in entry:
            splits = sorted({piece.split for piece in found})
            as_choice(entry["split"], f"{label}.split", splits)
            found = [piece for piece in found if piece.split == entry["split"]]
        for piece in found:
            recordings = piece.recordings
            if "recording" in entry:
                as_choice(entry["recording"], f"{label}.recording", list(recordings))
                recordings = {entry["recording"]: recordings[entry["recording"]]}
            full = f"{name}/{piece.name}"
            yield Piece(full, recordings, piece.annotations, piece.split, piece.reader)


def _check_piece(piece: Piece) -> None:
    """Open the audio, and read the notes."""
    from nmfaudio.audio.io.inspecting import read_header

    read_header(piece.audio)
    if not piece.notes:
        raise ContentError(f"{show(piece.annotations[0])}: has no notes; name a file that does")


def _system(label: str, table: Any, folder: Path) -> System:
    entry = _checked(label, table, _SYSTEM)
    tune = _checked(f"{label}.tune", entry.get("tune", {}), _TUNE)
    if "tune" in entry and not tune.get("grid"):
        raise ParameterError(f"{label}.tune has no grid; add a table of settings and lists")
    kind = as_choice(entry.get("kind", "notes"), f"{label}.kind", tuple(_KINDS))
    shipped, load, build = _KINDS[kind]
    with _named(label):
        dictionary = load(entry.get("dictionary", shipped), folder)
        return System(build(dictionary, entry.get("model", {}), entry.get("decoding", {})), **tune)


def _load_drums(source: str, folder: Path) -> Dictionary:
    return bundled_drum_sounds() if source == _DRUMS else Dictionary.load(folder / source)


def _note_transcriber(
    dictionary: Any, model: dict[str, Any], decoding: dict[str, Any]
) -> BaseTranscriber:
    if "kind" in model:
        settings = dict(model)
        kind = as_choice(settings.pop("kind"), "model.kind", tuple(_MODELS))
        transcriber = Transcriber(dictionary, model=_MODELS[kind](**settings))
    else:
        changes = {f"model.{name}": value for name, value in model.items()}
        transcriber = Transcriber(dictionary).with_settings(**changes)
    return transcriber.with_decoding(**decoding)


def _drum_transcriber(
    dictionary: Any, model: dict[str, Any], decoding: dict[str, Any]
) -> BaseTranscriber:
    for name, table in (("model", model), ("decoding", decoding)):
        check_settings(f"the {name} of drums", table, _DRUM_SETTINGS[name])
    return DrumTranscriber(dictionary, **model, **decoding)


_KINDS: dict[str, tuple[str, Callable[..., Any], Callable[..., BaseTranscriber]]] = {
    "notes": ("piano", load_notes, _note_transcriber),
    "drums": (_DRUMS, _load_drums, _drum_transcriber),
}
"""Default dictionary of each kind of system, and functions that load one and that use it."""
