"""Standard streams that are closed or full, as in jobs that a scheduler starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

_STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}


@contextmanager
def standard_streams() -> Iterator[None]:
    """Connect closed streams to nothing, and let no message stop a command."""
    before = {name: getattr(sys, name) for name in _STREAMS}
    for number, (name, mode) in enumerate(_STREAMS.items()):
        if before[name] is None:
            _fill(number)
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    sys.stderr = cast(TextIO, _Messages(sys.stderr))
    try:
        yield
    finally:
        for name, stream in before.items():
            setattr(sys, name, stream)


def _fill(number: int) -> None:
    """Open a closed descriptor, so that no file that is written gets its number."""
    try:
        os.fstat(number)
    except OSError:
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
