"""The commands: separators, and those that are none. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable
from typing import cast

from nmfaudio.cli.parser import Parser, nearest
from nmfaudio.errors import ParameterError
from nmfaudio.separators import SEPARATORS

OTHERS = {
    "evaluate": (
        "nmfaudio.cli.evaluate:run_evaluate",
        "judge separated files by the true ones, in dB",
    ),
    "learn": (
        "nmfaudio.cli.learn:run_learn",
        "learn what sounds are like from recordings of each by itself, for guided",
    ),
    "dictionary": (
        "nmfaudio.cli.dictionary:run_dictionary",
        "look into what was learned, merge it, write it out to see and hear",
    ),
    "transcribe": (
        "nmfaudio.cli.transcribe:run_transcribe",
        "find the notes that are played, or hits of drums, and the sound of each",
    ),
    "info": (
        "nmfaudio.cli.info:run_info",
        "say what files hold, and what is suspicious about them",
    ),
    "doctor": (
        "nmfaudio.cli.doctor:run_doctor",
        "check this installation, and separate a second of sound with it",
    ),
}
"""Commands that are no separators: the function that runs each, and one line of help."""

_TOP = """\
Take recordings apart with non-negative matrix factorisation: the parts add up
to the whole, and the model can be looked into.
"""
_EXIT_CODES = """\
exit codes: 0 done, 1 our bug, 2 bad option, 3 unreadable file, 4 unusable
content, 5 cannot write, 6 not enough memory, 7 some of several files failed,
130 interrupted, 143 terminated
"""


def commands() -> dict[str, str]:
    """All of them, with one line of help each."""
    return {name: help for name, (_, help) in (SEPARATORS | OTHERS).items()}


def load_command(name: str) -> Callable[[list[str]], int]:
    """The function that runs a command of `OTHERS` on its arguments."""
    module, _, function = OTHERS[name][0].partition(":")
    return cast("Callable[[list[str]], int]", getattr(importlib.import_module(module), function))


def top_parser() -> Parser:
    """The parser of ``nmfaudio`` itself, which knows the commands by name only."""
    parser = Parser(
        prog="nmfaudio",
        usage="nmfaudio COMMAND ...",
        description=_TOP,
        epilog="nmfaudio COMMAND --help tells more of one command.\n\n" + _EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="show the version")
    group = parser.add_argument_group("commands")
    for name, help in commands().items():
        group.add_argument(name, help=help)
    return parser


def unknown_command(text: str) -> ParameterError:
    """The error for a command that does not exist, with what was perhaps meant."""
    if os.path.exists(text):
        hint = f"; to take a file apart: nmfaudio separate {text}"
    else:
        hint = nearest(text, list(commands())) or f"; there are: {', '.join(commands())}"
    return ParameterError(f"there is no command {text}{hint}")
