"""One file of a batch: the command of a worker process that works on it."""

from __future__ import annotations

import io
import os
import time
import traceback
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import replace
from functools import lru_cache
from typing import Any

from nmfaudio._common.json_types import as_json
from nmfaudio._common.processes import WorkerProcess
from nmfaudio.cli.batch import BatchCommand, Worker
from nmfaudio.cli.batch_inputs import load_batch_command
from nmfaudio.cli.batch_parts import JOIN, WHOLE, begin, join
from nmfaudio.cli.failures import describe, exit_code
from nmfaudio.cli.separate import SeparateCommand


def build_command(name: str, argv: Sequence[str], *, stems: bool) -> BatchCommand:
    """Build the command that works on the files of a batch.

    Parameters
    ----------
    name : str
    argv : sequence of str
        Its options, and the files that it takes beside each recording.
    stems : bool
        Whether separators write stems; if not, they write the models.

    Returns
    -------
    BatchCommand
    """
    command: BatchCommand = load_batch_command(name).parse(name, argv)
    if isinstance(command, SeparateCommand):
        command = replace(command, stems=stems, divided=stems)
    return command


def process_file(
    folder: str,
    name: str,
    argv: Sequence[str],
    stems: bool,
    source: str,
    track: str,
    companions: Sequence[str] = (),
    scratch: str | None = None,
    step: int = WHOLE,
) -> dict[str, Any]:
    """Process one file, or a part of a long one.

    Parameters
    ----------
    folder : str
        Folder to which the paths are relative.
    name : str
        Name of the command.
    argv : sequence of str
        Its options.
    stems : bool
        As for `build_command`.
    source : str
        Path of the file.
    track : str
        Name of its recording in the output.
    companions : sequence of str
        Files that the command takes beside it.
    scratch : str, optional
        Folder for the parts of a long file; without it the file is processed at once.
    step : int
        Number of a part, or `JOIN`.

    Returns
    -------
    dict
        As ``--json`` writes it of a file, and the paths of its results in ``written``. For a long
        file, of which the model was learned, with the number of its ``parts``.
    """
    os.chdir(folder)
    began = time.perf_counter()
    report: dict[str, Any] = {"input": source, "track": track}
    messages = io.StringIO()
    with redirect_stderr(messages):
        try:
            if scratch is not None and step >= 0:
                from nmfaudio.separators.render_shards import render_shard

                render_shard(scratch, step)
                report |= {"exit_code": 0}
            else:
                command, work = _prepared(name, (*argv, "--", *companions), stems)
                report |= _processed(command, source, track, work, scratch, step)
        except Exception as error:  # of the options, or of the plan
            if "--debug" in argv:
                traceback.print_exception(error)
            report |= {"exit_code": exit_code(error), "error": describe(error, source)}
    if step >= 0 or "parts" in report:
        report["seconds"] = time.perf_counter() - began
    plain: dict[str, Any] = as_json(report, nonfinite="null")
    if "--debug" in argv:
        plain["messages"] = messages.getvalue()
    return plain


def _processed(
    command: BatchCommand, source: str, track: str, work: Worker, scratch: str | None, step: int
) -> dict[str, Any]:
    """Process a file, or begin or join the parts of a long one."""
    if scratch is None:
        return command.process(source, track, work)
    if step == JOIN:
        return join(command, source, track, scratch)
    return begin(command, source, track, work, scratch)


def process_isolated(
    time_limit: float | None, memory_limit: int | None, *arguments: Any
) -> dict[str, Any]:
    """Process one file in a process of its own, which may die without harm to the caller.

    Parameters
    ----------
    time_limit : float or None
        Seconds.
    memory_limit : int or None
        Bytes.
    *arguments : Any
        As for `process_file`.

    Returns
    -------
    dict
    """
    limits = (time_limit, memory_limit)
    try:
        worker = _idle.setdefault(limits, []).pop()
    except IndexError:
        worker = WorkerProcess(time_limit=time_limit, memory_limit=memory_limit)
    try:
        result: dict[str, Any] = worker.run(process_file, *arguments)
        return result
    finally:
        _idle[limits].append(worker)


_idle: dict[tuple[float | None, int | None], list[WorkerProcess]] = {}


@lru_cache(maxsize=1)
def _prepared(name: str, argv: tuple[str, ...], stems: bool) -> tuple[BatchCommand, Worker]:
    """Command and its function for one file, the same for all files of a batch."""
    command = build_command(name, argv, stems=stems)
    command.check()
    return command, command.prepare()
