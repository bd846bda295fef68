"""The commands and their options; a separator's options come from its fields."""

from __future__ import annotations

import argparse
import difflib
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from nmfaudio.cli.output import emit
from nmfaudio.errors import ParameterError
from nmfaudio.separators import SEPARATORS

if TYPE_CHECKING:
    from nmfaudio.separators.base import Option

_OTHER_COMMANDS = {
    "info": "say what files hold, and what is suspicious about them",
    "doctor": "check this installation, and separate a second of sound with it",
}
_FIELD = "field:"  # before a separator's fields in the namespace, apart from the options of a job

_TOP = """\
Take recordings apart with non-negative matrix factorisation: the parts add up
to the whole, and the model can be looked into.
"""
_EXIT_CODES = """\
exit codes: 0 done, 1 our bug, 2 bad option, 3 unreadable file, 4 unusable
content, 5 cannot write, 6 not enough memory, 7 some of several files failed,
130 interrupted, 143 terminated
"""
_SEPARATE = """\
{help}.

The parts keep the sample rate, the channels and the length of each FILE, and
add up to it. They are written to OUTPUT/<name of FILE>/<source>.wav.
"""
_EXAMPLES = """\
examples:
  nmfaudio {name} song.wav
  nmfaudio {name} song.wav --preview 0:30-0:45 -v
  nmfaudio {name} *.flac -o parts --format flac --skip-existing
  curl -s https://example.org/song.ogg | nmfaudio {name} -

stdout has the paths written, one a line: a path that holds a newline or
another control character is shown with escapes there, and exactly in --json.
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are `ParameterError`."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        message = message.removeprefix("argument ")
        raise ParameterError(f"{message}; see {self.prog} --help")

    def print_help(self, file: Any = None) -> None:
        """Print the help where results go."""
        emit(self.format_help())


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
    commands = parser.add_argument_group("commands")
    for name, help in _commands().items():
        commands.add_argument(name, help=help)
    return parser


def separator_parser(name: str, options: Sequence[Option]) -> Parser:
    """The parser of a separator's command."""
    parser = _file_parser(
        name,
        description=_SEPARATE.format(help=_sentence(SEPARATORS[name][1])),
        epilog=_EXAMPLES.format(name=name),
    )
    _add_separator_options(parser, options)
    _add_output_options(parser)
    _add_input_options(parser)
    _add_run_options(parser)
    return parser


def info_parser() -> Parser:
    """The parser of ``nmfaudio info``."""
    parser = _file_parser("info", description=_sentence(_OTHER_COMMANDS["info"]) + ".\n")
    _add_common_options(parser)
    return parser


def doctor_parser() -> Parser:
    """The parser of ``nmfaudio doctor``."""
    parser = Parser(
        prog="nmfaudio doctor",
        usage="nmfaudio doctor [options]",
        description=_sentence(_OTHER_COMMANDS["doctor"]) + ".",
        epilog="The exit code is 1 when the separation does not work.",
        allow_abbrev=False,
    )
    _add_common_options(parser)
    return parser


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


def separator_settings(namespace: argparse.Namespace) -> dict[str, Any]:
    """The values of the separator's fields, out of what `parse` returned."""
    return {
        key.removeprefix(_FIELD): value
        for key, value in vars(namespace).items()
        if key.startswith(_FIELD)
    }


def unknown_command(text: str) -> ParameterError:
    """The error for a command that does not exist, with what was perhaps meant."""
    if os.path.exists(text):
        hint = f"; to take a file apart: nmfaudio separate {text}"
    else:
        hint = nearest(text, list(_commands())) or f"; there are: {', '.join(_commands())}"
    return ParameterError(f"there is no command {text}{hint}")


def nearest(text: str, known: Sequence[str]) -> str:
    """``; did you mean …?`` where something known looks like `text`, else nothing."""
    close = difflib.get_close_matches(text, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _commands() -> dict[str, str]:
    return {name: help for name, (_, help) in SEPARATORS.items()} | _OTHER_COMMANDS


def _file_parser(name: str, *, description: str, epilog: str = "") -> Parser:
    parser = Parser(
        prog=f"nmfaudio {name}",
        usage=f"nmfaudio {name} FILE... [options]",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument_group(
        "FILE", "any file that libsndfile reads; - is standard input; after --, all are files"
    )
    return parser


def _add_separator_options(parser: Parser, options: Sequence[Option]) -> None:
    group = parser.add_argument_group("how to separate")
    for option in options:
        flags = [option.short, option.flag] if option.short else [option.flag]
        help = option.help.replace("%", "%%")
        if isinstance(option.default, bool):
            help += f" (default: {'on' if option.default else 'off'})"
        elif option.default is not None:
            help += " (default: %(default)s)"
        arguments: dict[str, Any] = {"dest": _FIELD + option.name, "default": option.default}
        if isinstance(option.default, bool):
            arguments["action"] = argparse.BooleanOptionalAction
        else:
            arguments["type"] = _converter(option)
            arguments["choices"] = option.choices
            arguments["metavar"] = option.metavar or _metavar(option)
        group.add_argument(*flags, help=help, **arguments)
    group.add_argument(
        "--seed",
        type=_whole(0),
        default=0,
        metavar="N",
        help="where chance starts: the same seed gives the same bytes (default: %(default)s)",
    )


def _metavar(option: Option) -> str:
    if option.choices:
        return "{" + ",".join(option.choices) + "}"
    if option.parse is int:
        return "N"
    return "X" if option.parse is float else option.name.upper()


def _converter(option: Option) -> Callable[[str], Any]:
    wanted = "understood"
    if option.parse in (int, float):
        wanted = "a whole number" if option.parse is int else "a number"

    def convert(text: str) -> Any:
        try:
            return option.parse(text)
        except ParameterError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}") from None

    return convert


def _add_output_options(parser: Parser) -> None:
    group = parser.add_argument_group("what to write")
    group.add_argument(
        "-o",
        "--output",
        default="separated",
        metavar="OUTPUT",
        help="the folder that gets a folder for each file (default: %(default)s)",
    )
    group.add_argument(
        "--format",
        type=str.lower,
        default="wav",
        metavar="FORMAT",
        help="wav, flac, aiff, caf, w64, au, ogg, opus or mp3; the last three are lossy, so"
        " their sum is not exact (default: %(default)s)",
    )
    group.add_argument(
        "--subtype",
        metavar="SUBTYPE",
        help="how samples are stored: PCM_16, PCM_24, FLOAT or DOUBLE"
        " (default: FLOAT where the format has it, PCM_24 in flac)",
    )
    group.add_argument(
        "--clip",
        choices=("gain", "error"),
        default="gain",
        help="when a part peaks over full scale in a format that cannot hold it: turn all parts"
        " down alike, or fail (default: %(default)s)",
    )
    group.add_argument(
        "--components-too",
        action="store_true",
        help="also write each component, the small parts that the sources are made of",
    )
    group.add_argument(
        "--save-model",
        metavar="M.NPZ",
        help="also write the factorisation with its settings; with several files,"
        " put {track} where the name of the file is to be",
    )
    existing = group.add_mutually_exclusive_group()
    existing.add_argument(
        "--overwrite", action="store_true", help="replace parts that are there (default: refuse)"
    )
    existing.add_argument(
        "--skip-existing", action="store_true", help="leave out files whose parts are there"
    )


def _add_input_options(parser: Parser) -> None:
    group = parser.add_argument_group("what to read")
    group.add_argument(
        "--preview",
        type=stretch,
        metavar="FROM-TO",
        help="only that stretch, to try settings quickly: 0:30-0:45, or in seconds 90-100.5",
    )
    group.add_argument(
        "--strict",
        action="store_true",
        help="refuse a file that ends early or whose header lies, instead of warning",
    )
    group.add_argument(
        "--salvage", action="store_true", help="keep what can be decoded of a corrupt file"
    )
    group.add_argument(
        "--nonfinite",
        choices=("error", "zero"),
        default="error",
        help="samples that are NaN or infinite: refuse the file, or make them silent"
        " (default: %(default)s)",
    )


def _add_run_options(parser: Parser) -> None:
    group = _add_common_options(parser)
    group.add_argument(
        "--threads",
        type=_whole(1),
        metavar="N",
        help="how many threads work; the result is the same (default: one for each processor)",
    )
    loudness = group.add_mutually_exclusive_group()
    loudness.add_argument(
        "-q", "--quiet", action="store_true", help="on stderr, only warnings and errors"
    )
    loudness.add_argument(
        "-v", "--verbose", action="store_true", help="also say what each source is made of"
    )


def _add_common_options(parser: Parser) -> argparse._ArgumentGroup:
    group = parser.add_argument_group("how to report")
    group.add_argument("--json", action="store_true", help="one JSON object on stdout")
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return group


def stretch(text: str) -> tuple[float, float]:
    """Read ``0:30-0:45`` or ``90-100.5`` as a start and an end in seconds."""
    start, dash, stop = text.partition("-")
    try:
        if not dash:
            raise ValueError
        span = (_seconds(start), _seconds(stop))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no stretch of time; write FROM-TO, as 0:30-0:45 or 90-100.5"
        ) from None
    if span[0] >= span[1]:
        raise argparse.ArgumentTypeError(
            f"{text!r} ends before it has begun; put the earlier first"
        )
    return span


def _seconds(text: str) -> float:
    """``[[h:]m:]s`` in seconds; below the first, minutes and seconds are under 60."""
    *whole, last = text.split(":")
    digits = [*whole, *last.split(".", 1)]
    if len(whole) > 2 or not all(part.isascii() and part.isdecimal() for part in digits):
        raise ValueError(text)
    parts = [*map(float, whole), float(last)]
    if any(part >= 60 for part in parts[1:]):
        raise ValueError(text)
    return sum(part * 60.0**i for i, part in enumerate(reversed(parts)))


def _whole(least: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and int(text) >= least):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {least} or more")
        return int(text)

    return convert


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
