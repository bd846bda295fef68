"""Plan of the files to process, with all checks that need no audio."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nmfaudio.cli.inputs import STDIN
from nmfaudio.errors import AudioFileError, OutputError, ParameterError


@dataclass(frozen=True)
class Job:
    """One file to process.

    Attributes
    ----------
    source : str
        Name of the file as on the command line; `STDIN` for standard input.
    track : str
        Name of its folder in the output.
    folder : Path
        Folder of its results.
    model : Path or None
        Path of its factorisation.
    existing : tuple of Path
        Files that exist and may be replaced. The names of the stems are not known beforehand, so
        this is every file in the folder that looks like one.
    """

    source: str
    track: str
    folder: Path
    model: Path | None
    existing: tuple[Path, ...]


class JobOptions(Protocol):
    """Options of a command that decide where results go; see `nmfaudio.cli.batch`."""

    @property
    def files(self) -> tuple[str, ...]: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def root(self) -> Path: ...
    @property
    def overwrite(self) -> bool: ...
    @property
    def skip_existing(self) -> bool: ...
    def patterns(self) -> Sequence[str]: ...
    def model_path(self, track: str) -> Path | None: ...


def plan(command: JobOptions) -> list[Job]:
    """Assign an output folder to each file, and check all that is known before processing.

    Raises
    ------
    ParameterError
        Outputs would collide with one another or with an input.
    OutputError
        Outputs exist, or their folders cannot be written.
    """
    from nmfaudio._common.files import check_targets

    jobs = [_job(source, command) for source in command.files]
    _check_collisions(jobs)
    _check_inputs(jobs, command)
    _check_existing(jobs, command)
    for job in jobs:
        _check_writable(job.folder)
        if job.model is not None:
            check_targets([job.model], overwrite=True)  # an existing file was refused above
    return jobs


def _job(source: str, command: JobOptions) -> Job:
    from nmfaudio._common.files import safe_name

    track = "stdin" if source == STDIN else safe_name(Path(source).stem)
    folder = command.root / track
    model = command.model_path(track)
    existing = [
        path
        for pattern in command.patterns()
        for path in sorted(folder.glob(pattern))
        if not path.name.startswith(".")
    ]
    if model is not None and os.path.lexists(model):
        existing.append(model)
    return Job(source, track, folder, model, tuple(existing))


def _check_collisions(jobs: Sequence[Job]) -> None:
    """Refuse inputs whose results would go to the same place."""
    from nmfaudio._common.files.names import file_key

    taken: dict[str, Job] = {}
    for job in jobs:
        first = taken.setdefault(file_key(job.track), job)
        if first is not job:
            raise ParameterError(
                f"{job.source}: its results would go to {job.folder}, like those of"
                f" {first.source}; rename one, or use two runs with different --output"
            )


def _check_inputs(jobs: Sequence[Job], command: JobOptions) -> None:
    """Refuse to replace an input by a result."""
    inputs = {os.path.realpath(path): path for path in command.inputs if path != STDIN}
    for job in jobs:
        for pattern in map(job.folder.joinpath, command.patterns()):
            folder = os.path.realpath(pattern.parent)
            for real, source in inputs.items():
                head, name = os.path.split(real)
                if head == folder and fnmatch.fnmatch(name, pattern.name):
                    raise ParameterError(
                        f"{source}: lies in {pattern.parent}, where results would replace it;"
                        " choose another --output"
                    )
        if job.model is not None and os.path.realpath(job.model) in inputs:
            raise ParameterError(f"{job.model}: is an input, and --save-model would replace it")


def _check_existing(jobs: Sequence[Job], command: JobOptions) -> None:
    """Refuse to replace existing results, unless an option allows it."""
    if command.overwrite or command.skip_existing:
        return
    for job in jobs:
        if job.existing and _is_audio(job.source):
            more = f" (and {len(job.existing) - 1} more)" if len(job.existing) > 1 else ""
            raise OutputError(
                f"{job.existing[0]}: exists{more};"
                " use --overwrite, --skip-existing or another --output"
            )


def _is_audio(source: str) -> bool:
    """True if a file can be opened; any other fails with its own error when its turn comes."""
    from nmfaudio.audio.io.decoding import open_audio

    if source == STDIN:
        return True
    try:
        with open_audio(source):
            return True
    except AudioFileError:
        return False


def _check_writable(folder: Path) -> None:
    """Refuse a folder that cannot be written to."""
    existing = next(p for p in (folder, *folder.parents) if os.path.lexists(p))
    if not os.path.isdir(existing):
        raise OutputError(f"{existing}: is not a folder; choose another --output")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise OutputError(f"{existing}: is not writable; choose another --output")
