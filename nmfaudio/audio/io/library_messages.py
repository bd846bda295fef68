"""Messages that libmpg123 writes to the standard error by itself."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

_STDERR = 2
_MESSAGE = re.compile(rb"(?:\[src/libmpg123\S*\] )?(?:warning|note|error): .*\n?", re.IGNORECASE)
_KIND = re.compile(r"^(\[\S*\] )?\w+: ")
_lock = threading.Lock()  # the standard error belongs to the whole process


@contextmanager
def collected_messages(messages: list[str]) -> Iterator[None]:
    """Collect what libmpg123 writes to the standard error.

    Parameters
    ----------
    messages : list of str
        To which each message is appended, without its place and its kind.

    Notes
    -----
    What others write meanwhile appears afterwards. Where there is no standard error, or no file for
    it can be made, nothing is collected.
    """
    with _lock, ExitStack() as stack:
        try:
            kept = os.dup(_STDERR)
            stack.callback(os.close, kept)
            file = stack.enter_context(tempfile.TemporaryFile())
        except OSError:
            yield
            return
        os.dup2(file.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(kept, _STDERR)
            with suppress(OSError):  # the recording has been read
                _divide(file, messages)


def _divide(file: IO[bytes], messages: list[str]) -> None:
    """Append messages to the list, and write all other lines to the standard error."""
    if not os.fstat(file.fileno()).st_size:
        return
    file.seek(0)
    for line in file:
        if _MESSAGE.fullmatch(line):
            messages.append(_KIND.sub("", line.decode(errors="replace").strip()))
        else:
            os.write(_STDERR, line)
