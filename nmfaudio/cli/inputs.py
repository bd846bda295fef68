"""The files named on the command line, standard input among them."""

from __future__ import annotations

import io
import sys
from typing import BinaryIO

from nmfaudio.cli.failures import printable
from nmfaudio.errors import ParameterError

STDIN = "-"


def input_name(text: str) -> str:
    """What messages call an input."""
    return "standard input" if text == STDIN else printable(text)


def open_input(text: str) -> str | BinaryIO:
    """What `nmfaudio.audio.io` reads: the path, or all of standard input.

    Raises
    ------
    ParameterError
        Standard input is a terminal.
    """
    if text != STDIN:
        return text
    if sys.stdin.isatty():
        raise ParameterError("standard input is a terminal; pipe a file into it, or name one")
    held = io.BytesIO(sys.stdin.buffer.read())  # soundfile cannot seek in a pipe
    held.name = input_name(text)  # for messages
    return held
