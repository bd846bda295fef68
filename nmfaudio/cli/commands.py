"""Names of the commands. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
import importlib
from typing import Any, cast

from nmfaudio._common.similar_names import nearest
from nmfaudio.cli.hints import COMMANDS
from nmfaudio.cli.parser import Parser
from nmfaudio.errors import ParameterError
from nmfaudio.separators import SEPARATORS

OTHERS = {
    "evaluate": (
        "nmfaudio.cli.evaluate:EvaluateCommand",
        "compare separated stems, or transcribed notes, with the true ones",
    ),
    "learn": (
        "nmfaudio.cli.learn:LearnCommand",
        "learn a dictionary of templates from isolated recordings",
    ),
    "dictionary": (
        "nmfaudio.cli.dictionary:DictionaryCommand",
        "show, merge and export dictionaries",
    ),
    "batch": (
        "nmfaudio.cli.batch_run:BatchRun",
        "run a command on many files in several processes, and resume it",
    ),
    "render": (
        "nmfaudio.cli.render:RenderCommand",
        "make the stems of saved models from their recordings",
    ),
    "transcribe": (
        "nmfaudio.cli.transcribe:TranscribeCommand",
        "transcribe notes or drum hits, and separate each of them",
    ),
    "live": (
        "nmfaudio.cli.live:LiveCommand",
        "separate or transcribe sound while it arrives, in a pipe",
    ),
    "experiment": (
        "nmfaudio.cli.experiment:ExperimentCommand",
        "compare transcribers on pieces with known notes, as a file describes",
    ),
    "info": (
        "nmfaudio.cli.info:InfoCommand",
        "show the properties of audio files, and warn of suspicious ones",
    ),
    "samples": (
        "nmfaudio.cli.samples:SamplesCommand",
        "copy the sample recordings that ship with nmfaudio to a folder",
    ),
    "picture": (
        "nmfaudio.cli.picture:PictureCommand",
        "draw the spectrogram of a recording, with a grid to read off boxes",
    ),
    "report": (
        "nmfaudio.cli.report:ReportCommand",
        "write a page to hear, see and regroup the stems of a saved model",
    ),
    "completion": (
        "nmfaudio.cli.completion:CompletionCommand",
        "print a script that completes commands and options in the shell",
    ),
    "doctor": (
        "nmfaudio.cli.doctor:DoctorCommand",
        "check this installation, and separate one second of audio with it",
    ),
}
"""Commands that are no separators: the class of each, and one line of help."""

GROUPS = {
    "if you have only a recording": ("hpss", "separate"),
    "if you have an example of a sound": ("guided", "denoise", "learn"),
    "if you have a score": ("score",),
    "if you have the pitch of a voice": ("f0",),
    "if you can see the sounds in a spectrogram": ("picture", "paint"),
    "if you have drums": ("drums",),
    "if you need notes": ("transcribe",),
    "if you have many files": ("batch", "render"),
    "if the sound is still arriving": ("live",),
    "if you compare methods": ("experiment", "evaluate"),
    "tools": (
        "info",
        "regroup",
        "report",
        "dictionary",
        "samples",
        "completion",
        "doctor",
    ),
}
"""Commands by what a user has, in the order of the help."""

_TOP = """\
Separate and transcribe recordings with non-negative matrix factorisation. The
stems sum to the recording, and the model can be inspected.
"""
_EXIT_CODES = """\
exit codes: 0 done, 1 bug in nmfaudio, 2 invalid option, 3 unreadable file,
4 unusable content, 5 cannot write, 6 not enough memory, 7 some of several
files failed, 130 interrupted, 143 terminated
"""


def commands() -> dict[str, str]:
    """Names of all commands, with one line of help each."""
    return {name: help for name, (_, help) in (SEPARATORS | OTHERS).items()}


def load_command(name: str) -> type[Any]:
    """Import the class of a command, a `nmfaudio.cli.command.Command`."""
    place = "nmfaudio.cli.separate:SeparateCommand" if name in SEPARATORS else OTHERS[name][0]
    module, _, attribute = place.partition(":")
    return cast("type[Any]", getattr(importlib.import_module(module), attribute))


def top_parser() -> Parser:
    """Build the parser of ``nmfaudio`` itself, which has the names of the commands only."""
    parser = Parser(
        prog="nmfaudio",
        usage="nmfaudio COMMAND ...",
        description=_TOP,
        epilog="nmfaudio COMMAND --help describes a command.\n\n" + _EXIT_CODES,
        add_help=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    helps = commands()
    for heading, names in GROUPS.items():
        group = parser.add_argument_group(heading)
        for name in names:
            group.add_argument(name, help=helps[name])
    group = parser.add_argument_group("options")
    group.add_argument("-h", "--help", action="store_true", help="show this help")
    group.add_argument("--version", action="store_true", help="show the version")
    return parser


def unknown_command(text: str) -> ParameterError:
    """Error for an unknown command, with a hint."""
    hint = f"; {COMMANDS[text]}" if text in COMMANDS else nearest(text, list(commands()))
    hint = hint or f"; choose from {', '.join(commands())}"
    return ParameterError(f"unknown command {text!r}{hint}")
