"""Long files of a batch, each of which is several tasks: one learns, many render, one joins."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from nmfaudio.cli.batch import BatchCommand, Worker
from nmfaudio.cli.failures import check_ended, printable
from nmfaudio.cli.inputs import input_name
from nmfaudio.cli.jobs import plan
from nmfaudio.cli.progress import Bar, record_warnings
from nmfaudio.cli.separate import SeparateCommand
from nmfaudio.cli.work import check_work

WHOLE, JOIN = -2, -1
"""Numbers of the tasks that are not of one part: a file or the first task of a long one, and the
last task of a long one. All others render the part of that number."""

Step = tuple[str, int]
"""Path of a file, and the number of a task on it."""


class Agenda:
    """Tasks of a batch, which follow one another for a long file.

    Parts of files that were begun come before other files, so that few scratch files are on the
    disk at a time.

    Parameters
    ----------
    sources : iterable of str
        Paths of the files.
    arguments : callable
        From a path and the number of a task to the arguments of the task.
    """

    def __init__(
        self, sources: Iterable[str], arguments: Callable[[str, int], tuple[Any, ...]]
    ) -> None:
        self._sources, self._arguments = iter(sources), arguments
        self._ready: deque[Step] = deque()
        self._begun: list[Step] = []
        self._files: dict[str, _LongFile] = {}

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[Any, ...]:
        step = self._ready.popleft() if self._ready else (next(self._sources), WHOLE)
        self._begun.append(step)
        return self._arguments(*step)

    def source(self, number: int) -> str:
        """File of a task, by the position of the task among all."""
        return self._begun[number][0]

    def follow(self, number: int, report: dict[str, Any]) -> dict[str, Any]:
        """Add the tasks that follow from the report of one.

        Parameters
        ----------
        number : int
            Position of the task.
        report : dict

        Returns
        -------
        dict
            Report on the file, or with ``share`` on the part of it that is done.
        """
        source, step = self._begun[number]
        if step == WHOLE:
            count = report.pop("parts", 0)
            if not count:
                return report
            self._files[source] = _LongFile(count, count, report.get("seconds", 0.0))
            self._ready.extend((source, part) for part in range(count))
            return report | {"share": 1 / (count + 2)}
        file = self._files[source]
        file.seconds += report.pop("seconds", 0.0)
        if step == JOIN:
            return report | {"seconds": file.seconds}
        file.left -= 1
        if report["exit_code"] and file.failure is None:
            file.failure = report
            dropped = [step for step in self._ready if step[0] == source]
            file.left -= len(dropped)
            self._ready = deque(step for step in self._ready if step[0] != source)
        if file.left == 0 and file.failure is not None:
            return file.failure
        if file.left == 0:
            self._ready.appendleft((source, JOIN))
        return report | {"share": 1 / (file.count + 2)}


@dataclass
class _LongFile:
    """File whose parts are rendered."""

    count: int
    left: int
    seconds: float
    failure: dict[str, Any] | None = None


def begin(
    command: BatchCommand, source: str, track: str, work: Worker, scratch: str
) -> dict[str, Any]:
    """Learn the model of a long file, or process any other file.

    Parameters
    ----------
    command : BatchCommand
    source, track, work
        As for `BatchCommand.process`.
    scratch : str
        Folder for the parts.

    Returns
    -------
    dict
        Report on the file; for a long one with the number of its ``parts``.
    """
    from nmfaudio.separators.render_shards import is_divisible, prepared_shards

    (job,), done = plan(command, [(source, track)])
    if job in done or not isinstance(command, SeparateCommand):
        return command.process(source, track, work)
    own, recording = command.resolved(job)
    check_work(own.separator, recording.content, own.preview)
    if not (is_divisible(own.separator) and own.is_long(recording)):
        return command.process(source, track, work)
    count = prepared_shards(scratch) or _prepare(own, recording, scratch)
    if not count:
        shutil.rmtree(scratch)
        return command.process(source, track, work)
    return {"input": source, "track": track, "exit_code": 0, "parts": count}


def join(command: BatchCommand, source: str, track: str, scratch: str) -> dict[str, Any]:
    """Write the results of a long file from its parts, which are then removed.

    Parameters
    ----------
    command, source, track, scratch
        As for `begin`.

    Returns
    -------
    dict
        Report on the file.
    """
    from nmfaudio.separators.render_shards import shard_messages

    messages = shard_messages(scratch)
    joining = replace(command, parts=scratch)  # type: ignore[call-arg]  # a SeparateCommand
    report = joining.process(source, track, joining.prepare())
    if report["exit_code"] == 0:
        shutil.rmtree(scratch)
    return report | {"warnings": [*messages, *report.get("warnings", ())]}


def clear(folder: Path, keep: Sequence[str] = ()) -> None:
    """Remove the parts of all files but some.

    Parameters
    ----------
    folder : Path
        Folder of the folders of parts.
    keep : sequence of str
        Names of folders.
    """
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _prepare(command: SeparateCommand, job: Any, scratch: str) -> int:
    """Learn the model of a long file; return the number of its parts."""
    from nmfaudio.separators.render_shards import prepare_shards

    bar = Bar(printable(job.track), command.stage_weights(), quiet=True)
    with (
        record_warnings(input_name(job.source), bar) as messages,
        bar,
        command.streamed(job, bar) as stream,
    ):
        check_ended()
        return prepare_shards(stream, job.source, scratch, messages=messages)
