"""Progress bar, for a terminal only, and warnings on stderr."""

from __future__ import annotations

import os
import shutil
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from nmfaudio.cli.failures import check_ended, printable
from nmfaudio.errors import AudioWarning

if TYPE_CHECKING:
    from nmfaudio.factorisation.engine import Progress

_REDRAW = 0.1  # seconds
_WIDEST = 40  # columns of the bar itself
_LONGEST = 24  # characters of the label


def clock(seconds: float) -> str:
    """Return a duration as ``m:ss`` or ``h:mm:ss``."""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


class Bar:
    """Progress of one file: stage, share of the iterations done, and time left.

    Parameters
    ----------
    label : str
        Beginning of the line, already printable.
    quiet : bool
        Do not draw the bar. It is never drawn if stderr is not a terminal.
    last_stage : str
        Stage after the last iteration.
    """

    def __init__(
        self, label: str, *, quiet: bool = False, last_stage: str = "computing the stems"
    ) -> None:
        terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._drawn = terminal and not quiet
        self._label = label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"
        self._last_stage = last_stage
        self._start = -1
        self._since = (0, 0.0)  # iteration and time at the first call of this start
        self._last = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.clear()

    def show_stage(self, stage: str) -> None:
        """Show a stage without a measure of progress."""
        self._draw(f"{self._label}  {stage} …")

    def update(self, progress: Progress) -> None:
        """Show the progress of the iterations: the callback of a separator."""
        check_ended()
        now = time.monotonic()
        if progress.start_index != self._start:
            self._start, self._since = progress.start_index, (progress.iteration, now)
        elif now - self._last < _REDRAW:
            return
        self._last = now
        if progress.iteration == progress.max_iter:
            self.show_stage(self._last_stage)
        else:
            self._draw(self._line(progress, now))

    def clear(self) -> None:
        """Clear the line, so that something else can be printed there."""
        self._draw("")

    def _line(self, progress: Progress, now: float) -> str:
        head = (
            f"{self._label}  start {progress.start_index + 1}"
            if progress.start_index
            else self._label
        )
        facts = f"{progress.iteration}/{progress.max_iter}  loss {progress.loss:.4g}"
        since, then = self._since
        if progress.iteration > since:
            rate = (now - then) / (progress.iteration - since)
            facts += f"  {clock(rate * (progress.max_iter - progress.iteration))} left"
        width = self._columns() - len(head) - len(facts) - 5
        share = progress.iteration / max(progress.max_iter, 1)
        return f"{head}  {_bar(share, min(width, _WIDEST))}  {facts}"

    def _draw(self, line: str) -> None:
        if self._drawn:
            # Without wrapping (7l), a line that is too wide is cut instead of filling the screen.
            sys.stderr.write(f"\r\x1b[K\x1b[?7l{line}\x1b[?7h" if line else "\r\x1b[K")
            sys.stderr.flush()

    @staticmethod
    def _columns() -> int:
        try:
            return os.get_terminal_size(sys.stderr.fileno()).columns or 80
        except OSError:
            return shutil.get_terminal_size().columns


def _bar(share: float, width: int) -> str:
    done = round(share * width)
    full, empty = "━", "─"
    try:
        (full + empty).encode(sys.stderr.encoding)
    except UnicodeEncodeError:
        full, empty = "#", "-"
    return full * done + empty * (width - done)


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Print each `AudioWarning` that nothing else handles as one line."""
    with warnings.catch_warnings():
        show_other = warnings.showwarning

        def show(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
            if not issubclass(category, AudioWarning):
                return show_other(message, category, *where, **more)
            print(f"nmfaudio: warning: {printable(str(message))}", file=sys.stderr)
            return None

        warnings.showwarning = show
        yield


@contextmanager
def record_warnings(source: str, bar: Bar) -> Iterator[list[str]]:
    """Print each `AudioWarning` as one line when it is raised, and collect the texts."""
    messages: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", AudioWarning)
        show_other = warnings.showwarning

        def show(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
            if not issubclass(category, AudioWarning):
                return show_other(message, category, *where, **more)
            text = printable(str(message))
            messages.append(text)
            bar.clear()
            head = "" if text.startswith(source) else f"{source}: "
            print(f"nmfaudio: warning: {head}{text}", file=sys.stderr)
            return None

        warnings.showwarning = show
        yield messages
