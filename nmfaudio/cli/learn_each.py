"""`nmfaudio batch learn`: a dictionary of each recording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nmfaudio._common.options import Option, option, options
from nmfaudio.cli.batch import BatchCommand, Worker
from nmfaudio.cli.command import describe_command
from nmfaudio.cli.failures import check_ended, printable
from nmfaudio.cli.learn_options import MAX_ITER, LearningOptions
from nmfaudio.cli.parser import OUTPUT, Parser, build_parser, parse, values_of
from nmfaudio.cli.progress import FITTING, READING, WRITING
from nmfaudio.cli.record import PREFIX, discard_record
from nmfaudio.errors import ParameterError

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from nmfaudio.cli.jobs import Job
    from nmfaudio.cli.progress import Bar

DICTIONARY = "dictionary.npz"
"""Name of the file of a dictionary."""

_ROOT = "learned"
_STAGES = {READING: 20, FITTING: 75, WRITING: 5}
# Learning reads a whole recording, as it is.
_WITHOUT = ("strict", "salvage", "nonfinite", "memory", "stream", "no_stream")
_JOINT = ("--corpus", "--from", "--notes", "--recording", "--soundfont")


@dataclass(frozen=True, kw_only=True)
class LearnEachCommand(LearningOptions, BatchCommand):
    """``nmfaudio batch learn``."""

    stages: ClassVar[Mapping[str, float]] = _STAGES

    output: str | None = option(
        None,
        f"folder that gets a folder for each file (default: {_ROOT})",
        short="-o",
        metavar="OUTPUT",
        group=OUTPUT,
    )
    label: str | None = option(
        None,
        "label of the templates (default: the name of FILE)",
        metavar="LABEL",
        group="learning",
    )

    @classmethod
    def flags(cls) -> tuple[Option, ...]:
        """Options of the command."""
        return tuple(flag for flag in options(cls) if flag.name not in _WITHOUT)

    @classmethod
    def parser(cls, name: str) -> Parser:
        """Build the parser of the command."""
        return build_parser(
            name, cls.flags(), operands=cls.operands, description=describe_command(name, "")
        )

    @classmethod
    def parse(cls, name: str, argv: Sequence[str]) -> Self:
        """Build the command from its arguments."""
        joint = [text for text in argv if text.partition("=")[0] in _JOINT]
        if joint:
            raise ParameterError(
                f"{joint[0].partition('=')[0]} learns one dictionary of several recordings, batch"
                " learn one of each; use nmfaudio learn, or leave it out"
            )
        flags = cls.flags()
        values, files = parse(cls.parser(name), flags, argv)
        return cls(name=name, files=files, **values_of(flags, values))

    @property
    def root(self) -> Path:
        """Folder that gets a folder for each recording."""
        return Path(_ROOT if self.output is None else self.output)

    def patterns(self, track: str) -> Sequence[Path]:
        """Glob patterns, below `root`, of the results of a recording."""
        return [Path(track, DICTIONARY)]

    def record_path(self, track: str) -> Path:
        """Path, below `root`, of the record of the settings that made the results."""
        return Path(track, f"{PREFIX}{self.name}.json")

    def check(self) -> None:
        """Check the options before any file is read."""
        if self.beta_loss is not None:
            from nmfaudio.factorisation.divergences import beta_named

            beta_named(self.beta_loss, self.name)

    def prepare(self) -> Worker:
        """Return the function that learns from a recording."""
        return self._learn

    def _learn(self, job: Job, bar: Bar) -> dict[str, Any]:
        from nmfaudio.audio.io.decoding import open_audio
        from nmfaudio.cli.dictionary_facts import describe_dictionary
        from nmfaudio.dictionaries.learning import learn
        from nmfaudio.dictionaries.recordings import Recording

        with open_audio(job.source) as audio:
            transform = self.transform(audio.sr)
        learned = learn(
            {self.label or Path(job.source).stem: Recording(job.source, *(self.preview or ()))},
            kind=self.kind or "exemplars",  # type: ignore[arg-type]  # argparse checks the choices
            size=self.size,
            lags=self.lags,
            transform=transform,
            beta_loss=self.beta_loss,
            max_iter=MAX_ITER if self.max_iter is None else self.max_iter,
            callback=bar.update,
            rng=self.seed,
        )
        check_ended()
        discard_record(job.record)
        bar.show_stage(WRITING)
        path = learned.save(self.root / job.track / DICTIONARY, overwrite=self.overwrite)
        return {"path": path} | describe_dictionary(learned)

    def written(self, report: dict[str, Any]) -> Iterable[Path]:
        """Paths written for one file."""
        if report.get("path") is not None:
            yield Path(report["path"])

    def lines(self, name: str, report: dict[str, Any]) -> Iterable[str]:
        """One line about the dictionary."""
        return [f"{name}: {report['components']} templates in {printable(str(report['path']))}"]
