"""Conversion of exceptions to one line on stderr and an exit code.

===  ====================================================
  0  done
  1  bug in nmfaudio
  2  an argument or option is invalid
  3  a file cannot be read
  4  a file was read, but its content cannot be used
  5  a result cannot be written
  6  memory, duration, time or the range of numbers is not sufficient
  7  some of several files failed
130  interrupted from the keyboard
141  standard output has been closed by its reader
143  terminated
===  ====================================================
"""

from __future__ import annotations

import errno
import signal
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from nmfaudio.errors import NmfAudioError

SOME_FAILED = 7
INTERRUPTED = (128 + signal.SIGINT, 128 + signal.SIGTERM)
_CANNOT_READ = {errno.EIO, errno.ENXIO, errno.ESTALE, errno.ETIMEDOUT, errno.EINTR}
_CANNOT_READ |= {errno.EMFILE, errno.ENFILE}
_CANNOT_WRITE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.ENAMETOOLONG}
_FLAGS = {
    "overwrite=True": "--overwrite",
    "resample=True": "--resample",
    "salvage=True": "--salvage",
    "number, a Divergence or one of": "number or one of",
    "nonfinite='zero'": "--nonfinite zero",
    "set spatial='mask'": "set --spatial mask",
    "use DrumTranscriber": "use --drums",
    "use Transcriber": "leave out --drums",
    "use learn_from": "use --learn-from",
}


class Stop(BaseException):
    """Termination by a signal; not an `Exception`, which would be reported as a failed file."""

    def __init__(self, exit_code: int, message: str = "") -> None:
        super().__init__(message)
        self.exit_code = exit_code


def printable(text: str) -> str:
    """Return text as one line for any terminal, with escapes for characters not printable."""
    if text.isprintable():
        return text
    from nmfaudio._common.files import show  # loads NumPy, which --help must not

    return show(text)


def exit_code(error: BaseException) -> int:
    """Exit code of an exception."""
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT
    if isinstance(error, NmfAudioError | Stop):
        return error.exit_code
    if isinstance(error, MemoryError):
        return 6
    if isinstance(error, OSError) and error.errno in _CANNOT_WRITE:
        return 5
    if isinstance(error, OSError) and error.errno in _CANNOT_READ:
        return 3
    return 1


def with_flags(text: str) -> str:
    """Replace arguments of Python that a message names by the flags of the command line."""
    for argument, flag in _FLAGS.items():
        text = text.replace(f" {argument}", f" {flag}")
    return text


def describe(error: BaseException, source: str = "") -> str:
    """Return an error as one line, which begins with the name of its source."""
    text = with_flags(str(error))
    if isinstance(error, KeyboardInterrupt):
        text = text or "interrupted"
    elif isinstance(error, MemoryError) and not isinstance(error, NmfAudioError):
        text = "not enough memory; process a shorter part with --preview"
    elif exit_code(error) == 1 and not isinstance(error, NmfAudioError):
        text = f"{type(error).__name__}: {error}; this is a bug: run with --debug and report it"
    if source and not text.startswith(source):
        text = f"{source}: {text}"
    return printable(text)


def complain(error: BaseException, source: str = "", *, debug: bool = False) -> None:
    """Print an exception to stderr: one line, after its traceback if `debug`."""
    if debug:
        traceback.print_exception(error)
    text = describe(error, source)
    if text:
        print(f"nmfaudio: error: {text}", file=sys.stderr)


@contextmanager
def advice_after_signal(advice: str) -> Iterator[None]:
    """Let the error of an interrupt or a termination tell how to go on."""
    try:
        yield
    except (KeyboardInterrupt, Stop) as error:
        error.args = (f"{describe(error)}; {advice}",)
        raise


@contextmanager
def report_failure(report: dict[str, Any], source: str = "", *, debug: bool) -> Iterator[None]:
    """Print an exception and record it in the report of a file, and continue with the next."""
    try:
        yield
    except Exception as error:
        complain(error, source, debug=debug)
        report |= {"exit_code": exit_code(error), "error": describe(error, source)}


def joint_code(codes: Iterable[int]) -> int:
    """Exit code of several files: their own if all have the same, else `SOME_FAILED`."""
    distinct = set(codes)
    return distinct.pop() if len(distinct) == 1 else SOME_FAILED


_AGAIN = 0.05  # s until a signal is repeated whose exception a callback of a library has dropped
_signalled: list[BaseException] = []  # exceptions raised by signals


@contextmanager
def termination() -> Iterator[None]:
    """Let SIGTERM raise `Stop`, so that temporary files are removed on the way out."""

    timers: list[threading.Timer] = []

    def end(number: int, frame: FrameType | None) -> None:
        interrupt = number == signal.SIGINT
        _signalled.append(KeyboardInterrupt() if interrupt else Stop(128 + number, "terminated"))
        raise _signalled[-1]

    def repeat(dropped: sys.UnraisableHookArgs) -> None:
        if not any(dropped.exc_value is each for each in _signalled):
            report(dropped)
            return
        number = (
            signal.SIGINT if isinstance(dropped.exc_value, KeyboardInterrupt) else signal.SIGTERM
        )
        timer = threading.Timer(_AGAIN, _send_to_main_thread, [number])
        timer.daemon = True
        timer.start()
        timers.append(timer)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _signalled.clear()
    report, sys.unraisablehook = sys.unraisablehook, repeat
    signals = [s for s in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(s) != signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = report
        for timer in timers:
            timer.cancel()


def _send_to_main_thread(number: int) -> None:
    """Send a signal so that it ends the waiting of the main thread, too."""
    if sys.platform == "win32":
        signal.raise_signal(number)
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, number)


def check_ended() -> None:
    """Raise the exception of a signal again: Python drops those raised within a `__del__`."""
    if _signalled:
        raise _signalled[-1]
