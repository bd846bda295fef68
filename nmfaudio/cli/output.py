"""Results on standard output, as text or JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from nmfaudio._common.json_types import as_json
from nmfaudio.cli.failures import Stop, printable

_READER_GONE = 141  # exit code of a program ended by SIGPIPE


def emit(text: str) -> None:
    """Write text to stdout, with surrogates as the original bytes, and flush it.

    Raises
    ------
    Stop
        Stdout has been closed by its reader.
    """
    if getattr(sys.stdout, "buffer", None) is not None:
        emit_bytes(os.fsencode(text))
        return
    sys.stdout.write(text)  # a notebook's stdout takes text only
    sys.stdout.flush()


def emit_bytes(data: bytes) -> None:
    """Write bytes to stdout, and flush it.

    Raises
    ------
    Stop
        Stdout has been closed by its reader.
    """
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes stdout once more at its end, and must not fail there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Stop(_READER_GONE) from None


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
