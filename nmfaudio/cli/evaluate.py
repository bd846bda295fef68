"""`nmfaudio evaluate`: how near separated files are to the true ones, and notes to the score's."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nmfaudio._version import __version__
from nmfaudio.cli import evaluate_notes
from nmfaudio.cli.commands import OTHERS
from nmfaudio.cli.failures import printable
from nmfaudio.cli.output import emit, emit_json
from nmfaudio.cli.parser import Parser, add_common_options, parse, sentence
from nmfaudio.errors import AudioFileError, AudioWarning, ContentError, ParameterError

# What computes is imported where it is needed, so that --help stays quick.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.audio.io import DecodedAudio

SUFFIXES = (
    *(".wav", ".wave", ".rf64", ".w64", ".flac", ".aif", ".aiff", ".caf", ".au", ".snd"),
    *(".ogg", ".oga", ".opus", ".mp3"),
)
MIXTURE = "mixture"

_DESCRIPTION = """\
{help}.

REF_DIR holds the true sources, EST_DIR what a separation made of them: files of
the same sample rate, channels and length. Files of the same name, whatever
their suffix, belong together. Where a source finds no file of its name, files
are matched for the best mean SIR, and that is said. A file called mixture in
REF_DIR is taken as the mixture.

With --notes, REF and EST hold notes: MIDI files or tables, or folders of them,
in which files of the same name, whatever their suffix, belong together.
"""
_EPILOG = """\
measures, all in dB and better when higher:
  SI-SDR              all errors, up to the level
  SDR, SIR, SAR       BSS-eval version 3 (bss_eval_sources): all errors, other
                      sources, and what comes from no source, where filters of
                      512 taps are allowed
  ISR, image SDR      bss_eval_images: what such a filter changes, and all
                      errors where none is allowed
  SI-SDRi, SDRi       improvement over the mixture

measures of notes: precision, recall and F by mir_eval, of onsets, offsets and
velocities of notes, of pitches every 10 ms, and of the hits of each drum.

examples:
  nmfaudio separate song/mixture.wav -o out
  nmfaudio evaluate song/sources out/mixture
  nmfaudio evaluate --notes score.mid transcribed.csv
"""


def run_evaluate(argv: list[str]) -> int:
    """Run ``nmfaudio evaluate``, and return its exit code."""
    chosen = parse(_parser(), argv)
    if chosen.notes:
        return evaluate_notes.run(chosen)
    evaluate_notes.refuse_options(chosen)
    if len(chosen.files) != 2:
        raise ParameterError(
            f"got {len(chosen.files)} folders, need two: REF_DIR with the true sources and "
            "EST_DIR with the estimates"
        )
    references, estimates = map(_audio_files, chosen.files)
    mixture = references.pop(MIXTURE, None)
    estimates.pop(MIXTURE, None)
    if chosen.mixture is not None:
        mixture = Path(chosen.mixture)
    if not references:
        raise ContentError(f"{printable(chosen.files[0])}: holds only a mixture; add the sources")

    from nmfaudio.metrics import evaluate

    files = {("reference", name): path for name, path in references.items()}
    files |= {("estimate", name): path for name, path in estimates.items()}
    files |= {("", MIXTURE): mixture} if mixture is not None else {}
    sound, sr = _read(files)
    result = evaluate(
        {name: sound["reference", name] for name in references},
        {name: sound["estimate", name] for name in estimates},
        sr,
        mixture=sound.get(("", MIXTURE)),
        permute=True if chosen.permute else None,
        framewise=chosen.framewise,
    )
    if chosen.json:
        facts = {"nmfaudio": __version__, "command": "evaluate", "exit_code": 0, "sr": sr}
        emit_json(facts | result.to_dict())
    else:
        emit(f"{result}\n")
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="nmfaudio evaluate",
        usage="nmfaudio evaluate [--notes] REF EST [options]",
        description=_DESCRIPTION.format(help=sentence(OTHERS["evaluate"][1])),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    group = parser.add_argument_group("how to judge audio")
    group.add_argument(
        "--mixture",
        metavar="FILE",
        help="what was taken apart (default: mixture.* in REF_DIR, else the sum of the sources)",
    )
    group.add_argument(
        "--permute", action="store_true", help="match files for the best mean SIR, not by name"
    )
    group.add_argument(
        "--framewise",
        action="store_true",
        help="also the median over frames of a second, as BSS-eval version 4 (museval) has it",
    )
    evaluate_notes.add_options(parser)
    add_common_options(parser)
    return parser


def _audio_files(folder: str) -> dict[str, Path]:
    """The audio files of a folder under their names without suffix."""
    about = printable(folder)
    found: dict[str, Path] = {}
    try:
        paths = sorted(Path(folder).iterdir())
    except OSError as error:
        hint = "; name the folder that it is in" if isinstance(error, NotADirectoryError) else ""
        raise AudioFileError(f"{about}: {error.strerror}{hint}") from None
    for path in paths:
        if path.name.startswith(".") or path.suffix.lower() not in SUFFIXES:
            continue
        if path.stem in found:
            raise ContentError(
                f"{about}: {printable(path.name)} and {printable(found[path.stem].name)} have one "
                "name; move one of them away"
            )
        found[path.stem] = path
    if not found:
        raise ContentError(f"{about}: holds no audio files; name a folder that does")
    return found


def _read(
    files: Mapping[tuple[str, str], Path],
) -> tuple[dict[tuple[str, str], np.ndarray], int]:
    """The audio of each file, and the sample rate that all have."""
    from nmfaudio.audio.io import read

    found: dict[tuple[str, str], DecodedAudio] = {}
    for key, path in files.items():
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", AudioWarning)
            found[key] = read(path)
        for warning in said:
            print(f"nmfaudio: warning: {printable(str(warning.message))}", file=sys.stderr)
    first, expected = next(iter(found.items()))
    for key, recording in found.items():
        if _facts(recording) != _facts(expected):
            raise ContentError(
                f"{printable(str(files[key]))}: has {_facts(recording)}, and "
                f"{printable(str(files[first]))} has {_facts(expected)}; they must be the same"
            )
    return {key: recording.samples for key, recording in found.items()}, expected.sr


def _facts(recording: DecodedAudio) -> str:
    channels, length = recording.samples.shape
    return f"{length:,} samples, {channels} channel{'s' * (channels != 1)}, {recording.sr:,} Hz"
