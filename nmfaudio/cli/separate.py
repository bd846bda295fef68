"""Commands of the separators: the options of the separator, and those that all of them share."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nmfaudio._common.options import Option, option, options, switch
from nmfaudio.cli.batch import DEFAULT_ROOTS, BatchCommand, Worker, describe_result
from nmfaudio.cli.command import STDOUT, describe_command
from nmfaudio.cli.failures import check_ended, printable
from nmfaudio.cli.file_names import FileName
from nmfaudio.cli.inputs import input_name
from nmfaudio.cli.memory import needed_memory
from nmfaudio.cli.parser import (
    COMPUTATION,
    OUTPUT,
    REPORTING,
    TUNING,
    Parser,
    at_least,
    build_parser,
    constructed,
    parse,
    values_of,
)
from nmfaudio.cli.progress import FITTING, PREPARING, READING, WRITING
from nmfaudio.cli.record import PREFIX, discard_record
from nmfaudio.cli.stem_files import (
    COMPONENTS,
    check_encoding,
    chosen_names,
    stem_paths,
    stem_tags,
    stem_targets,
)
from nmfaudio.errors import LimitError, OutputError, ParameterError
from nmfaudio.separators.base import Separator, load_separator
from nmfaudio.separators.excerpt import Excerpt
from nmfaudio.separators.pipeline import NmfSeparator

if TYPE_CHECKING:
    from nmfaudio.cli.jobs import Job
    from nmfaudio.cli.progress import Bar
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.separators.blockwise import StemStream
    from nmfaudio.stems.stems import Stems
    from nmfaudio.symbolic.note import Note

MODEL = "model"
"""Name of the file of a model without stems."""

LONG = 600
"""Seconds from which on a batch renders the stems of a file in several tasks."""

_TRACK = "{track}"
_NOTES = ("mid", "csv")  # suffixes
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
# Medians over the separators, of recordings of 15 to 20 s in stereo.
_LOCATING, _RENDERING = "locating the sources", "computing the stems"
_STAGES = {READING: 1, PREPARING: 5, FITTING: 36, _LOCATING: 4, _RENDERING: 8, WRITING: 3}
# Those that differ much from it: measured on the samples band and trio, on one thread.
_STAGES_OF = {
    "hpss": {FITTING: 36, _LOCATING: 3, _RENDERING: 6},
    "separate": {FITTING: 20, _LOCATING: 9, _RENDERING: 3},
    "score": {PREPARING: 26, FITTING: 22, _LOCATING: 3, _RENDERING: 5},
}


@dataclass(frozen=True, kw_only=True)
class SeparateCommand(BatchCommand):
    """``nmfaudio separate`` and the commands of all other separators."""

    details = _DETAILS
    stages: ClassVar[Mapping[str, float]] = _STAGES

    separator: Separator
    stems: bool = True
    """Whether stems are written, and not only the model and the notes."""
    divided: bool = False
    """Whether long files are processed in blocks, of which a batch makes several tasks."""
    parts: str | None = None
    """Folder with the rendered parts of a long file, which are to be joined."""

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
    only: tuple[str, ...] = option(
        (),
        "write only these stems: one name, or several separated by commas; they do not sum to FILE",
        many=True,
        metavar="NAMES",
        group=OUTPUT,
    )
    filename: FileName = option(
        FileName(),
        "path of each stem below OUTPUT; {track} is the name of FILE, {ext} the suffix of --format,"
        " {command} the name of the command",
        parse=FileName.parse,
        metavar="TEMPLATE",
        group=OUTPUT,
    )
    mp3_bitrate: int | None = option(
        None,
        "constant bitrate of mp3 in kbit/s, such as 192 (default: variable)",
        parse=at_least(8),
        metavar="N",
        group=OUTPUT,
    )
    tags: str = option(
        "none",
        "keep: copy title, artist, album, … of FILE to the stems, with the name of the stem after"
        " the title",
        choices=("none", "keep"),
        group=OUTPUT,
    )
    plot: bool = switch(
        "also draw the spectrograms of FILE and of its stems: plot.png; needs nmfaudio[plot]",
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
    fit: str = option(
        "frames",
        "frames of a file processed in blocks from which templates are learned: up to 8,192 that"
        " are spread over it, or all, whose spectrogram is a temporary file (in TMPDIR); a file in"
        " memory always has all",
        choices=("frames", "all"),
        group=COMPUTATION,
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
            (*separator_options(kind), *options(cls, own_first=False)),
            operands=cls.operands,
            description=describe_command(name, cls.details),
            epilog=f"examples:\n{lines}\n{STDOUT}",
        )

    @classmethod
    def parse(cls, name: str, argv: Sequence[str], kind: type[Any] | None = None) -> Self:
        """Build the command and its separator from the arguments."""
        kind = kind or load_separator(name)
        settings, shared = separator_options(kind), options(cls, own_first=False)
        values, files = parse(cls.parser(name, kind), (*settings, *shared), argv)
        separator = constructed(kind, settings, values)
        return cls(name=name, files=files, separator=separator, **values_of(shared, values))

    def stage_weights(self) -> Mapping[str, float]:
        """Relative durations of the stages of this separator."""
        return _STAGES | _STAGES_OF.get(self.name, {})

    @property
    def root(self) -> Path:
        """Folder that gets a folder for each recording."""
        # By default each command has a folder of its own, so that several can separate one song.
        return Path(DEFAULT_ROOTS[0], self.name) if self.output is None else Path(self.output)

    def patterns(self, track: str) -> Sequence[Path]:
        """Glob patterns, below `root`, of the results of a recording."""
        from nmfaudio._common.files import distinct_names

        names = ["*"] if self.stems else []
        known = self._stem_names
        if self.stems and known is not None:  # then stems of other commands are not in the way
            files = dict(zip(known, distinct_names(known), strict=True))
            names = [glob.escape(files[name]) for name in chosen_names(self.only, known)]
        stems = [self._path(track, name, self.format) for name in names]
        components = [
            path.parent / COMPONENTS / path.name
            for path in (self._path(track, f"{name}-*", self.format) for name in names)
        ]
        return [
            *stems,
            *(components if self.components_too else []),
            *(self._path(track, "notes", ext) for ext in _NOTES if known is None),
            *([self._path(track, "plot", "png")] if self.plot else []),
        ]

    @property
    def _stem_names(self) -> tuple[str, ...] | None:
        """Names of the stems; None if they depend on the recording."""
        return getattr(self.separator, "stem_names", None)

    @cached_property
    def _written_from(self) -> dict[str, str]:
        """Inputs of this run by the paths of their stems, in which case does not matter."""
        return {}

    def _path(self, track: str, stem: str, ext: str) -> Path:
        return self.filename.path(track=track, stem=stem, ext=ext, command=self.name)

    def record_path(self, track: str) -> Path:
        """Path, below `root`, of the record of the settings that made the results."""
        # Several commands and formats may share a folder, with --filename also several recordings.
        name = self.name if self.filename.folder_has_track else f"{self.name}-{Path(track).name}"
        return self._folder(track) / f"{PREFIX}{name}-{self.format if self.stems else MODEL}.json"

    def _folder(self, track: str) -> Path:
        return self.filename.folder(track=track, command=self.name)

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
        if self.save_model is not None:
            return Path(self.save_model.replace(_TRACK, track))
        return None if self.stems else self.root / self._folder(track) / f"{MODEL}.npz"

    def check(self) -> None:
        """Check all options, and the files that belong to the recordings."""
        from nmfaudio._common.files.sources import open_source
        from nmfaudio.audio.io import check_format

        for setting in options(type(self.separator)):
            path = getattr(self.separator, setting.name)
            if setting.suffixes and isinstance(path, str) and _TRACK not in path:
                open_source(path)[0].close()
        check_format(self.format, self.subtype, *_ANY_AUDIO)
        if self.fit != "frames":
            self.separator.check_fit(self.fit)  # type: ignore[arg-type]  # argparse checks it
        check_encoding(self.format, self.mp3_bitrate, keep_tags=self.tags == "keep")
        if self.only and self._stem_names is not None:
            chosen_names(self.only, self._stem_names)
        if self.plot:
            from nmfaudio._common.figures import new_figure

            new_figure(1, 1)
        count = len(self.recordings)
        if count > 1 and not self.filename.has_track:
            raise ParameterError(
                f"--filename {self.filename} is the same for {count} inputs; put {_TRACK} into it"
            )
        if self.save_model is not None and count > 1 and _TRACK not in self.save_model:
            raise ParameterError(
                f"--save-model {self.save_model} is one file for {count} inputs;"
                f" put {_TRACK} into it, as in {_TRACK}.npz"
            )

    def prepare(self) -> Worker:
        """Return the function that separates a recording."""
        return self._separate

    def _separate(self, job: Job, bar: Bar) -> dict[str, Any]:
        bar.show_stage(READING)
        command, job = self.resolved(job)
        return command._separate_recording(job, bar)

    def _separate_recording(self, job: Job, bar: Bar) -> dict[str, Any]:
        # A model alone needs no stems in memory either.
        if not self.stems or self.in_blocks(job, self.separator, bar):
            return self._separate_in_blocks(job, bar)
        recording = self.read(job, bar)
        self._check_coding(len(recording.samples), recording.sr)
        start = recording.offset / recording.sr
        stems = self.compute(self.separator, recording, bar, excerpt=self._excerpt(job, start))
        return describe_result(recording, stems) | self._write(job, stems, start)

    def _separate_in_blocks(self, job: Job, bar: Bar) -> dict[str, Any]:
        """Separate a recording in memory that does not grow with its length."""
        from nmfaudio.audio.io import Written
        from nmfaudio.cli.results import describe_sources
        from nmfaudio.separators.files import write_stream

        written, error = Written((), 1.0, ""), None  # of no stems
        for name in ("plot", "components_too"):
            if getattr(self, name):
                flag = f"--{name.replace('_', '-')}"
                raise ParameterError(
                    f"{flag} needs the whole recording in memory, which is processed in blocks;"
                    f" leave out {flag} or --stream, or allow more with --memory"
                )
        with self.streamed(job, bar) as stream:
            names = chosen_names(self.only, stream.names) if self.stems else []
            paths = stem_paths(stream.names, names, partial(self._target, job))
            self._claim(job, paths.values())
            encoding = self._encoding(job, paths)
            if paths:
                written, error = write_stream(stream, paths, **encoding)
            check_ended()
        model, notes = stream.model(), stream.learned.notes
        if job.model is not None and model.metadata["fit"] is None:
            raise LimitError(
                "the model is too large to be saved without activations; separate a shorter part,"
                " or write stems alone"
            )
        result = SimpleNamespace(settings=stream.settings, decomposition=model)
        sources = describe_sources(stream.learned.groups, paths, written, error)
        extras = self._write_extras(job, model, notes)
        return describe_result(stream.y, result) | sources | extras

    @contextmanager
    def streamed(self, job: Job, bar: Bar) -> Iterator[StemStream]:
        """Open a file and learn its model, or read what has been rendered."""
        if self.parts is not None:
            from nmfaudio.separators.render_shards import open_shards

            with open_shards(self.parts, self.separator.finisher) as stream:  # type: ignore[attr-defined]
                yield stream
            return
        with self.open(job, bar) as track:
            self._check_coding(len(track), track.sr)
            bar.show_stage(PREPARING)
            excerpt = self._excerpt(job, track.offset / track.sr)
            yield self.separator.stream(
                track,
                track.sr,
                rng=self.seed,
                callback=bar.update,
                excerpt=excerpt,
                fit=self.fit,  # type: ignore[arg-type]  # argparse checks the choices
            )

    def resolved(self, job: Job) -> tuple[SeparateCommand, Job]:
        """Return the command and the job of the recording itself."""
        return self, job

    def is_long(self, job: Job) -> bool:
        """Return whether a batch renders a file in several tasks; in memory it never does."""
        if not self.divided or self.no_stream or self.plot or self.components_too:
            return False
        duration = needed_memory(lambda y, sr: y.shape[1] // sr, job.content, self.preview)
        return duration >= LONG

    def in_blocks(self, job: Job, model: Any, bar: Bar) -> bool:
        """Choose whether to process a file in blocks, before it is read."""
        return self.is_long(job) or super().in_blocks(job, model, bar)

    def _excerpt(self, job: Job, start: float) -> Excerpt | None:
        """Place of the part to process: times of the settings count from the file's beginning."""
        return None if self.preview is None else Excerpt(job.content, start)

    def _check_coding(self, channels: int, sr: int) -> None:
        """Check that the format can hold the stems."""
        from nmfaudio.audio.io import check_format
        from nmfaudio.audio.io.formats import compression_level

        check_format(self.format, self.subtype, channels, sr)
        if self.mp3_bitrate is not None:
            compression_level(self.mp3_bitrate, sr)

    def _target(self, job: Job, stem: str, ext: str | None = None) -> Path:
        """Path of a result of a recording."""
        return self.root / self._path(job.track, stem, self.format if ext is None else ext)

    def _claim(self, job: Job, targets: Iterable[Path]) -> None:
        """Check that no other input of this run has written to these paths, before writing."""
        from nmfaudio._common.files.names import file_key

        for target in targets:
            source = self._written_from.setdefault(file_key(str(target)), job.source)
            if source != job.source:
                raise OutputError(
                    f"{printable(str(target))}: was made from {input_name(source)} in this run;"
                    " change --filename"
                )

    def _encoding(self, job: Job, paths: Mapping[str, Path]) -> dict[str, Any]:
        """Keyword arguments of the functions that write the stems at these paths."""
        tags = None
        if self.tags == "keep":
            own = stem_tags(job.content, self.format, list(paths))
            tags = dict(zip(paths.values(), own, strict=True))  # components get none
        discard_record(job.record)  # it does not hold for results replaced in part
        return {
            "format": self.format,
            "subtype": self.subtype,
            "clip": self.clip,
            "overwrite": self.overwrite,
            "bitrate": self.mp3_bitrate,
            "tags": tags,
        }

    def _write(self, job: Job, stems: Stems, start: float) -> dict[str, Any]:
        """Write the stems and all extras, and describe them; they begin `start` s into the file."""
        from nmfaudio._common.figures import encode_figure
        from nmfaudio._common.files import write_bytes
        from nmfaudio.audio.io import write_group
        from nmfaudio.cli.results import describe_stems
        from nmfaudio.display import plot_stems

        # What may fail comes before the first file is written.
        names = chosen_names(self.only, list(stems))
        path = partial(self._target, job)
        targets = stem_targets(stems, names, path, components_too=self.components_too)
        self._claim(job, targets)
        picture = encode_figure(plot_stems(stems, start=start).figure) if self.plot else b""
        paths = dict(zip(names, targets, strict=False))  # the stems come first
        written = write_group(targets, stems.sr, **self._encoding(job, paths))
        facts = self._write_extras(job, stems.decomposition, stems.notes)
        plot = path("plot", "png") if self.plot else None
        if plot is not None:
            write_bytes(plot, picture, overwrite=self.overwrite)
        return describe_stems(stems.mixture, stems, written, names) | facts | {"plot": plot}

    def _write_extras(
        self, job: Job, model: Decomposition, notes: Sequence[Note]
    ) -> dict[str, Any]:
        """Write the model and the notes, and return their paths."""
        from nmfaudio.symbolic.writing import write_notes

        if job.model is not None:
            model.save(job.model, overwrite=self.overwrite)
        # A recording without hits gets files without notes.
        has_notes = bool(notes) or getattr(self.separator, "hits", False)
        files = [self._target(job, "notes", ext) for ext in _NOTES] if has_notes else []
        for file in files:
            write_notes(file, notes, overwrite=self.overwrite)
        return {"model": job.model, "notes": files}

    def written(self, report: dict[str, Any]) -> Iterable[os.PathLike[str]]:
        """Paths written for one file."""
        for source in report.get("sources", ()):
            if source["path"] is not None:
                yield source["path"]
        yield from report.get("component_paths", ())
        yield from report.get("notes", ())
        yield from (report[name] for name in ("plot", "model") if report.get(name) is not None)

    def lines(self, name: str, report: dict[str, Any]) -> Iterable[str]:
        """One line about the stems, and a table of them if it was chosen."""
        from nmfaudio.cli.results import line, table

        return [line(name, report), *([table(report)] if self.verbose else [])]


def separator_options(kind: type[Any]) -> tuple[Option, ...]:
    """Options of a separator; those that all separators share tune the method."""
    shared = {setting.name for setting in options(NmfSeparator)}
    return tuple(
        replace(setting, group=TUNING) if setting.name in shared else setting
        for setting in options(kind)
    )
