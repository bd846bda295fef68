"""`nmfaudio render`: the stems of saved models, made from their recordings."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from nmfaudio._common.options import option
from nmfaudio.cli.failures import printable
from nmfaudio.cli.inputs import STDIN, Input
from nmfaudio.cli.parser import INPUT, Parser
from nmfaudio.cli.record import PREFIX, digest, recorded_results
from nmfaudio.cli.separate import SeparateCommand
from nmfaudio.cli.stem_command import MODEL
from nmfaudio.cli.tracks import track_names
from nmfaudio.errors import AudioFileError, ParameterError
from nmfaudio.separators.shared_settings import RENDERING

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from nmfaudio.cli.jobs import Job
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.separators.regroup import RegroupSeparator

_SUFFIX = ".npz"


class Origin(NamedTuple):
    """Recording of a model: its file, and the part of it that was separated."""

    path: str
    preview: tuple[float, float] | None


@dataclass(frozen=True)
class SavedModel:
    """Separator without options: what it needs is in the models."""

    usage_examples: ClassVar[tuple[str, ...]] = (
        "models/song/model.npz -o stems",
        "models/ -o stems --format flac --only drums",
        "models/ -o stems --audio /mnt/songs",
    )

    def check_fit(self, fit: str) -> None:
        """Check that no templates are to be learned."""
        if fit != "frames":
            raise ParameterError("--fit: the model has its templates; leave it out")


@dataclass(frozen=True, kw_only=True)
class RenderCommand(SeparateCommand):
    """``nmfaudio render``."""

    operands = "MODEL..."
    details = """\
A MODEL is a file that --save-model or nmfaudio batch wrote, or a folder of such
files. The stems are those that the command that saved it would have written, to
OUTPUT/<name of the folder of MODEL>/<source>.wav.

The record beside a model tells where the recording is. One that has been moved
is searched for in the folder --audio.
"""

    audio: str | None = option(
        None,
        "folder with the recordings, if they are not where they were",
        metavar="FOLDER",
        group=INPUT,
    )

    @classmethod
    def parser(cls, name: str, kind: type[Any] | None = None) -> Parser:
        """Build the parser of the command."""
        return super().parser(name, kind or SavedModel)

    @classmethod
    def parse(cls, name: str, argv: Sequence[str], kind: type[Any] | None = None) -> Self:
        """Build the command from its arguments."""
        return super().parse(name, argv, kind or SavedModel)

    @cached_property
    def recordings(self) -> Sequence[Input]:
        """Models, those in folders included."""
        models: dict[str, Input] = {}
        for text in self.files:
            for item in find_models(text):
                models.setdefault(os.path.abspath(item.source), item)
        return list(models.values())

    def tracks(self) -> list[str]:
        """Names of the recordings: those of the folders, for models that batch wrote."""
        return track_names([_named(item) for item in self.recordings])

    def check(self) -> None:
        """Check all options."""
        if self.preview is not None:
            raise ParameterError("--preview: the model tells which part it is of; leave it out")
        super().check()

    def check_input(self, job: Job) -> None:
        """Check that a model has a record."""
        _record(Path(job.source))

    def resolved(self, job: Job) -> tuple[SeparateCommand, Job]:
        """Return the command and the job of the recording of a model."""
        from nmfaudio.separators.saved_models import load_model

        origin = find_origin(Path(job.source), self.audio)
        separator = restored_separator(load_model(job.source))
        command = replace(self, separator=separator, preview=origin.preview)
        vars(command)["_written_from"] = self._written_from  # of the whole run
        return command, replace(job, source=origin.path)


def find_origin(model: Path, audio: str | None) -> Origin:
    """Find the recording that a model was made from.

    Parameters
    ----------
    model : Path
        File of the model, with its record beside it.
    audio : str or None
        Folder in which it is searched for first.

    Returns
    -------
    Origin

    Raises
    ------
    AudioFileError
        There is no record, or no such recording.
    """
    record = _record(model)
    place = os.path.normpath(model.parent / record["source"])
    for path in _candidates(place, audio):
        if os.path.isfile(path) and digest(path) == record["input"]:
            preview = record["settings"].get("--preview")
            return Origin(path, None if preview is None else tuple(preview))
    where = f"{printable(place)} or in {printable(audio)}" if audio else printable(place)
    raise AudioFileError(
        f"{printable(str(model))}: its recording is not at {where}, or has changed; name a folder"
        " that has it with --audio"
    )


def _candidates(place: str, audio: str | None) -> Iterator[str]:
    """Paths that a recording may have: below a folder those with most of its folders first."""
    if audio is not None:
        parts = Path(place).parts[1:]
        yield from (os.path.join(audio, *parts[first:]) for first in range(len(parts)))
    yield place


def _record(model: Path) -> Mapping[str, Any]:
    """Record of the run that saved a model."""
    for path in sorted(model.parent.glob(f"{PREFIX}*.json")):
        if model in recorded_results(path):
            record: Mapping[str, Any] = json.loads(path.read_bytes())
            if record.get("source") is not None:
                return record
    if not model.is_file():
        raise AudioFileError(f"{printable(str(model))}: no such file; name a model or a folder")
    raise AudioFileError(
        f"{printable(str(model))}: no record beside it tells its recording; make the stems with"
        f" nmfaudio regroup RECORDING {printable(str(model))}"
    )


def restored_separator(saved: Decomposition) -> RegroupSeparator:
    """Return a separator that makes the stems of a model as the one that saved it does.

    Parameters
    ----------
    saved : Decomposition

    Returns
    -------
    RegroupSeparator
    """
    from nmfaudio.separators.regroup import RegroupSeparator

    settings = saved.metadata.get("settings", {})
    return RegroupSeparator(
        saved=saved, **{name: settings[name] for name in RENDERING if name in settings}
    )


def find_models(text: str) -> Iterator[Input]:
    """Find the models in a folder, or the one that is named.

    Parameters
    ----------
    text : str
        Path of a model or a folder.

    Yields
    ------
    Input

    Raises
    ------
    ParameterError
        The model is to come from standard input.
    AudioFileError
        A folder has no models.
    """
    if text == STDIN:
        raise ParameterError("a model cannot come from standard input; name its file")
    if not os.path.isdir(text):
        yield Input(text)
        return
    found = sorted(
        path
        for path in Path(text).rglob(f"*{_SUFFIX}")
        if not any(part.startswith(".") for part in path.relative_to(text).parts)
    )
    if not found:
        raise AudioFileError(f"{printable(text)}: has no models ({_SUFFIX}); name another folder")
    for path in found:
        yield Input(os.fspath(path), len(path.relative_to(text).parts) - 1)


def _named(item: Input) -> Input:
    """Input whose name is that of the recording of a model."""
    path = Path(item.source)
    if path.name != MODEL + _SUFFIX:
        return item
    folder = os.path.abspath(path.parent)
    return Input(folder + _SUFFIX, None if item.depth is None else max(item.depth - 1, 0))
