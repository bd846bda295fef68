"""Progress of a batch: a bar, lines, or events for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from nmfaudio._common.json_types import as_json
from nmfaudio.cli.batch import count, number_of_files
from nmfaudio.cli.failures import exit_code, printable
from nmfaudio.cli.progress import Bar

LINES, EVENTS = "lines", "json"
"""Forms of progress besides the bar."""

_STAGE = "processing"
_SHOWN = 5  # warnings


class BatchProgress:
    """Progress of a batch on stderr; the time left is estimated from the sizes of the files.

    Parameters
    ----------
    command : str
        Name of the command that works on the files.
    sizes : mapping of str to int
        Bytes of each file to process.
    form : {"lines", "json"} or None
        A line every ten seconds; one JSON object per file and line; None for a bar on a terminal.
    quiet : bool
        Whether there is no bar.
    """

    def __init__(
        self, command: str, sizes: Mapping[str, int], *, form: str | None, quiet: bool
    ) -> None:
        self.reports: list[dict[str, Any]] = []
        self._command = command
        self._sizes = sizes
        self._total = max(1, sum(sizes.values()))
        self._bytes, self._failed = 0.0, 0
        self._begun: dict[str, float] = {}  # bytes of the parts of long files
        self._has_events = form == EVENTS
        hidden = quiet or self._has_events
        self._bar = Bar(command, {_STAGE: 1}, quiet=hidden, lines=form == LINES)

    def __enter__(self) -> Self:
        self._bar.__enter__()
        self._bar.show_stage(_STAGE)
        self._event("begin", command=self._command, files=len(self._sizes))
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._bar.__exit__(kind, error, trace)
        if error is not None:
            self._event("end", exit_code=exit_code(error), **count(self.reports))

    def add(self, report: dict[str, Any]) -> None:
        """Show that a file has been processed.

        Parameters
        ----------
        report : dict
            Its report.
        """
        self.reports.append(report)
        source = report["input"]
        self._bytes += self._sizes[source] - self._begun.pop(source, 0)
        self._failed += report["exit_code"] != 0
        self._event("file", **report, **self._show())

    def advance(self, source: str, share: float) -> None:
        """Show that a part of a long file has been processed.

        Parameters
        ----------
        source : str
            Path of the file.
        share : float
            Share of the part in the file.
        """
        done = self._sizes[source] * share
        self._bytes += done
        self._begun[source] = self._begun.get(source, 0) + done
        self._event("part", input=source, **self._show())

    def _show(self) -> dict[str, Any]:
        """Show the share that is done; return it with the time left."""
        share = min(self._bytes / self._total, 1.0)
        text = f"{len(self.reports)} of {number_of_files(self._sizes)}"
        self._bar.show_share(share, f"{text}, {self._failed} failed" if self._failed else text)
        return {"share": share, "seconds_left": self._bar.seconds_left()}

    def end(self, code: int, summary: Mapping[str, int]) -> None:
        """Report the end of the batch.

        Parameters
        ----------
        code : int
            Exit code.
        summary : mapping of str to int
        """
        self._event("end", exit_code=code, **summary)

    def _event(self, name: str, **facts: Any) -> None:
        if self._has_events:
            line = json.dumps({"event": name} | as_json(facts, nonfinite="null"))
            print(line, file=sys.stderr, flush=True)


def failures(reports: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Reports on the files that failed.

    Parameters
    ----------
    reports : sequence of mapping

    Returns
    -------
    list of mapping
    """
    return [report for report in reports if report["exit_code"] != 0]


def summary_lines(reports: Sequence[dict[str, Any]], manifest: Path | None) -> list[str]:
    """Lines about a batch: the numbers of files, the first warnings, and a table of failures.

    Parameters
    ----------
    reports : sequence of dict
    manifest : Path or None
        File that has all warnings; None to pass over them.

    Returns
    -------
    list of str
    """
    counts = ", ".join(f"{number} {name}" for name, number in count(reports).items() if number)
    warned = [] if manifest is None else warning_lines(reports, manifest)
    return [f"{number_of_files(reports)}: {counts or 'none'}", *warned, *failure_table(reports)]


def failure_table(reports: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines about the files that failed: the exit code and the error of each.

    Parameters
    ----------
    reports : sequence of mapping

    Returns
    -------
    list of str
        Empty if none failed.
    """
    failed = sorted(failures(reports), key=lambda report: (report["exit_code"], report["input"]))
    rows = [f"  {report['exit_code']:>4}  {printable(report['error'])}" for report in failed]
    return ["  exit  error", *rows] if rows else []


def warning_lines(reports: Sequence[Mapping[str, Any]], manifest: Path) -> list[str]:
    """Lines about the warnings of files: their number, and the first of them.

    Parameters
    ----------
    reports : sequence of mapping
    manifest : Path
        File that has all of them.

    Returns
    -------
    list of str
        Empty if there are none.
    """
    texts = [
        text if text.startswith(report["input"]) else f"{report['input']}: {text}"
        for report in reports
        for text in report.get("warnings", ())
    ]
    if not texts:
        return []
    number = "1 warning" if len(texts) == 1 else f"{len(texts)} warnings"
    first = [f"  {printable(text)}" for text in texts[:_SHOWN]]
    more = f"; all are in {printable(str(manifest))}" if len(texts) > _SHOWN else ""
    return [f"{number}{more}:", *first]
