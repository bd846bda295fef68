"""Commands that work on one recording after another: read, process, write and report each."""

from __future__ import annotations

import os
import sys
import time
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nmfaudio._common.options import option, switch
from nmfaudio._common.time_ranges import parse_time_range
from nmfaudio.cli.command import ComputingCommand
from nmfaudio.cli.failures import check_ended, joint_code, printable, report_failure
from nmfaudio.cli.inputs import input_name, open_input
from nmfaudio.cli.jobs import Job, plan
from nmfaudio.cli.memory import check_memory
from nmfaudio.cli.output import emit_path
from nmfaudio.cli.parser import INPUT, OUTPUT
from nmfaudio.cli.progress import PREPARING, READING, WRITING, Bar, record_warnings
from nmfaudio.errors import AudioWarning

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from nmfaudio.audio.io import DecodedAudio

Worker = Callable[[Job, Bar], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class BatchCommand(ComputingCommand):
    """A command that reads recordings and writes a folder of results for each."""

    stages: ClassVar[Mapping[str, float]]
    """Relative durations of the stages, for the progress bar."""

    output: str
    overwrite: bool = switch(
        "replace results that exist (default: refuse)", group=OUTPUT, excludes="existing"
    )
    skip_existing: bool = switch(
        "skip files whose results exist", group=OUTPUT, excludes="existing"
    )
    preview: tuple[float, float] | None = option(
        None,
        "process only this part of each file: 0:30-0:45, or 90-100.5 in seconds",
        parse=parse_time_range,
        metavar="FROM-TO",
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

    @abstractmethod
    def patterns(self) -> Sequence[str]:
        """Glob patterns of the results in the folder of a recording."""

    def model_path(self, track: str) -> Path | None:
        """Path of the file that holds the model of a recording, if there is one."""
        return None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Files that are read, and must not be replaced."""
        return self.files

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
        jobs = plan(self)
        self.set_threads()
        work = self.prepare()
        reports = []
        for number, job in enumerate(jobs, 1):
            place = f"{number} of {len(jobs)} " if len(jobs) > 1 else ""
            label = place + printable(job.track)
            bar = Bar(label, self.stages, quiet=self.quiet, lines=self.progress)
            report = self._attempt(job, work, bar)
            if report["exit_code"] == 0 and not (self.quiet or report.get("skipped")):
                for line in self.lines(input_name(job.source), report):
                    print(line, file=sys.stderr)
            reports.append(report)
            if not self.json:
                for path in self.written(report):
                    emit_path(path)
        code = joint_code(report["exit_code"] for report in reports)
        if self.json:
            self.emit_result(code, {"files": reports})
        return code

    def _attempt(self, job: Job, work: Worker, bar: Bar) -> dict[str, Any]:
        """Process one file; its failure is reported and does not stop the other files."""
        name = input_name(job.source)
        report: dict[str, Any] = {"input": job.source, "track": job.track, "exit_code": 0}
        if job.existing and self.skip_existing:
            if not self.quiet:
                print(f"{name}: skipped, {printable(str(job.existing[0]))} exists", file=sys.stderr)
            return report | {"skipped": True}
        began = time.perf_counter()
        with (
            record_warnings(name, bar) as messages,
            report_failure(report, name, debug=self.debug),
            bar,
        ):
            facts = work(job, bar)
            seconds = time.perf_counter() - began
            warn_of_leftovers(job, list(self.written(facts)))
            report |= facts | {"seconds": seconds}
        return report | {"warnings": messages}

    def read(self, job: Job, bar: Bar) -> DecodedAudio:
        """Read a file, or a part of it."""
        from nmfaudio.audio.io import read

        bar.show_stage(READING)
        start, stop = self.preview or (None, None)
        return read(
            open_input(job.source),
            start=start,
            stop=stop,
            strict=self.strict,
            salvage=self.salvage,
            nonfinite=self.nonfinite,  # type: ignore[arg-type]  # argparse checks the choices
        )

    def compute(self, model: Any, recording: DecodedAudio, bar: Bar) -> Any:
        """Call a separator or transcriber on a recording that fits into memory."""
        samples, sr = recording.samples, recording.sr
        check_memory(model.memory(samples, sr) - samples.nbytes)
        bar.show_stage(PREPARING)
        result = model(samples, sr, rng=self.seed, callback=bar.update)
        check_ended()
        bar.show_stage(WRITING)
        return result


def describe_result(recording: DecodedAudio, result: Any) -> dict[str, Any]:
    """Properties of a recording and of its result, for the output of ``--json``."""
    channels, samples = recording.samples.shape
    return {
        "sr": recording.sr,
        "channels": channels,
        "samples": samples,
        "duration": samples / recording.sr,
        "offset": recording.offset,
        "settings": dict(result.settings),
        "loss": float(result.decomposition.losses[-1]),
        "iterations": result.decomposition.n_iter,
        "converged": result.decomposition.converged,
    }


def warn_of_leftovers(job: Job, written: Sequence[os.PathLike[str]]) -> None:
    """Warn of files of an earlier run that look like results of this one."""
    left = [path for path in job.existing if path not in written]
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        warnings.warn(
            f"{left[0].parent} still has {left[0].name}{more} from an earlier run;"
            " delete what you do not need",
            AudioWarning,
            stacklevel=2,
        )
