"""Commands that work on files: each read, worked on, written and reported."""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmfaudio._version import __version__
from nmfaudio.audio.io import check_format, read
from nmfaudio.cli import results
from nmfaudio.cli.failures import (
    check_ended,
    complain,
    describe,
    exit_code,
    joint_code,
    printable,
)
from nmfaudio.cli.inputs import input_name, open_input
from nmfaudio.cli.jobs import Job, plan
from nmfaudio.cli.memory import check_memory
from nmfaudio.cli.output import emit_json, emit_path
from nmfaudio.cli.progress import Bar, heard
from nmfaudio.cli.separator_options import separator_settings
from nmfaudio.errors import AudioWarning
from nmfaudio.kernels.threads import set_threads
from nmfaudio.separators.base import Separator

if TYPE_CHECKING:
    from nmfaudio.audio.io import DecodedAudio


def run(command: str, kind: type[Any], chosen: argparse.Namespace) -> int:
    """Run the command of a separator of that kind, and return its exit code."""
    separator: Separator = kind(**separator_settings(chosen))

    def work(job: Job, bar: Bar) -> dict[str, Any]:
        return _separate(job, separator, chosen, bar)

    def lines(about: str, report: dict[str, Any]) -> list[str]:
        return [results.line(about, report), *([results.table(report)] if chosen.verbose else [])]

    return run_jobs(command, plan(chosen), work, chosen, written=results.written, lines=lines)


def run_jobs(
    command: str,
    jobs: Sequence[Job],
    work: Callable[[Job, Bar], dict[str, Any]],
    chosen: argparse.Namespace,
    *,
    written: Callable[[dict[str, Any]], Iterable[os.PathLike[str]]],
    lines: Callable[[str, dict[str, Any]], Iterable[str]],
    after: str = "making the sources",
) -> int:
    """Work on one file after another, and report.

    Parameters
    ----------
    command : str
        Its name.
    jobs : sequence of Job
    work : callable
        Does a job, and returns the facts that ``--json`` gives about it.
    chosen : argparse.Namespace
        With the options that all such commands share.
    written : callable
        The paths that were written, of such facts.
    lines : callable
        What stderr is told of a job that is done, given the file's name and such facts.
    after : str
        What the bar says when iterations are over.

    Returns
    -------
    int
        The exit code.
    """
    if chosen.threads is not None:
        set_threads(chosen.threads)
    reports = []
    for number, job in enumerate(jobs, 1):
        place = f"[{number}/{len(jobs)}] " if len(jobs) > 1 else ""
        bar = Bar(place + printable(job.track), quiet=chosen.quiet, after=after)
        report = _attempt(job, work, chosen, bar)
        if report["exit_code"] == 0 and not (chosen.quiet or report.get("skipped")):
            for line in lines(input_name(job.source), report):
                print(line, file=sys.stderr)
        reports.append(report)
        if not chosen.json:
            for path in written(report):
                emit_path(path)
    code = joint_code(report["exit_code"] for report in reports)
    if chosen.json:
        emit_json(
            {"nmfaudio": __version__, "command": command, "exit_code": code, "files": reports}
        )
    return code


def _attempt(
    job: Job,
    work: Callable[[Job, Bar], dict[str, Any]],
    chosen: argparse.Namespace,
    bar: Bar,
) -> dict[str, Any]:
    """Work on one file; its failure is reported and does not stop the other files."""
    about = input_name(job.source)
    report: dict[str, Any] = {"input": job.source, "track": job.track, "exit_code": 0}
    if job.existing and chosen.skip_existing:
        if not chosen.quiet:
            print(f"{about}: skipped, {printable(str(job.existing[0]))} exists", file=sys.stderr)
        return report | {"skipped": True}
    with heard(about, bar) as said:
        try:
            report |= work(job, bar)
        except Exception as error:
            bar.clear()
            complain(error, about, debug=chosen.debug)
            report |= {"exit_code": exit_code(error), "error": describe(error, about)}
        finally:
            bar.clear()
    return report | {"warnings": said}


def _separate(
    job: Job, separator: Separator, chosen: argparse.Namespace, bar: Bar
) -> dict[str, Any]:
    began = time.perf_counter()
    bar.say("reading")
    recording = read_input(job.source, chosen)
    check_format(chosen.format, chosen.subtype, len(recording.samples), recording.sr)
    check_memory(separator.memory(recording.samples, recording.sr) - recording.samples.nbytes)
    bar.say("preparing")
    stems = separator(recording.samples, recording.sr, rng=chosen.seed, callback=bar.update)
    check_ended()
    bar.say("writing")
    written = stems.save(
        job.folder,
        format=chosen.format,
        subtype=chosen.subtype,
        clip=chosen.clip,
        overwrite=chosen.overwrite,
        components_too=chosen.components_too,
    )
    if job.model is not None:
        stems.decomposition.save(job.model, overwrite=chosen.overwrite)
    notes = []
    if stems.notes:
        notes = stems.save_notes(job.folder, overwrite=chosen.overwrite)
    tell_leftovers(job, [*written.paths, *notes])
    report = results.describe_stems(recording, stems, written)
    seconds = time.perf_counter() - began
    return report | {
        "model": job.model,
        "notes": notes,
        "seconds": seconds,
        "times_real_time": report["duration"] / seconds,
    }


def read_input(source: str, chosen: argparse.Namespace) -> DecodedAudio:
    """Read a file, or a stretch of it, as the options say."""
    start, stop = chosen.preview or (None, None)
    return read(
        open_input(source),
        start=start,
        stop=stop,
        strict=chosen.strict,
        salvage=chosen.salvage,
        nonfinite=chosen.nonfinite,
    )


def tell_leftovers(job: Job, written: Sequence[Path]) -> None:
    """Warn of files of an earlier run that look as if they belonged to this one."""
    left = [path for path in job.existing if path not in (*written, job.model)]
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        warnings.warn(
            f"{left[0].parent} still holds {left[0].name}{more} from before;"
            " delete what you do not need",
            AudioWarning,
            stacklevel=2,
        )
