"""What stderr hears of a run: a progress bar, for a terminal only, and warnings."""

from __future__ import annotations

import os
import shutil
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nmfaudio.cli.failures import check_ended, printable
from nmfaudio.errors import AudioWarning

if TYPE_CHECKING:
    from nmfaudio.factorisation.engine import Progress

_REDRAW = 0.1  # seconds
_WIDEST = 40  # columns of the bar itself
_LONGEST = 24  # characters of the label


def clock(seconds: float) -> str:
    """A duration as ``m:ss`` or ``h:mm:ss``."""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


class Bar:
    """What is being done to one file, how far it is, and how long it will take.

    Parameters
    ----------
    label : str
        What the line begins with, already printable.
    quiet : bool
        Draw nothing; nothing is drawn either where stderr is not a terminal.
    after : str
        What is said when iterations are over.
    """

    def __init__(
        self, label: str, *, quiet: bool = False, after: str = "making the sources"
    ) -> None:
        terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._drawn = terminal and not quiet
        self._label = label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"
        self._after = after
        self._start = -1
        self._since = (0, 0.0)  # iteration and time when this start was first heard of
        self._last = 0.0

    def say(self, doing: str) -> None:
        """Show a stage that has no measure of how far it is."""
        self._draw(f"{self._label}  {doing} …")

    def update(self, progress: Progress) -> None:
        """Show how far the iterations are: the callback of a separator."""
        check_ended()
        now = time.monotonic()
        if progress.start_index != self._start:
            self._start, self._since = progress.start_index, (progress.iteration, now)
        elif now - self._last < _REDRAW:
            return
        self._last = now
        if progress.iteration == progress.max_iter:
            self.say(self._after)
        else:
            self._draw(self._line(progress, now))

    def clear(self) -> None:
        """Take the line away, so that something else can be printed there."""
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
        room = self._columns() - len(head) - len(facts) - 5
        share = progress.iteration / max(progress.max_iter, 1)
        return f"{head}  {_bar(share, min(room, _WIDEST))}  {facts}"

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
def heard(about: str, bar: Bar) -> Iterator[list[str]]:
    """Print each `AudioWarning` as one line as it comes, and keep its text."""
    said: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", AudioWarning)
        show_other = warnings.showwarning

        def show(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
            if not issubclass(category, AudioWarning):
                return show_other(message, category, *where, **more)
            text = printable(str(message))
            said.append(text)
            bar.clear()
            head = "" if text.startswith(about) else f"{about}: "
            print(f"nmfaudio: warning: {head}{text}", file=sys.stderr)
            return None

        warnings.showwarning = show
        yield said
