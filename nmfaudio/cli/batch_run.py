"""`nmfaudio batch`: a command on many files, in several processes or on several machines."""

from __future__ import annotations

import os
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from nmfaudio._common.executors import as_executor, completed_tasks
from nmfaudio._common.options import option, options, switch
from nmfaudio._common.processors import usable_processors
from nmfaudio._common.similar_names import nearest
from nmfaudio._common.time_ranges import parse_duration
from nmfaudio.cli.batch import count
from nmfaudio.cli.batch_inputs import (
    TRACK,
    expanded,
    fingerprint,
    listed,
    load_batch_command,
    parse_memory_limit,
    parse_shard,
    part_of,
    size_of,
)
from nmfaudio.cli.batch_progress import EVENTS, LINES, BatchProgress, failures, summary_lines
from nmfaudio.cli.command import STDOUT, Command
from nmfaudio.cli.failures import advice_after_signal, describe, exit_code, joint_code, printable
from nmfaudio.cli.inputs import STDIN
from nmfaudio.cli.output import emit_path
from nmfaudio.cli.parser import (
    COMPUTATION,
    INPUT,
    OUTPUT,
    REPORTING,
    at_least,
    build_parser,
    split_arguments,
    values_of,
)
from nmfaudio.errors import NmfAudioError, OutputError, ParameterError, WorkerError
from nmfaudio.separators import SEPARATORS

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    from nmfaudio.cli.batch import BatchCommand
    from nmfaudio.cli.manifest import Manifest

COMMANDS = (*(name for name in SEPARATORS if name != "regroup"), "transcribe", "learn", "render")
"""Commands that work on one recording at a time."""

_KEPT = ("input", "track", "exit_code", "error", "skipped", "warnings", "seconds", "duration")
_REMOTE_WINDOW = 256
_CONTINUE = "the same command with --resume processes what is left"
_OF_STEMS = (
    *("--only", "--components-too", "--plot", "--report"),
    *("--clip", "--format", "--subtype", "--mp3-bitrate"),
)


class Folders(NamedTuple):
    """Folder of the results and that of the parts of long files, which have the keys as names."""

    root: Path
    parts: Path
    keys: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class BatchRun(Command):
    """``nmfaudio batch``.

    Attributes
    ----------
    command : str
        Name of the command that works on the files.
    arguments : tuple of str
        Options of that command.
    companions : tuple of str
        Files that it takes beside each recording.
    """

    operands = "COMMAND INPUT... -o OUTPUT [options of COMMAND]"
    details = f"""\
COMMAND is one of
{textwrap.indent(textwrap.fill(", ".join(COMMANDS)), "  ")}.
An INPUT is a file, a folder with its subfolders, or a pattern in quotes such
as '**/*.flac'. Each file is processed by itself, in a process with one thread.
In the path of a file that COMMAND takes beside each recording, such as a score,
{{track}} stands for the name of the recording: 'scores/{{track}}.mid'.

Separators keep the model of each file, OUTPUT/<name of FILE>/model.npz, from
which nmfaudio render makes stems; with --stems they write the stems instead.
Files of ten minutes or more are then processed in blocks, as with --stream, and
all processes work on the parts of each.

learn makes a dictionary of each file, OUTPUT/<name of FILE>/dictionary.npz,
with the options of nmfaudio learn from --kind on.
nmfaudio learn --corpus FOLDER makes a common one of all files.

OUTPUT/.nmfaudio-batch.jsonl lists the files that were processed. After an
interruption, the same command with --resume processes those that are left.
"""
    epilog = f"""\
examples:
  nmfaudio batch hpss songs/ -o models --workers 8
  nmfaudio batch hpss songs/ -o models --workers 8 --resume
  nmfaudio batch separate -s 4 --list files.txt -o stems --stems --format flac
  nmfaudio batch score songs/ 'scores/{{track}}.mid' -o models
  nmfaudio batch transcribe songs/ -o notes --shard 3/10
  nmfaudio batch learn sounds/ -o dictionaries --kind templates -k 20
  nmfaudio batch render models/ -o stems

{STDOUT}
All options of COMMAND are allowed: nmfaudio COMMAND --help lists them.
"""

    command: str = ""
    arguments: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()

    lists: tuple[str, ...] = option(
        (),
        "text file with the path of one INPUT per line; - is standard input",
        flag="--list",
        many=True,
        metavar="LIST",
        group=INPUT,
    )
    shard: tuple[int, int] | None = option(
        None,
        "process only the I-th of N parts of the files, such as one per task of a Slurm array",
        parse=parse_shard,
        metavar="I/N",
        group=INPUT,
    )
    resume: bool = switch(
        "process only the files that are not finished, with the settings of the first run; with"
        " --overwrite the settings may differ",
        group=OUTPUT,
    )
    stems: bool = switch("separators write stems instead of models", group=OUTPUT)
    workers: int | None = option(
        None,
        "number of processes (default: one per processor)",
        parse=at_least(1, 1024),
        metavar="N",
        group=COMPUTATION,
        excludes="engine",
    )
    scheduler: str | None = option(
        None,
        "address of a Dask scheduler, such as tcp://host:8786, on whose workers the files are"
        " processed; needs nmfaudio[dask]",
        metavar="ADDRESS",
        group=COMPUTATION,
        excludes="engine",
    )
    time_limit: float | None = option(
        None,
        "longest time for one file, or for a part of a long one, in seconds or as 1:30:00; after a"
        " second attempt it has failed",
        parse=parse_duration,
        metavar="TIME",
        group=COMPUTATION,
    )
    memory_limit: int | None = option(
        None,
        "most memory of each process, such as 2G; files that need more fail",
        parse=parse_memory_limit,
        metavar="SIZE",
        group=COMPUTATION,
    )
    quiet: bool = switch("write only errors to stderr", short="-q", group=REPORTING)
    progress: str | None = option(
        None,
        "lines: write a line every ten seconds; json: write one JSON object for each file, and for"
        " each part of a long one, to stderr, and nothing else",
        choices=(LINES, EVENTS),
        group=REPORTING,
    )

    @classmethod
    def parse(cls, name: str, argv: Sequence[str]) -> Self:
        """Build the command from its arguments; those that it does not know belong to COMMAND."""
        if not argv or argv[0] not in COMMANDS:
            cls.parser(name).parse_known_args(argv)  # --help
            raise _unknown(argv)
        command, *rest = argv
        flags = [
            flag
            for flag in options(cls, own_first=False)
            if command in SEPARATORS or flag.flag != "--stems"  # transcribe has another one
        ]
        parser = build_parser(name, flags, operands=cls.operands)
        cut = rest.index("--") if "--" in rest else len(rest)
        namespace, others = parser.parse_known_args(rest[:cut])
        values = values_of(flags, vars(namespace))
        others += rest[cut:]
        kind = load_batch_command(command)
        files = kind.parse(command, others).files
        arguments, operands = split_arguments(kind.parser(command), others)
        companions = tuple(text for text in operands if text not in files)
        return cls(
            name=name,
            command=command,
            arguments=tuple(arguments),
            companions=companions,
            files=files,
            **values,
        )

    def run(self) -> int:
        """Process all files that are left, and report."""
        from nmfaudio.cli.batch_parts import clear
        from nmfaudio.cli.manifest import describe_run, open_manifest

        command = self._command()
        command.check()
        made_with = command.made_with
        made_with["settings"].setdefault("--stems", self._with_stems)
        header = describe_run(self.command, made_with)
        files = part_of(command, self.shard or (1, 1))
        with open_manifest(command.root, self.shard) as manifest, advice_after_signal(_CONTINUE):
            self._refuse_mixture(manifest, header)
            keys = {
                source: fingerprint(source, self._companions_of(track), header)
                for source, track in files.items()
            }
            done = {source for source in files if self.resume and manifest.is_done(keys[source])}
            left = {source: track for source, track in files.items() if source not in done}
            self._check_results(command, left)
            if not self.resume:
                manifest.restart()
            if header not in manifest.headers:
                manifest.append(header)
            folders = Folders(command.root, manifest.parts, keys)
            clear(folders.parts, [keys[source] for source in left] if self.resume else ())
            sizes = {source: size_of(source) for source in left}
            progress = BatchProgress(self.command, sizes, form=self.progress, quiet=self.quiet)
            with progress:
                for report in self._process(folders, left, sizes):
                    if "share" in report:
                        progress.advance(report["input"], report["share"])
                        continue
                    manifest.append({"key": keys[report["input"]]} | report)
                    progress.add(report)
                    self._emit_paths(command.root, report)
                clear(folders.parts, [keys[each["input"]] for each in failures(progress.reports)])
        earlier = {"exit_code": 0, "skipped": True}
        reports = progress.reports
        reports += ({"input": source, "track": files[source]} | earlier for source in done)
        reports.sort(key=lambda report: str(report["input"]))
        code = joint_code(report["exit_code"] for report in reports) if reports else 0
        progress.end(code, count(reports))
        self._summarise(code, reports, manifest.path)
        return code

    @property
    def _overwrites(self) -> bool:
        return "--overwrite" in self.arguments

    @property
    def _with_stems(self) -> bool:
        return self.stems or self.command not in SEPARATORS

    def _command(self) -> BatchCommand:
        """Command on all files."""
        files = [*expanded(self.files), *listed(self.lists)]
        if not files:
            raise ParameterError("no INPUT given; name files or folders, or a --list of them")
        if STDIN in files:
            raise ParameterError("standard input is one file; name files or folders")
        flags = {text.partition("=")[0] for text in self.arguments}
        if "--threads" in flags:
            raise ParameterError("--threads: each process has one thread; use --workers N")
        of_stems = [flag for flag in _OF_STEMS if flag in flags]
        if of_stems and not self._with_stems:
            raise ParameterError(f"{of_stems[0]} is for stems; add --stems, or leave it out")
        return self._command_on(files, self.companions)

    def _command_on(self, files: Sequence[str], companions: Sequence[str]) -> BatchCommand:
        from nmfaudio.cli.batch_task import build_command

        arguments = [*self.arguments, "--", *companions]
        command = build_command(self.command, arguments, stems=self._with_stems)
        return replace(command, files=tuple(files))

    def _companions_of(self, track: str) -> list[str]:
        return [text.replace(TRACK, track) for text in self.companions]

    def _check_results(self, command: BatchCommand, left: Mapping[str, str]) -> None:
        """Refuse to replace an input, or a result that another command has made."""
        from nmfaudio.cli.jobs import plan

        overwrite = self.resume or command.overwrite
        skip_existing = command.skip_existing and not self.resume
        changes: dict[str, Any] = {"overwrite": overwrite, "skip_existing": skip_existing}
        if not any(TRACK in text for text in self.companions):
            plan(replace(command, **changes), list(left.items()))
            return
        for source, track in left.items():
            try:
                own = self._command_on([source], self._companions_of(track))
                own.patterns(track)  # reads its companions
            except NmfAudioError:  # it fails when its turn comes
                continue
            plan(replace(own, **changes), [(source, track)])

    def _refuse_mixture(self, manifest: Manifest, header: dict[str, Any]) -> None:
        """Refuse to mix results of different runs, unless it is allowed."""
        folder = printable(str(manifest.path.parent))
        if manifest.begun and not (self.resume or self._overwrites):
            raise OutputError(
                f"{folder}: has results of an earlier batch; add --resume to process what is left,"
                " --overwrite to process all again, or choose another --output"
            )
        reason = manifest.difference(header)
        if reason is not None and not self._overwrites:
            raise OutputError(
                f"{folder}: {reason}; add --overwrite to process all again, or choose another"
                " --output"
            )

    def _process(
        self, folders: Folders, left: Mapping[str, str], sizes: Mapping[str, int]
    ) -> Iterator[dict[str, Any]]:
        """Process files in any order; yield a report on each, and on each part of a long one."""
        from nmfaudio.cli.batch_parts import Agenda
        from nmfaudio.cli.batch_task import process_file, process_isolated

        limits = (self.time_limit, self.memory_limit)
        is_remote = self.scheduler is not None
        function: Callable[..., Any] = process_isolated if is_remote else process_file

        def arguments(source: str, step: int) -> tuple[Any, ...]:
            call = self._task(source, left[source])
            if self._divides:
                call += (os.fspath(folders.parts / folders.keys[source]), step)
            return (*limits, *call) if is_remote else call

        # The longest first, so that no process is alone with one at the end.
        agenda = Agenda(sorted(left, key=lambda source: -sizes[source]), arguments)
        executor = self.scheduler or self.workers or "processes"
        with as_executor(executor, time_limit=limits[0], memory_limit=limits[1]) as engine:
            for number, report, error in completed_tasks(
                function, agenda, engine, window=self._window, retries=1
            ):
                if isinstance(error, CancelledError):
                    raise WorkerError(
                        f"{self.scheduler}: the scheduler went away; start it, and run again with"
                        " --resume",
                        exit_code=6,
                    )
                if error is not None:
                    source = agenda.source(number)
                    report = self._failed(source, left[source], error)
                yield self._compact(folders.root, agenda.follow(number, report))

    @property
    def _divides(self) -> bool:
        """True if long files are several tasks."""
        return self._with_stems and (self.command in SEPARATORS or self.command == "render")

    @property
    def _window(self) -> int:
        """Number of tasks that wait or run: few, so that parts of files soon have their turn."""
        return _REMOTE_WINDOW if self.scheduler else 2 * (self.workers or usable_processors())

    def _task(self, source: str, track: str) -> tuple[Any, ...]:
        """Arguments of `process_file` for one file."""
        # The plan has found no results of others; what exists is of an attempt that failed.
        arguments = (*self.arguments, "--overwrite")
        arguments += ("--skip-existing",) if self.resume else ()
        arguments += ("--debug",) if self.debug else ()
        call = (os.getcwd(), self.command, arguments, self._with_stems, source, track)
        return (*call, self._companions_of(track))

    def _compact(self, root: Path, report: dict[str, Any]) -> dict[str, Any]:
        """Part of a report that a manifest and a summary need."""
        from nmfaudio.cli.manifest import result_sizes

        if "messages" in report:
            print(report["messages"], file=sys.stderr, end="")
        if "share" in report:
            return report
        results = result_sizes(root, report.get("written", ()))
        return {name: report[name] for name in _KEPT if name in report} | {"results": results}

    def _failed(self, source: str, track: str, error: Exception) -> dict[str, Any]:
        """Report on a file whose process died, or whose task could not be run."""
        if self.debug:
            traceback.print_exception(error)
        facts = {"exit_code": exit_code(error), "error": describe(error, source)}
        return {"input": source, "track": track} | facts

    def _emit_paths(self, root: Path, report: dict[str, Any]) -> None:
        if not self.json:
            for name in report["results"]:
                emit_path(root / name)

    def _summarise(self, code: int, reports: Sequence[dict[str, Any]], manifest: Path) -> None:
        """Write the numbers of files, the first warnings and a table of files that failed."""
        if self.json:
            self.emit_result(code, {"files": reports, "summary": count(reports)})
        if self.progress == EVENTS:
            return
        if code or not self.quiet:
            lines = summary_lines(reports, None if self.quiet else manifest)
            print("\n".join(lines), file=sys.stderr)


def _unknown(argv: Sequence[str]) -> ParameterError:
    """Error for a batch without a command that it can run."""
    known = ", ".join(COMMANDS)
    if not argv or argv[0].startswith("-"):
        return ParameterError(f"no COMMAND given; write it first, one of {known}")
    hint = nearest(argv[0], COMMANDS) or f"; choose from {known}"
    return ParameterError(f"batch cannot run {argv[0]!r}{hint}")
