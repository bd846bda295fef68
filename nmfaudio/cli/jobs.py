"""What is to be done with each file, settled before any work."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nmfaudio._common.files import check_targets, safe_name
from nmfaudio.audio.io import check_format
from nmfaudio.cli.inputs import STDIN
from nmfaudio.cli.parser import require_files
from nmfaudio.errors import OutputError, ParameterError

_TRACK = "{track}"
_ANY_AUDIO = (1, 48_000)  # channels and Hz that every format holds


@dataclass(frozen=True)
class Job:
    """One file to work on.

    Parameters
    ----------
    source : str
        The file as it was given; `STDIN` for standard input.
    track : str
        What the file is called in the output.
    folder : Path
        Where its results go.
    model : Path or None
        Where its factorisation goes.
    existing : tuple of Path
        What is there already and may be in the way: the names of the parts are not known before
        they are made, so this is every file of the right format in the folder.
    """

    source: str
    track: str
    folder: Path
    model: Path | None
    existing: tuple[Path, ...]


def plan(options: argparse.Namespace) -> list[Job]:
    """Settle where everything will go, so that nothing fails late that could fail early.

    Raises
    ------
    ParameterError
        There are no files, or outputs would collide with one another or with an input.
    OutputError
        Outputs exist, or their folders cannot be written.
    """
    require_files(options)
    check_format(options.format, options.subtype, *_ANY_AUDIO)
    _check_model_name(options)
    jobs = [_job(source, options) for source in options.files]
    check_collisions(jobs)
    _check_inputs(jobs, options.format)
    check_existing(jobs, options)
    for job in jobs:
        check_writable(job.folder)
        if job.model is not None:
            check_targets([job.model], overwrite=True)  # that it exists was settled above
    return jobs


def _job(source: str, options: argparse.Namespace) -> Job:
    track = "stdin" if source == STDIN else safe_name(Path(source).stem)
    folder = Path(options.output, track)
    model = None
    if options.save_model is not None:
        model = Path(options.save_model.replace(_TRACK, track))
    return Job(source, track, folder, model, tuple(_existing(folder, model, options.format)))


def _existing(folder: Path, model: Path | None, suffix: str) -> list[Path]:
    found = []
    if os.path.isdir(folder):
        found = sorted(p for p in folder.glob(f"*.{suffix}") if not p.name.startswith("."))
        found += sorted(folder.glob("hits.*"))
    if model is not None and os.path.lexists(model):
        found.append(model)
    return found


def _check_model_name(options: argparse.Namespace) -> None:
    name = options.save_model
    if name is not None and len(options.files) > 1 and _TRACK not in name:
        raise ParameterError(
            f"--save-model {name} is one file for {len(options.files)} inputs;"
            f" put {_TRACK} into it, as in {_TRACK}.npz"
        )


def check_collisions(jobs: Sequence[Job]) -> None:
    """Refuse inputs whose results would go to the same place."""
    taken: dict[str, Job] = {}
    for job in jobs:
        # Names that differ in case only are one on some file systems.
        other = taken.setdefault(job.track.casefold(), job)
        if other is not job:
            raise ParameterError(
                f"{job.source}: its results would go to {job.folder}, like those of {other.source};"
                " rename one, or take two runs with different --output"
            )


def _check_inputs(jobs: Sequence[Job], suffix: str) -> None:
    inputs = {os.path.realpath(job.source): job.source for job in jobs if job.source != STDIN}
    folders = {os.path.realpath(job.folder): job.folder for job in jobs}
    for real, source in inputs.items():
        if os.path.dirname(real) in folders and real.endswith(f".{suffix}"):
            raise ParameterError(
                f"{source}: lies in {folders[os.path.dirname(real)]}, where parts would be"
                " written over it; choose another --output"
            )
    for job in jobs:
        if job.model is not None and os.path.realpath(job.model) in inputs:
            raise ParameterError(f"{job.model}: is an input, and --save-model would replace it")


def check_existing(jobs: Sequence[Job], options: argparse.Namespace) -> None:
    """Refuse to write over what is there, unless the options say what to do about it."""
    if options.overwrite or options.skip_existing:
        return
    for job in jobs:
        if job.existing:
            more = f" (and {len(job.existing) - 1} more)" if len(job.existing) > 1 else ""
            raise OutputError(
                f"{job.existing[0]}: exists{more};"
                " use --overwrite, --skip-existing or another --output"
            )


def check_writable(folder: Path) -> None:
    """Refuse a folder that nothing can be written to."""
    there = next(p for p in (folder, *folder.parents) if os.path.lexists(p))
    if not os.path.isdir(there):
        raise OutputError(f"{there}: is not a folder; choose another --output")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"{there}: nothing may be written there; choose another --output")
