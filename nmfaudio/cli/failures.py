"""From an exception to one line on stderr and an exit code.

===  ====================================================
  0  done
  1  our bug
  2  an argument or option is wrong
  3  a file cannot be read
  4  a file was read, but nothing can be made of it
  5  a result cannot be written
  6  memory, duration or time would not suffice
  7  some of several files failed
130  interrupted from the keyboard
141  whoever read standard output went away
143  asked to terminate
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

from nmfaudio.errors import NmfAudioError

SOME_FAILED = 7
_CANNOT_WRITE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


class Stop(BaseException):
    """End the program from outside it; not an Exception, so that no file's failure hides it."""

    def __init__(self, exit_code: int, message: str = "") -> None:
        super().__init__(message)
        self.exit_code = exit_code


def printable(text: str) -> str:
    """One line that any terminal can show: what is not printable is written as an escape."""
    if text.isprintable():
        return text
    from nmfaudio._common.files import (
        show,  # not before it is needed: it loads NumPy, and --help must not
    )

    return show(text)


def exit_code(error: BaseException) -> int:
    """The exit code an exception stands for."""
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT
    if isinstance(error, NmfAudioError | Stop):
        return error.exit_code
    if isinstance(error, MemoryError):
        return 6
    if isinstance(error, OSError) and error.errno in _CANNOT_WRITE:
        return 5
    return 1


def describe(error: BaseException, about: str = "") -> str:
    """`error` as one line, which begins with what it is about unless it does so already."""
    text = str(error)
    if isinstance(error, KeyboardInterrupt):
        text = "interrupted"
    elif isinstance(error, MemoryError) and not isinstance(error, NmfAudioError):
        text = "not enough memory; take a shorter stretch with --preview"
    elif exit_code(error) == 1 and not isinstance(error, NmfAudioError):
        text = f"{type(error).__name__}: {error}; this is a bug: run with --debug and report it"
    if about and not text.startswith(about):
        text = f"{about}: {text}"
    return printable(text)


def complain(error: BaseException, about: str = "", *, debug: bool = False) -> None:
    """Tell of an exception on stderr: one line, after its traceback when `debug`."""
    if debug:
        traceback.print_exception(error)
    text = describe(error, about)
    if text:
        print(f"nmfaudio: error: {text}", file=sys.stderr)


def joint_code(codes: Iterable[int]) -> int:
    """The exit code of several files: their own where all have the same, else `SOME_FAILED`."""
    distinct = set(codes)
    return distinct.pop() if len(distinct) == 1 else SOME_FAILED


_ended_by: list[BaseException] = []  # what a signal raised, in case it was swallowed on its way


@contextmanager
def termination() -> Iterator[None]:
    """Let SIGTERM raise `Stop`, so that temporary files are removed on the way out."""

    def end(number: int, frame: FrameType | None) -> None:
        interrupt = number == signal.SIGINT
        _ended_by.append(KeyboardInterrupt() if interrupt else Stop(128 + number, "terminated"))
        raise _ended_by[-1]

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _ended_by.clear()
    wanted = [s for s in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(s) != signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_ended() -> None:
    """Raise again what a signal raised: Python drops exceptions in the middle of a `__del__`."""
    if _ended_by:
        raise _ended_by[-1]
