"""Files named on the command line, and standard input."""

from __future__ import annotations

import io
import sys
from typing import BinaryIO

from nmfaudio.cli.failures import printable
from nmfaudio.errors import ParameterError

STDIN = "-"


def input_name(text: str) -> str:
    """Name of an input in messages."""
    return "standard input" if text == STDIN else printable(text)


def open_input(text: str) -> str | BinaryIO:
    """Return the path, or the content of standard input as a file.

    Raises
    ------
    ParameterError
        Standard input is a terminal.
    """
    if text != STDIN:
        return text
    if sys.stdin.isatty():
        raise ParameterError("standard input is a terminal; pipe a file into it, or name one")
    content = io.BytesIO(sys.stdin.buffer.read())  # soundfile cannot seek in a pipe
    content.name = input_name(text)  # for messages
    return content
