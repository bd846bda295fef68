"""Parsers of the commands, built from the options of a dataclass."""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NoReturn, TypeVar

from nmfaudio._common.options import Option
from nmfaudio.cli.hints import flag_hint, is_file
from nmfaudio.cli.output import emit
from nmfaudio.errors import ParameterError

T = TypeVar("T")

MOST = 2**63 - 1
"""Largest whole number of an option."""

SEPARATION = "separation"
OUTPUT = "output"
INPUT = "input"
COMPUTATION = "computation"
REPORTING = "reporting"
TUNING = "tuning"
_FIRST_GROUPS, _LAST_GROUPS = (INPUT, OUTPUT), (REPORTING, COMPUTATION, TUNING)
_FIRST_FLAGS = ("--preview", "--output", "--format")

_FILE_HELP = "any file that libsndfile reads; - is standard input; after --, all are files"
_FILES_HELP = (
    "any file that libsndfile reads, or a folder of such files; - is standard\n"
    "input; after --, all are files"
)


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `ParameterError`."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and exiting."""
        message = message.removeprefix("argument ")
        raise ParameterError(f"{message}; see {self.prog} --help")

    def print_help(self, file: Any = None) -> None:
        """Print the help to standard output."""
        emit(self.format_help())


def build_parser(
    name: str,
    options: Sequence[Option],
    *,
    operands: str = "",
    description: str = "",
    epilog: str = "",
) -> Parser:
    """Build the parser of a command.

    Parameters
    ----------
    name : str
        Name of the command.
    options : sequence of Option
        Flags, grouped in the help, and files that are recognised by their suffix.
    operands : str
        Arguments in the usage line that are no options.
    description, epilog : str
        Text before and after the list of options.

    Returns
    -------
    Parser
    """
    companions = [option for option in options if option.suffixes]
    words = [operands, *(_companion_usage(option) for option in companions), "[options]"]
    parser = Parser(
        prog=f"nmfaudio {name}",
        usage=" ".join(["nmfaudio", name, *filter(None, words)]),
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    if operands.startswith("FILE"):
        text = _FILES_HELP if operands.startswith("FILE...") else _FILE_HELP
        parser.add_argument_group("FILE", text)
    for option in companions:
        width = shutil.get_terminal_size().columns - 4  # as argparse wraps other texts
        parser.add_argument_group(str(option.metavar), textwrap.fill(option.help, width))
    _add_flags(parser, [option for option in options if not option.suffixes])
    return parser


def parse(
    parser: Parser, options: Sequence[Option], argv: Sequence[str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Parse the options and files of a command, in any order.

    Parameters
    ----------
    parser : Parser
        Result of `build_parser`.
    options : sequence of Option
        The same options.
    argv : sequence of str
        Arguments after the name of the command.

    Returns
    -------
    values : dict
        Value of each option by its flag.
    files : tuple of str
        Arguments that are no options, and everything after ``--``.

    Raises
    ------
    ParameterError
        An option is unknown, missing or has an invalid value.
    """
    cut = argv.index("--") if "--" in argv else len(argv)
    known = [flag for action in parser._actions for flag in action.option_strings]
    _refuse_dashed_files(parser, argv[:cut], known)
    # The files are no argument of argparse, which would accept only one unbroken run of them.
    namespace, files = parser.parse_known_args(argv[:cut])
    for text in files:
        if text.startswith("-") and text != "-":
            parser.error(f"unknown option {text}{flag_hint(text, known)}")
    files += argv[cut + 1 :]
    values = vars(namespace)
    for option in options:
        if option.suffixes:
            values[option.flag] = _take_companion(parser, option, files)
        elif option.many:
            values[option.flag] = tuple(
                tuple(value) if isinstance(value, list) else value for value in values[option.flag]
            )
    return values, tuple(files)


def split_arguments(parser: Parser, argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Divide the arguments of a command into its options with their values, and the others.

    Parameters
    ----------
    parser : Parser
        Result of `build_parser`.
    argv : sequence of str
        Arguments after the name of the command, valid ones.

    Returns
    -------
    options, files : list of str
    """
    cut = argv.index("--") if "--" in argv else len(argv)
    options: list[str] = []
    files: list[str] = []
    rest = iter(argv[:cut])
    for text in rest:
        if not text.startswith("-") or text == "-":
            files.append(text)
            continue
        options.append(text)
        action = parser._option_string_actions.get(text)  # None for --flag=value and -k4
        if action is not None:
            options += islice(rest, 1 if action.nargs is None else int(action.nargs))
    return options, files + list(argv[cut + 1 :])


def _refuse_dashed_files(parser: Parser, argv: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a file like -song.wav, which would be read as -s with the value ong.wav."""
    for text in argv:
        if text.startswith("-") and "." in text and "=" not in text and is_file(text):
            parser.error(f"unknown option {text}{flag_hint(text, known)}")


def values_of(options: Sequence[Option], values: dict[str, Any]) -> dict[str, Any]:
    """Values of the given options after parsing, by field name."""
    return {option.name: values[option.flag] for option in options}


def constructed(kind: type[T], options: Sequence[Option], values: dict[str, Any]) -> T:
    """Construct an object from its options; an error about a field names the flag instead."""
    with flags_in_errors(options):
        return kind(**values_of(options, values))


def at_least(minimum: int, maximum: int = MOST) -> Callable[[str], int]:
    """Return a parser of whole numbers from a minimum to a maximum."""

    def convert(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and int(text) >= minimum):
            raise ParameterError(f"{text!r} is not a whole number of {minimum} or more")
        if int(text) > maximum:
            raise ParameterError(f"{text!r} is too large; need a whole number up to {maximum}")
        return int(text)

    return convert


@contextmanager
def flags_in_errors(options: Sequence[Option]) -> Iterator[None]:
    """Let an error about a field, with which its message begins, name its flag instead."""
    try:
        yield
    except ParameterError as error:
        named = named_by_flags(error, options)
        if named is error:
            raise
        raise named from error


def named_by_flags(error: ParameterError, options: Sequence[Option]) -> ParameterError:
    """Return an error about a field, with which its message begins, as one about its flag."""
    match = re.match(r"(\w+)(?=:| must| is| are| has| have)", str(error))
    for option in options:
        if match and option.name == match[0]:
            flag = str(option.metavar) if option.suffixes else option.flag
            return type(error)(flag + str(error)[match.end() :])
    return error


def sentence(text: str) -> str:
    """Text with a capital letter at its beginning."""
    return text[0].upper() + text[1:]


def _companion_usage(option: Option) -> str:
    return str(option.metavar) if option.required else f"[{option.metavar}]"


def _take_companion(parser: Parser, option: Option, files: list[str]) -> str | None:
    """Remove the one file with the option's suffixes from the files, and return it."""
    recognised = option.content or (lambda path: False)
    matches = [file for file in files if file.lower().endswith(option.suffixes) or recognised(file)]
    name = f"{option.metavar}, which ends in {' or '.join(option.suffixes)}"
    if len(matches) > 1:
        raise ParameterError(f"{matches[1]} is a second {name}; give one per run")
    if option.required and not matches:
        command = parser.prog.removeprefix("nmfaudio ")
        raise ParameterError(f"{command} needs {name}; see {parser.prog} --help")
    files[:] = [file for file in files if file not in matches]
    return matches[0] if matches else None


def _add_flags(parser: Parser, options: Sequence[Option]) -> None:
    """Add the flags in groups: input and output first, what tunes a method last."""
    order = {flag: place for place, flag in enumerate(_FIRST_FLAGS)}
    options = sorted(options, key=lambda option: order.get(option.flag, len(order)))
    names = dict.fromkeys(option.group or SEPARATION for option in options)
    own = [name for name in names if name not in (*_FIRST_GROUPS, *_LAST_GROUPS)]
    groups = [name for name in (*_FIRST_GROUPS, *own, *_LAST_GROUPS) if name in names]
    for name in groups:
        group = parser.add_argument_group(name)
        exclusive: dict[str, Any] = {}
        for option in options:
            if (option.group or SEPARATION) == name:
                target: Any = group
                if option.excludes is not None:
                    if option.excludes not in exclusive:
                        exclusive[option.excludes] = group.add_mutually_exclusive_group()
                    target = exclusive[option.excludes]
                flags = [option.short, option.flag] if option.short else [option.flag]
                target.add_argument(*flags, **_arguments(option))


def _arguments(option: Option) -> dict[str, Any]:
    """Arguments of `argparse.ArgumentParser.add_argument` for an option."""
    help = option.help.replace("%", "%%")
    arguments: dict[str, Any] = {"dest": option.flag, "default": option.default}
    if isinstance(option.default, bool):
        if option.switch:
            return arguments | {"help": help, "action": "store_true"}
        help += f" (default: {'on' if option.default else 'off'})"
        return arguments | {"help": help, "action": argparse.BooleanOptionalAction}
    arguments |= {"type": _converter(option), "choices": option.choices}
    arguments["metavar"] = option.metavar or _metavar(option)
    if isinstance(option.metavar, tuple):
        arguments["nargs"] = len(option.metavar)
    if option.many:
        arguments |= {"action": "append", "default": list(option.default)}
        help += " (may be repeated)"
    elif option.required:
        arguments["required"] = True
    elif option.default is not None:
        help += " (default: %(default)s)"
    return arguments | {"help": help}


def _metavar(option: Option) -> str:
    if option.choices:
        return "{" + ",".join(option.choices) + "}"
    if option.parse is int:
        return "N"
    return "X" if option.parse is float else option.name.upper()


def _converter(option: Option) -> Callable[[str], Any]:
    """Conversion from text for argparse, with its class of error."""
    expected = "a valid value"
    if option.parse in (int, float):
        expected = "a whole number" if option.parse is int else "a number"

    def convert(text: str) -> Any:
        try:
            return option.parse(text)
        except ParameterError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not {expected}") from None

    return convert
