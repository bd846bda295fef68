"""Plan of the files to process, with all checks that need no audio."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from nmfaudio.cli.failures import printable
from nmfaudio.cli.inputs import STDIN, Input, open_input
from nmfaudio.errors import AudioFileError, NmfAudioError, OutputError, ParameterError


@dataclass(frozen=True)
class Job:
    """One file to process.

    Attributes
    ----------
    source : str
        Name of the file as on the command line; `STDIN` for standard input.
    track : str
        Name of the recording in the output: that of its folder, or a path of several.
    folder : Path
        Folder of its results.
    model : Path or None
        Path of its factorisation.
    record : Path
        Path of the record of its settings.
    existing : tuple of Path
        Files that exist and may be replaced. The names of the stems are not known beforehand, so
        this is every file that looks like one.
    earlier : tuple of Path
        Results of the last run of the same command.
    """

    source: str
    track: str
    folder: Path
    model: Path | None
    record: Path
    existing: tuple[Path, ...]
    earlier: tuple[Path, ...]

    @cached_property
    def content(self) -> str | BinaryIO:
        """Path of the file, or the content of standard input, which can be read only once."""
        return open_input(self.source)

    @property
    def path(self) -> str | None:
        """Path of the file, None for standard input."""
        return None if self.source == STDIN else self.source

    @property
    def stamp(self) -> tuple[int, int] | None:
        """Size and time of the last change of the file."""
        if self.path is None:
            return None
        try:
            facts = os.stat(self.path)
        except FileNotFoundError:  # reading it tells why
            return None
        except OSError as error:
            raise AudioFileError(f"{printable(self.path)}: {error.strerror}") from None
        return facts.st_size, facts.st_mtime_ns

    def made_from(self, command: JobOptions) -> dict[str, Any]:
        """Describe all that the results depend on."""
        from nmfaudio.cli.record import digest

        return {"command": command.name, "input": digest(self.content), **command.made_with}


class JobOptions(Protocol):
    """Options of a command that decide where results go; see `nmfaudio.cli.batch`."""

    @property
    def name(self) -> str: ...
    @property
    def recordings(self) -> Sequence[Input]: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def root(self) -> Path: ...
    @property
    def preview(self) -> tuple[float, float] | None: ...
    @property
    def overwrite(self) -> bool: ...
    @property
    def skip_existing(self) -> bool: ...
    @property
    def made_with(self) -> dict[str, Any]: ...
    def tracks(self) -> list[str]: ...
    def check_input(self, job: Job) -> None: ...
    def patterns(self, track: str) -> Sequence[Path]: ...
    def model_path(self, track: str) -> Path | None: ...
    def record_path(self, track: str) -> Path: ...


def plan(
    command: JobOptions, named: Sequence[tuple[str, str]] | None = None
) -> tuple[list[Job], set[Job]]:
    """Assign an output folder to each file, and check all that is known before processing.

    Parameters
    ----------
    command : JobOptions
    named : sequence of (str, str), optional
        Files with the names of their recordings, by default all files of the command.

    Returns
    -------
    jobs : list of Job
    done : set of Job
        Those whose results exist and were made by the same settings, if these are to be skipped.

    Raises
    ------
    ParameterError
        A result would replace an input.
    OutputError
        Outputs exist, or their folders cannot be written.
    """
    from nmfaudio._common.files import check_targets
    from nmfaudio._common.files.targets import output_error

    if named is None:
        sources = [item.source for item in command.recordings]
        named = list(zip(sources, command.tracks(), strict=True))
    try:
        jobs = [_job(source, track, command) for source, track in named]
    except (OSError, ValueError) as error:  # a name that no file can have
        if isinstance(error, NmfAudioError):
            raise
        raise output_error(command.root, error) from None
    _check_inputs(jobs, command)
    done = _check_existing(jobs, command)
    for job in jobs:
        if job not in done:
            _check_writable(job.folder)
            if job.model is not None:
                check_targets([job.model], overwrite=True)  # an existing file was refused above
    return jobs, done


def _job(source: str, track: str, command: JobOptions) -> Job:
    from nmfaudio.cli.record import recorded_results

    if command.preview is not None:
        # A part of a recording never stands for the whole.
        track += ".preview-" + "-".join(f"{seconds:.10g}" for seconds in command.preview)
    model = command.model_path(track)
    existing = [
        path
        for pattern in command.patterns(glob.escape(track))
        for path in sorted(command.root.glob(str(pattern)))
        if not path.name.startswith(".")
    ]
    if model is not None and os.path.isdir(model):
        raise OutputError(f"{model}: is a folder; name a file, as in {model / 'model.npz'}")
    if model is not None and os.path.lexists(model):
        existing.append(model)
    record = command.root / command.record_path(track)
    earlier = tuple(recorded_results(record))
    return Job(source, track, record.parent, model, record, tuple(existing), earlier)


def _check_inputs(jobs: Sequence[Job], command: JobOptions) -> None:
    """Refuse to replace an input by a result."""
    inputs = {os.path.realpath(path): path for path in command.inputs if path != STDIN}
    for job in jobs:
        if job.model is not None and os.path.realpath(job.model) in inputs:
            raise ParameterError(
                f"{job.model}: is an input, and the model to be saved would replace it; choose"
                " another --output or --save-model"
            )
        for path in job.existing:
            if os.path.realpath(path) in inputs:
                raise ParameterError(
                    f"{inputs[os.path.realpath(path)]}: lies in {path.parent}, where results would"
                    " replace it; choose another --output"
                )


def _check_existing(jobs: Sequence[Job], command: JobOptions) -> set[Job]:
    """Refuse to replace existing results, unless an option allows it; return those to skip."""
    from nmfaudio.cli.record import maker

    done = set()
    for job in jobs:
        if not job.existing or (command.overwrite and not command.skip_existing):
            continue
        if not _is_readable(job, command):
            continue
        reason = _difference(job, command) if command.skip_existing else ""
        if reason is None:
            done.add(job)
        elif not command.overwrite:
            more = f" (and {len(job.existing) - 1} more)" if len(job.existing) > 1 else ""
            by = maker(job.existing[0], job.folder)
            if by not in (None, command.name):
                raise OutputError(
                    f"{job.existing[0]}: exists{more}, a result of nmfaudio {by}; use another"
                    " --output, or --overwrite"
                )
            cure = "use --overwrite, --skip-existing or another --output"
            if command.skip_existing:
                more = f", but {reason}"
                cure = "add --overwrite to make it again, or use another --output"
            raise OutputError(f"{job.existing[0]}: exists{more}; {cure}")
    return done


def _difference(job: Job, command: JobOptions) -> str | None:
    from nmfaudio.cli.record import difference

    return difference(job.record, job.made_from(command))


def _is_readable(job: Job, command: JobOptions) -> bool:
    """True if a file can be opened; any other fails with its own error when its turn comes."""
    try:
        command.check_input(job)
    except (AudioFileError, ParameterError):
        return False
    return True


def _check_writable(folder: Path) -> None:
    """Refuse a folder that cannot be written to."""
    try:
        existing = next(path for path in (folder, *folder.parents) if _exists(path))
        is_folder = stat.S_ISDIR(os.stat(existing).st_mode)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written: {error.strerror}; choose another --output"
        ) from None
    if not is_folder:
        raise OutputError(f"{existing}: is not a folder; choose another --output")
    if not os.access(existing, os.W_OK | os.X_OK):
        named = os.path.abspath(existing) if existing == Path() else existing
        raise OutputError(f"{named}: is not writable; choose another --output")


def _exists(path: Path) -> bool:
    """True for anything that has the name; unlike `os.path.lexists`, with errors of the disk."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
