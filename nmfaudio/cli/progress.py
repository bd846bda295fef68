"""Progress of a command, as a bar on a terminal or as lines, and warnings on stderr."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self

from nmfaudio.cli.estimate import Estimate
from nmfaudio.cli.failures import check_ended, printable, with_flags
from nmfaudio.errors import AudioWarning

if TYPE_CHECKING:
    from nmfaudio.cli.compiling import Stopwatch
    from nmfaudio.factorisation.engine import Progress

READING, PREPARING, FITTING, WRITING = "reading", "preparing", "fitting", "writing"
"""Stages of most commands; see `Bar`."""

_REDRAW = 0.2  # seconds between drawings of the bar
_INTERVAL = 10.0  # seconds between lines
_WIDEST = 40  # columns of the bar itself
_NARROWEST = 4
_LONGEST = 24  # characters of the label
_COMPILING = 0.5  # seconds from which on compiling is mentioned


def clock(seconds: float) -> str:
    """Return a duration as ``m:ss`` or ``h:mm:ss``."""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


def times(seconds: float, duration: float) -> str:
    """Return the time a command took and the length of its recording: 4.1 s for 0:12 of audio."""
    length = f"{duration:.1f} s" if duration < 10 else clock(duration)
    return f"{seconds:.1f} s for {length} of audio"


class Bar:
    """Progress of a command on one recording: stage, share of the work done, and time left.

    A thread draws it again while the command computes, so that time goes on in stages that report
    nothing. The estimate covers all stages; time spent compiling is not part of it.

    Parameters
    ----------
    label : str
        Beginning of the line, already printable.
    stages : mapping of str to float
        Relative durations of the stages, in their order; see `Estimate`.
    quiet : bool
        Do not draw the bar. It is never drawn if stderr is not a terminal.
    lines : bool
        Write a line every ten seconds instead, to any stderr.
    """

    def __init__(
        self,
        label: str,
        stages: Mapping[str, float],
        *,
        quiet: bool = False,
        lines: bool = False,
    ) -> None:
        terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._drawn = terminal and not quiet and not lines
        self._lines = lines
        self._label = label
        self._estimate = Estimate(stages)
        self._stage, self._text, self._shown = "", "", ""
        self._began = time.monotonic()
        self._compiling: Stopwatch | None = None
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        if self._drawn or self._lines:
            from nmfaudio._common.steps import listen
            from nmfaudio.cli.compiling import watch_compiler

            self._compiling = self._exits.enter_context(watch_compiler())
            self._exits.enter_context(listen(self.show_step))
            self._began = time.monotonic()
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._exits.close()
        self.clear()

    def show_stage(self, stage: str) -> None:
        """Show that a stage has begun."""
        with self._lock:
            self._stage = self._text = stage
            self._estimate.begin(stage, self._worked())
        self._redraw()

    def show_step(self, step: str, share: float) -> None:
        """Show a step that the computation itself reports: a listener of `listen`."""
        check_ended()
        if step != self._stage:
            self.show_stage(step)
        if share:
            self._estimate.advance(share)

    def update(self, progress: Progress) -> None:
        """Show the progress of the iterations: the callback of a separator."""
        check_ended()
        is_first = self._stage != FITTING
        if is_first:
            self.show_stage(FITTING)
        done = progress.start_index + progress.iteration / max(progress.max_iter, 1)
        with self._lock:
            self._estimate.advance(done / max(progress.n_starts, progress.start_index + 1))
            if is_first:  # the iterations before the first report belong to another stage
                self._estimate.measure_from(self._worked())
            self._text = "fitting the model"
            if progress.n_starts > 1:
                self._text = f"fitting model {progress.start_index + 1} of {progress.n_starts}"

    def show_share(self, share: float, text: str) -> None:
        """Show the share of the stage that is done, and a text about it."""
        with self._lock:
            self._estimate.advance(share)
            self._text = text
        self._redraw()

    def seconds_left(self) -> float | None:
        """Seconds left, None while too little is known."""
        return self._estimate.left(self._worked())

    def clear(self) -> None:
        """Clear the line."""
        if self._drawn:
            with self._lock:
                self._shown = ""
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()

    def print(self, text: str) -> None:
        """Write a line to stderr, above the bar."""
        with self._lock:
            self.clear()
            print(text, file=sys.stderr, flush=True)

    def _worked(self) -> float:
        """Seconds since the beginning, without those spent compiling."""
        compiling = 0.0 if self._compiling is None else self._compiling.seconds
        return time.monotonic() - self._began - compiling

    def _tick(self) -> None:
        while not self._ended.wait(_REDRAW if self._drawn else _INTERVAL):
            self._redraw()
            if self._lines:
                self.print(self._sentence())

    def _redraw(self) -> None:
        if not self._drawn or self._ended.is_set():
            return
        with self._lock:
            line = self._line(_columns())
            if line != self._shown:
                self._shown = line
                # Without wrapping (7l), a line that is too wide is cut instead of filling the
                # screen.
                sys.stderr.write(f"\r\x1b[K\x1b[?7l{line}\x1b[?7h")
                sys.stderr.flush()

    def _facts(self) -> tuple[str, float, str]:
        """Stage, share done, and time left or spent compiling."""
        now = self._worked()
        compiling = self._compiling
        if compiling is not None and compiling.running and compiling.seconds > _COMPILING:
            share = self._estimate.share(now)
            return "compiling, once", share, f"{clock(compiling.seconds)} so far"
        left = self._estimate.left(now)
        text = "" if left is None else f"{clock(max(left, 1))} left"
        return self._text, self._estimate.share(now), text

    def _sentence(self) -> str:
        """Progress as a line of text."""
        stage, share, seconds = self._facts()
        return ", ".join(filter(None, (f"{self._label}: {stage}", f"{share:.0%} done", seconds)))

    def _line(self, columns: int) -> str:
        """Progress as a bar, with as many of its parts as the columns have room for."""
        stage, share, seconds = self._facts()
        free = columns - 1 - sum(len(part) + 2 for part in (stage, seconds) if part)
        label = _shortened(self._label, min(_LONGEST, max(columns // 4, _NARROWEST), free))
        width = free - (len(label) + 2 if label else 0)
        bar = _bar(share, min(width, _WIDEST)) if width >= _NARROWEST else ""
        return "  ".join(filter(None, (label, bar, stage, seconds)))[: columns - 1]


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return shutil.get_terminal_size().columns


def _shortened(label: str, longest: int) -> str:
    """Beginning of a label; nothing where not even a few characters have room."""
    if len(label) <= longest:
        return label
    return label[: longest - 1] + "…" if longest >= _NARROWEST else ""


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
            print(f"nmfaudio: warning: {printable(with_flags(str(message)))}", file=sys.stderr)
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
            text = printable(with_flags(str(message)))
            messages.append(text)
            head = "" if text.startswith(source) else f"{source}: "
            bar.print(f"nmfaudio: warning: {head}{text}")
            return None

        warnings.showwarning = show
        yield messages
