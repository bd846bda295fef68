"""What the parsers of all commands share."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from nmfaudio._common import time_ranges
from nmfaudio.cli.output import emit
from nmfaudio.errors import ParameterError


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are `ParameterError`."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        message = message.removeprefix("argument ")
        raise ParameterError(f"{message}; see {self.prog} --help")

    def print_help(self, file: Any = None) -> None:
        """Print the help where results go."""
        emit(self.format_help())


def parse(parser: Parser, argv: Sequence[str]) -> argparse.Namespace:
    """Parse the options and files of one command, in any order.

    Whatever is no option is a file, and so is everything after ``--``; they are in `files`.

    Raises
    ------
    ParameterError
        An option is unknown or has a value that cannot be.
    """
    cut = argv.index("--") if "--" in argv else len(argv)
    # The files are no argument of argparse, which would take only one unbroken run of them.
    namespace, files = parser.parse_known_args(argv[:cut])
    for text in files:
        if text.startswith("-") and text != "-":
            flags = [flag for action in parser._actions for flag in action.option_strings]
            hint = nearest(text.partition("=")[0], flags)
            parser.error(f"there is no option {text}{hint}")
    namespace.files = files + list(argv[cut + 1 :])
    return namespace


def require_files(namespace: argparse.Namespace) -> None:
    """Refuse a command line without files.

    Raises
    ------
    ParameterError
        There are none.
    """
    if not namespace.files:
        raise ParameterError("no FILE was given; name one, or - for standard input")


def nearest(text: str, known: Sequence[str]) -> str:
    """``; did you mean …?`` where something known looks like `text`, else nothing."""
    close = difflib.get_close_matches(text, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def file_parser(
    name: str, *, description: str, epilog: str = "", operands: str = "FILE..."
) -> Parser:
    """The parser of a command that takes audio files."""
    parser = Parser(
        prog=f"nmfaudio {name}",
        usage=f"nmfaudio {name} {operands} [options]",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument_group(
        "FILE", "any file that libsndfile reads; - is standard input; after --, all are files"
    )
    return parser


def add_common_options(parser: Parser) -> argparse._ArgumentGroup:
    """``--json`` and ``--debug``."""
    group = parser.add_argument_group("how to report")
    group.add_argument("--json", action="store_true", help="one JSON object on stdout")
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return group


def add_seed_option(group: argparse._ArgumentGroup) -> None:
    """``--seed``."""
    group.add_argument(
        "--seed",
        type=whole(0),
        default=0,
        metavar="N",
        help="where chance starts: the same seed gives the same bytes (default: %(default)s)",
    )


def add_thread_option(group: argparse._ArgumentGroup) -> None:
    """``--threads``."""
    group.add_argument(
        "--threads",
        type=whole(1),
        metavar="N",
        help="how many threads work; the result is the same (default: one for each processor)",
    )


def add_existing_options(group: argparse._ArgumentGroup, *, replaced: str, known_by: str) -> None:
    """``--overwrite`` and ``--skip-existing``: what is replaced, and what files are known by."""
    existing = group.add_mutually_exclusive_group()
    existing.add_argument(
        "--overwrite",
        action="store_true",
        help=f"replace {replaced} that are there (default: refuse)",
    )
    existing.add_argument(
        "--skip-existing", action="store_true", help=f"leave out files whose {known_by} are there"
    )


def parse_time_range(text: str) -> tuple[float, float]:
    """`nmfaudio._common.time_ranges.parse_time_range` for argparse."""
    try:
        return time_ranges.parse_time_range(text)
    except ParameterError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def whole(least: int) -> Callable[[str], int]:
    """A type for argparse: a whole number of that or more."""

    def convert(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and int(text) >= least):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {least} or more")
        return int(text)

    return convert


def sentence(text: str) -> str:
    """With a capital letter."""
    return text[0].upper() + text[1:]
