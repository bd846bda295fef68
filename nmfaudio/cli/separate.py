"""Commands of the separators: the options of the separator, and those that all of them share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nmfaudio._common.options import Option, option, options, switch
from nmfaudio.cli.batch import Worker, describe_result
from nmfaudio.cli.command import STDOUT, describe_command
from nmfaudio.cli.failures import check_ended
from nmfaudio.cli.file_names import TRACK
from nmfaudio.cli.memory import needed_memory
from nmfaudio.cli.parser import (
    COMPUTATION,
    REPORTING,
    TUNING,
    Parser,
    build_parser,
    constructed,
    flags_in_errors,
    parse,
    values_of,
)
from nmfaudio.cli.progress import FITTING, PREPARING, READING, WRITING
from nmfaudio.cli.stem_command import StemCommand
from nmfaudio.cli.stem_files import (
    chosen_names,
    stem_paths,
)
from nmfaudio.cli.work import check_work
from nmfaudio.errors import LimitError, ParameterError
from nmfaudio.separators.base import load_separator
from nmfaudio.separators.excerpt import Excerpt
from nmfaudio.separators.pipeline import NmfSeparator

if TYPE_CHECKING:
    from nmfaudio.cli.jobs import Job
    from nmfaudio.cli.progress import Bar
    from nmfaudio.separators.blockwise import StemStream

LONG = 600
"""Seconds from which on a batch renders the stems of a file in several tasks."""

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
class SeparateCommand(StemCommand):
    """``nmfaudio separate`` and the commands of all other separators."""

    details = _DETAILS
    stages: ClassVar[Mapping[str, float]] = _STAGES

    divided: bool = False
    """Whether long files are processed in blocks, of which a batch makes several tasks."""
    parts: str | None = None
    """Folder with the rendered parts of a long file, which are to be joined."""

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
    def settings(self) -> dict[str, Any]:
        """Options on which the content of the results depends, by their flags."""
        own = {
            setting.flag: getattr(self.separator, setting.name)
            for setting in options(type(self.separator))
        }
        return own | super().settings

    def check(self) -> None:
        """Check all options, and the files that belong to the recordings."""
        from nmfaudio._common.files.sources import open_source

        for setting in options(type(self.separator)):
            path = getattr(self.separator, setting.name)
            if setting.suffixes and isinstance(path, str) and TRACK not in path:
                open_source(path)[0].close()
        if self.fit != "frames":
            self.separator.check_fit(self.fit)  # type: ignore[arg-type]  # argparse checks it
        super().check()

    def prepare(self) -> Worker:
        """Return the function that separates a recording."""
        return self._separate

    def _separate(self, job: Job, bar: Bar) -> dict[str, Any]:
        bar.show_stage(READING)
        command, job = self.resolved(job)
        with flags_in_errors(separator_options(type(command.separator))):
            check_work(command.separator, job.content, command.preview)
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
        from nmfaudio.separators.separated_file import SeparatedFile

        written, error = Written((), 1.0, ""), None  # of no stems
        if self.report and self.only:
            raise ParameterError(
                "--report needs all stems of a recording that is processed in blocks; leave out"
                " --only or --report"
            )
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
        groups, settings = dict(stream.learned.groups), stream.settings
        sr, shape = stream.transform.sr, stream.y.shape
        file = SeparatedFile(paths, sr, shape, model, groups, settings, written.gain, error, notes)
        extras |= self._write_report(job, file, stream.inputs.start)
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
        in_memory = self.no_stream or self.plot or self.report or self.components_too
        if not self.divided or in_memory:
            return False
        duration = needed_memory(lambda y, sr: y.shape[1] // sr, job.content, self.preview)
        return duration >= LONG

    def in_blocks(self, job: Job, model: Any, bar: Bar) -> bool:
        """Choose whether to process a file in blocks, before it is read."""
        return self.is_long(job) or super().in_blocks(job, model, bar)

    def _excerpt(self, job: Job, start: float) -> Excerpt | None:
        """Place of the part to process: times of the settings count from the file's beginning."""
        return None if self.preview is None else Excerpt(job.content, start)

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
