"""Commands that work on one recording after another: read, process, write and report each."""

from __future__ import annotations

import os
import sys
import time
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nmfaudio._common.memory import parse_budget
from nmfaudio._common.options import option, options, switch
from nmfaudio._common.time_ranges import parse_duration, parse_time_range
from nmfaudio.cli.command import ComputingCommand
from nmfaudio.cli.failures import check_ended, joint_code, printable, report_failure
from nmfaudio.cli.inputs import Input, find_inputs, input_name
from nmfaudio.cli.jobs import Job, plan
from nmfaudio.cli.memory import (
    check_duration,
    check_memory,
    check_second,
    memory_budget,
    needed_memory,
    shortage,
)
from nmfaudio.cli.output import emit_path
from nmfaudio.cli.parser import COMPUTATION, INPUT, OUTPUT, REPORTING
from nmfaudio.cli.progress import PREPARING, READING, WRITING, Bar, record_warnings
from nmfaudio.cli.record import write_record
from nmfaudio.cli.tracks import track_names
from nmfaudio.errors import AudioFileError, AudioWarning

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from nmfaudio.audio.io import DecodedAudio
    from nmfaudio.audio.io.track import Track

Worker = Callable[[Job, Bar], dict[str, Any]]

DEFAULT_ROOTS = ("separated", "transcribed")
"""Folders of results without --output: of the separators, and of transcribe."""

_NO_INFLUENCE = (
    *("output", "filename", "overwrite", "skip_existing"),
    *("max_duration", "threads", "memory"),
)


@dataclass(frozen=True, kw_only=True)
class BatchCommand(ComputingCommand):
    """A command that reads recordings and writes a folder of results for each."""

    stages: ClassVar[Mapping[str, float]]
    """Relative durations of the stages, for the progress bar."""

    output: str | None
    overwrite: bool = switch("replace results that exist (default: refuse)", group=OUTPUT)
    skip_existing: bool = switch(
        "skip files whose results exist and were made from the same input with the same settings;"
        " other results are refused, or with --overwrite replaced",
        group=OUTPUT,
    )
    preview: tuple[float, float] | None = option(
        None,
        "process only this part of each file: 0:30-0:45, or 90-100.5 in seconds; the results go to"
        " a folder of their own; times in boxes, tables and scores still count from the beginning"
        " of the file",
        parse=parse_time_range,
        metavar="FROM-TO",
        group=INPUT,
    )
    max_duration: float | None = option(
        None,
        "refuse files that last longer, in seconds or as 1:30:00, before they are read",
        parse=parse_duration,
        metavar="TIME",
        group=INPUT,
    )
    strict: bool = switch(
        "refuse a file that ends early or has a wrong header, instead of warning", group=INPUT
    )
    salvage: bool = switch("keep the part of a corrupt file that can be decoded", group=INPUT)
    nonfinite: str = option(
        "error",
        "with samples that are NaN or infinite, refuse the file or set them to zero",
        choices=("error", "zero"),
        group=INPUT,
    )

    memory: int | None = option(
        None,
        "most memory to use, such as 500M or 2G: a file that needs more is processed in blocks"
        " (default: three quarters of what is available)",
        parse=parse_budget,
        metavar="SIZE",
        group=COMPUTATION,
    )
    stream: bool = switch(
        "process every file in blocks, in memory that does not grow with its length; the templates"
        " are learned from a part of its frames",
        group=COMPUTATION,
        excludes="streaming",
    )
    no_stream: bool = switch(
        "never process a file in blocks: refuse one that needs too much memory",
        group=COMPUTATION,
        excludes="streaming",
    )

    def stage_weights(self) -> Mapping[str, float]:
        """Relative durations of the stages, for the progress bar."""
        return self.stages

    @property
    @abstractmethod
    def root(self) -> Path:
        """Folder that gets a folder for each recording."""

    @abstractmethod
    def patterns(self, track: str) -> Sequence[Path]:
        """Glob patterns, below `root`, of the results of a recording."""

    @abstractmethod
    def record_path(self, track: str) -> Path:
        """Path, below `root`, of the record of the settings that made the results."""

    def model_path(self, track: str) -> Path | None:
        """Path of the file that holds the model of a recording, if there is one."""
        return None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Files that are read, and must not be replaced."""
        return tuple(item.source for item in self.recordings)

    @cached_property
    def recordings(self) -> Sequence[Input]:
        """Files to process, those in folders included."""
        outputs = [self.root]
        if self.output is None:  # other commands write there too
            outputs += [Path(name) for name in DEFAULT_ROOTS]
        return find_inputs(self.files, outputs)

    def tracks(self) -> list[str]:
        """Names of the recordings in the output."""
        return track_names(self.recordings)

    @property
    def settings(self) -> dict[str, Any]:
        """Options on which the content of the results depends, by their flags."""
        return {
            setting.flag: getattr(self, setting.name)
            for setting in options(type(self), own_first=False)
            if setting.group != REPORTING and setting.name not in _NO_INFLUENCE
        }

    @cached_property
    def made_with(self) -> dict[str, Any]:
        """Settings, and hashes of the files that they name."""
        from nmfaudio.cli.record import describe_settings

        return describe_settings(self.settings, written=("--save-model",))

    @abstractmethod
    def check(self) -> None:
        """Check the options before any file is read."""

    @abstractmethod
    def prepare(self) -> Worker:
        """Return the function that processes a job, and returns the facts for ``--json``."""

    @abstractmethod
    def written(self, report: dict[str, Any]) -> Iterable[os.PathLike[str]]:
        """Paths written for one file."""

    @abstractmethod
    def lines(self, name: str, report: dict[str, Any]) -> Iterable[str]:
        """Lines for stderr about a finished file."""

    def run(self) -> int:
        """Process one file after another, and report."""
        self.require_files()
        self.check()
        jobs, done = plan(self)
        self.set_threads()
        failed = {job: error for job in jobs if (error := self._unreadable(job)) is not None}
        work = self.prepare() if len(failed) < len(jobs) else None
        reports = []
        for number, job in enumerate(jobs, 1):
            place = f"{number} of {len(jobs)} " if len(jobs) > 1 else ""
            label = place + printable(job.track)
            bar = Bar(label, self.stage_weights(), quiet=self.quiet, lines=self.progress)
            if job in failed:
                report = failed[job]
            elif job in done or work is None:
                report = self._skip(job)
            else:
                report = self._attempt(job, work, bar)
            if report["exit_code"] == 0 and not (self.quiet or report.get("skipped")):
                for line in self.lines(input_name(job.source), report):
                    print(line, file=sys.stderr)
            reports.append(report)
            if not self.json:
                for path in self.written(report):
                    emit_path(path)
        if len(reports) > 1 and not self.quiet:
            print("\n".join(summarise(reports)), file=sys.stderr)
        code = joint_code(report["exit_code"] for report in reports)
        if self.json:
            self.emit_result(code, {"files": reports, "summary": count(reports)})
        return code

    def process(self, source: str, track: str, work: Worker) -> dict[str, Any]:
        """Process one file, whose recording has this name in the output, and report on it.

        Parameters
        ----------
        source : str
            Path of the file.
        track : str
        work : callable
            Result of `prepare`.

        Returns
        -------
        dict
            As ``--json`` writes it of a file, with the paths of all results in ``written``.
        """
        (job,), done = plan(self, [(source, track)])
        if job in done:
            return self._skip(job) | {"written": job.earlier}
        bar = Bar(printable(job.track), self.stage_weights(), quiet=True)
        report = self._unreadable(job) or self._attempt(job, work, bar)
        return report | {"written": list(self.written(report))}

    def check_input(self, job: Job) -> None:
        """Check that a file can be opened, and is not too long."""
        from nmfaudio.audio.io.decoding import open_audio

        with open_audio(job.content):
            pass
        if self.max_duration is not None and self.preview is None:
            check_duration(job.content, self.max_duration)

    def _unreadable(self, job: Job) -> dict[str, Any] | None:
        """Report a file that cannot be opened, before any other file is processed."""
        report: dict[str, Any] = {"input": job.source, "track": job.track, "exit_code": 0}
        with report_failure(report, input_name(job.source), debug=self.debug):
            self.check_input(job)
        return report | {"warnings": []} if report["exit_code"] else None

    def _skip(self, job: Job) -> dict[str, Any]:
        if not self.quiet:
            same = f"{printable(str(job.existing[0]))} exists, made with the same settings"
            print(f"{input_name(job.source)}: skipped, {same}", file=sys.stderr)
        return {"input": job.source, "track": job.track, "exit_code": 0, "skipped": True}

    def _attempt(self, job: Job, work: Worker, bar: Bar) -> dict[str, Any]:
        """Process one file; its failure is reported and does not stop the other files."""
        from nmfaudio._common.files.staging import transaction

        name = input_name(job.source)
        report: dict[str, Any] = {"input": job.source, "track": job.track, "exit_code": 0}
        began = time.perf_counter()
        with (
            record_warnings(name, bar) as messages,
            report_failure(report, name, debug=self.debug),
            bar,
        ):
            with transaction():
                before = job.stamp
                facts = work(job, bar)
                if job.stamp != before:
                    raise AudioFileError(f"{name}: changed while it was processed; run again")
                seconds = time.perf_counter() - began
                written = [Path(path) for path in self.written(facts)]
                warn_of_leftovers(job, written)
                write_record(job.record, job.made_from(self), written, job.path)
            facts |= {"options": self.settings, "record": job.record}
            report |= facts | {"seconds": seconds}
        return report | {"warnings": messages}

    def read(self, job: Job, bar: Bar) -> DecodedAudio:
        """Read a file, or a part of it."""
        from nmfaudio.audio.io import read

        bar.show_stage(READING)
        start, stop = self.preview or (None, None)
        return read(
            job.content,
            start=start,
            stop=stop,
            strict=self.strict,
            salvage=self.salvage,
            nonfinite=self.nonfinite,  # type: ignore[arg-type]  # argparse checks the choices
        )

    def open(self, job: Job, bar: Bar) -> Track:
        """Open a file, or a part of it, to be read in blocks."""
        from nmfaudio.audio.io.track import open_track

        bar.show_stage(READING)
        start, stop = self.preview or (None, None)
        return open_track(
            job.content,
            start=start,
            stop=stop,
            strict=self.strict,
            salvage=self.salvage,
            nonfinite=self.nonfinite,  # type: ignore[arg-type]  # argparse checks the choices
        )

    def in_blocks(self, job: Job, model: Any, bar: Bar) -> bool:
        """Choose whether to process a file in blocks, before it is read.

        Raises
        ------
        LimitError
            It needs too much memory, and must not be processed in blocks, or does even then.
        """
        budget = memory_budget(self.memory)
        if self.stream:
            check_second(model.memory, job.content, budget)
            return True
        need = needed_memory(model.memory, job.content, self.preview)
        if budget is None or need <= budget:
            return False
        if self.no_stream:
            check_memory(need, budget)
        check_second(model.memory, job.content, budget)
        if not self.quiet:
            name = input_name(job.source)
            bar.print(f"{name}: {shortage(need, budget)}; it is processed in blocks")
        return True

    def compute(self, model: Any, recording: DecodedAudio, bar: Bar, **place: Any) -> Any:
        """Call a separator or transcriber on a recording."""
        samples, sr = recording.samples, recording.sr
        bar.show_stage(PREPARING)
        result = model(samples, sr, rng=self.seed, callback=bar.update, **place)
        check_ended()
        bar.show_stage(WRITING)
        return result


def describe_result(recording: Any, result: Any) -> dict[str, Any]:
    """Properties of a `DecodedAudio` or `Track` and of its result, for the output of ``--json``."""
    whole = getattr(recording, "samples", None)
    channels, samples = recording.shape if whole is None else whole.shape
    return {
        "sr": recording.sr,
        "channels": channels,
        "samples": samples,
        "duration": samples / recording.sr,
        "offset": recording.offset,
        "in_blocks": whole is None,
        "settings": dict(result.settings),
        **_describe_fit(result),
    }


def _describe_fit(result: Any) -> dict[str, Any]:
    """Course of the fit of stems, or of a transcription."""
    model = getattr(result, "decomposition", None)
    if model is None:  # notes of a recording in blocks, each with a fixed number of iterations
        return {"loss": result.loss, "iterations": result.n_iter, "converged": False}
    return {
        "loss": float(model.losses[-1]),
        "iterations": model.n_iter,
        "converged": model.converged,
    }


def count(reports: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Numbers of files that are done, were skipped, and failed."""
    failed = sum(report["exit_code"] != 0 for report in reports)
    skipped = sum(bool(report.get("skipped")) for report in reports)
    return {"done": len(reports) - skipped - failed, "skipped": skipped, "failed": failed}


def summarise(reports: Sequence[dict[str, Any]]) -> list[str]:
    """One line about several files, and the name of each that failed."""
    counts = ", ".join(f"{number} {name}" for name, number in count(reports).items() if number)
    # Their errors have been printed.
    failed = [f"  {input_name(report['input'])}" for report in reports if report["exit_code"] != 0]
    return [f"{number_of_files(reports)}: {counts}{':' if failed else ''}", *failed]


def number_of_files(files: Sized) -> str:
    """Number of files in words."""
    return "1 file" if len(files) == 1 else f"{len(files)} files"


def warn_of_leftovers(job: Job, written: Sequence[os.PathLike[str]]) -> None:
    """Warn of files of an earlier run that look like results of this one."""
    earlier = dict.fromkeys((*job.existing, *job.earlier))
    left = [path for path in earlier if path not in written]
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        warnings.warn(
            f"{left[0].parent} still has {left[0].name}{more} from an earlier run;"
            " delete what you do not need",
            AudioWarning,
            stacklevel=2,
        )
