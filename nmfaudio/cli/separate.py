"""Commands of the separators: the options of the separator, and those that all of them share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nmfaudio._common.options import Option, option, options, switch
from nmfaudio.cli.batch import DEFAULT_ROOTS, BatchCommand, Worker, describe_result
from nmfaudio.cli.command import STDOUT, describe_command
from nmfaudio.cli.parser import (
    OUTPUT,
    REPORTING,
    TUNING,
    Parser,
    build_parser,
    constructed,
    parse,
    values_of,
)
from nmfaudio.cli.progress import FITTING, PREPARING, READING, WRITING
from nmfaudio.cli.record import PREFIX, discard_record
from nmfaudio.errors import ParameterError
from nmfaudio.separators.base import Separator, load_separator
from nmfaudio.separators.pipeline import NmfSeparator

if TYPE_CHECKING:
    from nmfaudio.cli.jobs import Job
    from nmfaudio.cli.progress import Bar

_TRACK = "{track}"
_ANY_AUDIO = (1, 48_000)  # channels and Hz that every format holds
_DETAILS = """\
The stems have the sample rate, the channels and the length of each FILE, and
sum to it. They are written to OUTPUT/<name of FILE>/<source>.wav, where OUTPUT
is by default separated/<name of the command>.
"""
_EXAMPLES = (
    "song.wav",
    "song.wav --preview 0:30-0:45 -v",
    "*.flac -o stems --format flac --skip-existing",
)


@dataclass(frozen=True, kw_only=True)
class SeparateCommand(BatchCommand):
    """``nmfaudio separate`` and the commands of all other separators."""

    # Medians over the separators, of recordings of 15 to 20 s in stereo.
    stages: ClassVar[Mapping[str, float]] = {
        READING: 1,
        PREPARING: 5,
        FITTING: 36,
        "locating the sources": 19,
        "computing the stems": 36,
        WRITING: 3,
    }

    separator: Separator

    output: str | None = option(
        None,
        "folder that gets a folder for each file (default: separated/<name of the command>)",
        short="-o",
        metavar="OUTPUT",
        group=OUTPUT,
    )
    format: str = option(
        "wav",
        "wav, flac, aiff, caf, w64, au, ogg, opus or mp3; the last three are lossy, so the stems"
        " do not sum exactly",
        parse=str.lower,
        metavar="FORMAT",
        group=OUTPUT,
    )
    subtype: str | None = option(
        None,
        "coding of the samples: PCM_16, PCM_24, FLOAT or DOUBLE (default: FLOAT if the format"
        " supports it, PCM_24 in flac)",
        metavar="SUBTYPE",
        group=OUTPUT,
    )
    clip: str = option(
        "gain",
        "if a stem peaks over full scale in a format that would clip it, scale all stems by one"
        " gain or fail",
        choices=("gain", "error"),
        group=OUTPUT,
    )
    components_too: bool = switch("also write each component of the stems", group=OUTPUT)
    save_model: str | None = option(
        None,
        "also write the factorisation with its settings; with several files, {track} stands for"
        " the name of each",
        metavar="M.NPZ",
        group=OUTPUT,
    )
    verbose: bool = switch(
        "also show a table of the sources", short="-v", group=REPORTING, excludes="verbosity"
    )

    @classmethod
    def parser(cls, name: str, kind: type[Any] | None = None) -> Parser:
        """Build the parser of a separator's command; `kind` is the class of the separator."""
        kind = kind or load_separator(name)
        lines = "".join(
            f"  nmfaudio {name} {example}\n" for example in kind.usage_examples or _EXAMPLES
        )
        return build_parser(
            name,
            (*_settings(kind), *options(cls, own_first=False)),
            operands=cls.operands,
            description=describe_command(name, _DETAILS),
            epilog=f"examples:\n{lines}\n{STDOUT}",
        )

    @classmethod
    def parse(cls, name: str, argv: Sequence[str], kind: type[Any] | None = None) -> Self:
        """Build the command and its separator from the arguments."""
        kind = kind or load_separator(name)
        settings, shared = _settings(kind), options(cls, own_first=False)
        values, files = parse(cls.parser(name, kind), (*settings, *shared), argv)
        separator = constructed(kind, settings, values)
        return cls(name=name, files=files, separator=separator, **values_of(shared, values))

    @property
    def root(self) -> Path:
        """Folder that gets a folder for each recording."""
        # By default each command has a folder of its own, so that several can separate one song.
        return Path(DEFAULT_ROOTS[0], self.name) if self.output is None else Path(self.output)

    def patterns(self, track: str) -> Sequence[Path]:
        """Glob patterns, below `root`, of the results of a recording."""
        return [Path(track, name) for name in (f"*.{self.format}", "notes.*")]

    def record_path(self, track: str) -> Path:
        """Path, below `root`, of the record of the settings that made the results."""
        # Several commands and formats may share a folder.
        return Path(track, f"{PREFIX}{self.name}-{self.format}.json")

    @property
    def settings(self) -> dict[str, Any]:
        """Options on which the content of the results depends, by their flags."""
        own = {
            setting.flag: getattr(self.separator, setting.name)
            for setting in options(type(self.separator))
        }
        return own | super().settings

    def model_path(self, track: str) -> Path | None:
        """Path of the factorisation of a recording."""
        return None if self.save_model is None else Path(self.save_model.replace(_TRACK, track))

    def check(self) -> None:
        """Check the format, the name of the model and the files that belong to the recordings."""
        from nmfaudio._common.files.sources import open_source
        from nmfaudio.audio.io import check_format

        for setting in options(type(self.separator)):
            if setting.suffixes and isinstance(path := getattr(self.separator, setting.name), str):
                open_source(path)[0].close()
        check_format(self.format, self.subtype, *_ANY_AUDIO)
        if (
            self.save_model is not None
            and len(self.recordings) > 1
            and _TRACK not in self.save_model
        ):
            raise ParameterError(
                f"--save-model {self.save_model} is one file for {len(self.recordings)} inputs;"
                f" put {_TRACK} into it, as in {_TRACK}.npz"
            )

    def prepare(self) -> Worker:
        """Return the function that separates a recording."""
        return self._separate

    def _separate(self, job: Job, bar: Bar) -> dict[str, Any]:
        from nmfaudio.audio.io import check_format
        from nmfaudio.cli.results import describe_stems

        recording = self.read(job, bar)
        check_format(self.format, self.subtype, len(recording.samples), recording.sr)
        stems = self.compute(self.separator, recording, bar)
        discard_record(job.record)  # it does not hold for results replaced in part
        written = stems.save(
            job.folder,
            format=self.format,
            subtype=self.subtype,
            clip=self.clip,
            overwrite=self.overwrite,
            components_too=self.components_too,
        )
        if job.model is not None:
            stems.decomposition.save(job.model, overwrite=self.overwrite)
        notes = stems.save_notes(job.folder, overwrite=self.overwrite) if stems.notes else []
        return (
            describe_result(recording, stems)
            | describe_stems(recording.samples, stems, written)
            | {"model": job.model, "notes": notes}
        )

    def written(self, report: dict[str, Any]) -> Iterable[os.PathLike[str]]:
        """Paths written for one file."""
        yield from (source["path"] for source in report.get("sources", ()))
        yield from report.get("component_paths", ())
        yield from report.get("notes", ())
        if report.get("model") is not None:
            yield report["model"]

    def lines(self, name: str, report: dict[str, Any]) -> Iterable[str]:
        """One line about the stems, and a table of them if it was chosen."""
        from nmfaudio.cli.results import line, table

        return [line(name, report), *([table(report)] if self.verbose else [])]


def _settings(kind: type[Any]) -> tuple[Option, ...]:
    """Options of a separator; those that all separators share tune the method."""
    shared = {setting.name for setting in options(NmfSeparator)}
    return tuple(
        replace(setting, group=TUNING) if setting.name in shared else setting
        for setting in options(kind)
    )
