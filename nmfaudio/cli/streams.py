"""Standard streams that are closed or full, as in jobs that a scheduler starts."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast


@contextmanager
def standard_streams() -> Iterator[None]:
    """Let no closed or full standard error stop a command, nor a file get a standard descriptor."""
    for number in range(3):
        _fill(number)
    before = sys.stderr
    nothing = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, nothing can be done then
    sys.stderr = cast(TextIO, _Messages(nothing if before is None else before))
    try:
        yield
    finally:
        sys.stderr = before
        with suppress(OSError):
            nothing.close()


def _fill(number: int) -> None:
    """Open a closed descriptor, so that no file that is written gets its number."""
    try:
        os.fstat(number)
    except OSError as error:
        if error.errno != errno.EBADF:
            return
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor != number:
            os.dup2(descriptor, number)
            os.close(descriptor)


def disconnect(stream: TextIO) -> None:
    """Connect a stream to nothing: the interpreter flushes it at its end, and must not fail."""
    with suppress(OSError, ValueError):  # a stream of a notebook has no descriptor
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, stream.fileno())
        os.close(descriptor)


class _Messages:
    """Standard error whose messages are lost when it is full or its reader is gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            disconnect(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            disconnect(self._stream)
