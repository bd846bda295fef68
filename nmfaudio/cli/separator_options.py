"""The options of a separator's command: its fields, and what all of them share."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nmfaudio._common.options import options as options_of
from nmfaudio.cli.parser import (
    Parser,
    add_common_options,
    add_existing_options,
    add_seed_option,
    add_thread_option,
    file_parser,
    parse,
    parse_time_range,
    sentence,
)
from nmfaudio.errors import ParameterError
from nmfaudio.separators import SEPARATORS

if TYPE_CHECKING:
    from nmfaudio._common.options import Option

_FIELD = "field:"  # before a separator's fields in the namespace, apart from the options of a job

_SEPARATE = """\
{help}.

The parts keep the sample rate, the channels and the length of each FILE, and
add up to it. They are written to OUTPUT/<name of FILE>/<source>.wav.
"""
_EXAMPLES = (
    "song.wav",
    "song.wav --preview 0:30-0:45 -v",
    "*.flac -o parts --format flac --skip-existing",
)
_STDOUT = """\
stdout has the paths written, one a line: a path that holds a newline or
another control character is shown with escapes there, and exactly in --json.
"""


def separator_parser(
    name: str, options: Sequence[Option], examples: Sequence[str] = _EXAMPLES
) -> Parser:
    """The parser of a separator's command; `examples` follow its name."""
    companions = [option for option in options if option.suffixes]
    lines = "".join(f"  nmfaudio {name} {example}\n" for example in examples)
    parser = file_parser(
        name,
        description=_SEPARATE.format(help=sentence(SEPARATORS[name][1])),
        epilog=f"examples:\n{lines}\n{_STDOUT}",
        operands=" ".join(["FILE...", *map(_operand, companions)]),
    )
    for option in companions:
        width = shutil.get_terminal_size().columns - 4  # as argparse wraps its own
        parser.add_argument_group(str(option.metavar), textwrap.fill(option.help, width))
    _add_separator_options(parser, [option for option in options if not option.suffixes])
    _add_output_options(parser)
    add_input_options(parser)
    _add_run_options(parser)
    return parser


def parse_separator(name: str, kind: type[Any], argv: Sequence[str]) -> argparse.Namespace:
    """Parse the options and files of a separator's command.

    Raises
    ------
    ParameterError
        An option or a file is missing, unknown or has a value that cannot be.
    """
    fields = options_of(kind)
    chosen = parse(separator_parser(name, fields, kind.usage_examples or _EXAMPLES), argv)
    for option in fields:
        if option.suffixes:
            setattr(chosen, _FIELD + option.name, _take_companion(chosen, option, name))
    return chosen


def separator_settings(namespace: argparse.Namespace) -> dict[str, Any]:
    """The values of the separator's fields, out of what `parse` returned."""
    return {
        key.removeprefix(_FIELD): tuple(value) if isinstance(value, list) else value
        for key, value in vars(namespace).items()
        if key.startswith(_FIELD)
    }


def _operand(option: Option) -> str:
    return str(option.metavar) if option.required else f"[{option.metavar}]"


def _take_companion(namespace: argparse.Namespace, option: Option, name: str) -> str | None:
    """The one file with the option's suffixes, taken away from the files to separate."""
    found = [file for file in namespace.files if file.lower().endswith(option.suffixes)]
    wanted = f"{option.metavar}, which ends in {' or '.join(option.suffixes)}"
    if len(found) > 1:
        raise ParameterError(f"{found[1]} is a second {wanted}; one for each run is needed")
    if option.required and not found:
        raise ParameterError(f"{name} needs {wanted}; see nmfaudio {name} --help")
    namespace.files = [file for file in namespace.files if file not in found]
    return found[0] if found else None


def _add_separator_options(parser: Parser, options: Sequence[Option]) -> None:
    group = parser.add_argument_group("how to separate")
    for option in options:
        flags = [option.short, option.flag] if option.short else [option.flag]
        help = option.help.replace("%", "%%")
        if option.many:
            help += " (may be repeated)"
        elif isinstance(option.default, bool):
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
        if option.many:
            arguments |= {"action": "append", "default": list(option.default)}
        group.add_argument(*flags, help=help, **arguments)
    add_seed_option(group)


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
    add_existing_options(group, replaced="parts", known_by="parts")


def add_input_options(parser: Parser) -> None:
    """What of a file is read, and what is done about a bad one."""
    group = parser.add_argument_group("what to read")
    group.add_argument(
        "--preview",
        type=parse_time_range,
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
    group = add_common_options(parser)
    add_thread_option(group)
    loudness = group.add_mutually_exclusive_group()
    loudness.add_argument(
        "-q", "--quiet", action="store_true", help="on stderr, only warnings and errors"
    )
    loudness.add_argument(
        "-v", "--verbose", action="store_true", help="also say what each source is made of"
    )
