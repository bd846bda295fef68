"""`nmfaudio transcribe`: which notes are played in recordings, or when which drum is hit."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from nmfaudio.cli.commands import OTHERS
from nmfaudio.cli.failures import printable
from nmfaudio.cli.parser import (
    Parser,
    add_common_options,
    add_existing_options,
    add_seed_option,
    add_thread_option,
    file_parser,
    parse,
    sentence,
)
from nmfaudio.cli.separator_options import add_input_options
from nmfaudio.errors import ParameterError

# What computes is imported where it is needed, so that --help stays quick.
if TYPE_CHECKING:
    from nmfaudio.transcription.drums import DrumTranscriber
    from nmfaudio.transcription.transcriber import Transcriber

STEMS = {"note": "note", "pitch": "pitch", "hand": "hand", "part": "track"}
"""What a stem may be, and what `Transcription.stems` calls it."""

_WHAT = """\
{help}.

The notes of each FILE are written to OUTPUT/<name of FILE>.csv, a table with
the columns that basic-pitch writes, and to .mid where the extra midi is
installed. Without a dictionary, a piano is expected: one ships with nmfaudio.
With --preview, times count from where the stretch begins.
"""
_EXAMPLES = """\
examples:
  nmfaudio transcribe piano.wav
  nmfaudio transcribe *.flac -d upright.npz -o notes --skip-existing
  nmfaudio transcribe piano.wav --sonify --plot --stems hand
  nmfaudio transcribe --drums loop.wav

stdout has the paths written, one a line: a path that holds a newline or
another control character is shown with escapes there, and exactly in --json.
"""


def run_transcribe(argv: list[str]) -> int:
    """Run ``nmfaudio transcribe``, and return its exit code."""
    chosen = parse(_parser(), argv)
    if chosen.parts is not None and not chosen.drums:
        raise ParameterError("--parts is for drums; add --drums")
    fitting = ("note", "part") if chosen.drums else ("note", "pitch", "hand")
    if chosen.stems not in (None, *fitting):
        raise ParameterError(f"--stems {chosen.stems} does not fit; choose {' or '.join(fitting)}")
    from nmfaudio.cli.run import run_jobs
    from nmfaudio.cli.transcribing import plan_transcriptions, report_lines, transcribe, written

    jobs = plan_transcriptions(chosen)
    transcriber, known = _transcriber(chosen)
    if not chosen.quiet:
        print(f"transcribing with {known}", file=sys.stderr)
    return run_jobs(
        "transcribe",
        jobs,
        lambda job, bar: transcribe(job, transcriber, chosen, bar) | {"dictionary": known},
        chosen,
        written=written,
        lines=report_lines,
        after="finding the notes",
    )


def _transcriber(chosen: argparse.Namespace) -> tuple[Transcriber | DrumTranscriber, str]:
    """What finds the notes, and what it knows of them."""
    own = chosen.dictionary
    find = _drum_transcriber if chosen.drums else _note_transcriber
    settings = {} if chosen.threshold is None else {"threshold": chosen.threshold}
    transcriber = find(chosen, settings)
    facts = repr(transcriber.effective_dictionary).partition("(")[2].removesuffix(")")
    shipped = f"the shipped {'drums' if chosen.drums else 'piano'}"
    return transcriber, f"{shipped if own is None else printable(own)}: {facts}"


def _note_transcriber(chosen: argparse.Namespace, settings: dict[str, float]) -> Transcriber:
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary
    from nmfaudio.transcription.transcriber import Transcriber

    own = None if chosen.dictionary is None else NoteDictionary.load(chosen.dictionary)
    return Transcriber(own).with_decoding(**settings)


def _drum_transcriber(chosen: argparse.Namespace, settings: dict[str, Any]) -> DrumTranscriber:
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.separators.drums import PARTS
    from nmfaudio.transcription.drums import DrumTranscriber

    own = None if chosen.dictionary is None else Dictionary.load(chosen.dictionary)
    if chosen.parts is not None:
        settings["parts"] = tuple(name.strip() for name in chosen.parts.split(","))
    elif own is not None:
        settings["parts"] = tuple(part for part in PARTS if part in own.names)
    return DrumTranscriber(own, **settings)


def _parser() -> Parser:
    parser = file_parser(
        "transcribe",
        description=_WHAT.format(help=sentence(OTHERS["transcribe"][1])),
        epilog=_EXAMPLES,
    )
    group = parser.add_argument_group("what to listen for")
    group.add_argument(
        "-d",
        "--dictionary",
        metavar="D.NPZ",
        help="what the notes or drums sound like (default: a piano, or a drum kit, that ships with"
        " nmfaudio)",
    )
    group.add_argument("--drums", action="store_true", help="hits of drums, not notes of a pitch")
    group.add_argument(
        "--parts",
        metavar="NAMES",
        help="which drums to write down, with commas between: kick, snare, hihat, toms, cymbals;"
        " the last two are found far less surely (default: the first three, or those of"
        " --dictionary)",
    )
    group.add_argument(
        "--threshold",
        type=_share,
        metavar="X",
        help="how strong a note must be: lower finds more notes, and more that are none"
        " (default: what did best on recordings of its kind)",
    )
    add_seed_option(group)
    _add_output_options(parser)
    add_input_options(parser)
    group = add_common_options(parser)
    add_thread_option(group)
    group.add_argument("-q", "--quiet", action="store_true", help="only warnings and errors")
    return parser


def _add_output_options(parser: Parser) -> None:
    group = parser.add_argument_group("what to write")
    group.add_argument(
        "-o",
        "--output",
        default="transcribed",
        metavar="OUTPUT",
        help="the folder that gets the files (default: %(default)s)",
    )
    switches = {
        "--salience": "also how strong each pitch is when: <name>-salience.npz",
        "--sonify": "also the recording on the left and the notes as tones on the right, to hear"
        " whether they fit: <name>-notes.wav",
        "--plot": "also a picture of the notes, <name>.png; needs the extra plot",
    }
    for flag, help in switches.items():
        group.add_argument(flag, action="store_true", help=help)
    group.add_argument(
        "--stems",
        choices=tuple(STEMS),
        help="also each note, pitch, hand or part of the drum kit as sound, and the rest: they add"
        " up to the recording; in the folder <name>",
    )
    add_existing_options(group, replaced="files", known_by="notes")


def _share(text: str) -> float:
    """A threshold for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value
