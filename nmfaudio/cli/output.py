"""Results on standard output, as text or JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from nmfaudio._common.json_types import as_json
from nmfaudio.cli.failures import Stop, printable
from nmfaudio.cli.streams import disconnect
from nmfaudio.errors import OutputError

_READER_GONE = 141  # exit code of a program ended by SIGPIPE


def emit(text: str) -> None:
    """Write text to stdout, with surrogates as the original bytes, and flush it.

    Raises
    ------
    Stop
        Stdout has been closed by its reader.
    """
    if sys.stdout is None or getattr(sys.stdout, "buffer", None) is not None:
        emit_bytes(_encoded(text))
        return
    sys.stdout.write(text)  # a notebook's stdout takes text only
    sys.stdout.flush()


def emit_bytes(data: bytes) -> None:
    """Write bytes to stdout, and flush it.

    Raises
    ------
    Stop
        Stdout has been closed by its reader.
    OutputError
        It is full.
    """
    if sys.stdout is None:  # closed
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    except BrokenPipeError:
        disconnect(sys.stdout)
        raise Stop(_READER_GONE) from None
    except OSError as error:
        disconnect(sys.stdout)
        reason = os.strerror(error.errno or 0)
        raise OutputError(
            f"standard output: cannot be written: {reason}; free space, or direct it elsewhere"
        ) from None


def _encoded(text: str) -> bytes:
    """Bytes of a text, with those of file names that are not text as they were."""
    try:
        return os.fsencode(text)
    except UnicodeEncodeError:  # the locale has no such character
        return text.encode("utf-8", "surrogateescape")


def emit_path(path: str | os.PathLike[str]) -> None:
    """Write a path on a separate line.

    It is written byte for byte, unless it has a control character such as a newline, which
    is escaped to keep one path per line.
    """
    text = os.fspath(path)
    if any(c < " " or c == "\x7f" for c in text):
        text = printable(text)
    emit(text + "\n")


def emit_json(result: Mapping[str, Any]) -> None:
    """Write one JSON object, in ASCII; NaN becomes null, and infinity ``"inf"`` or ``"-inf"``."""
    emit(json.dumps(as_json(result, nonfinite="null"), indent=2, allow_nan=False) + "\n")
