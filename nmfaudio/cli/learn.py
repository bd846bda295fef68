"""`nmfaudio learn`: from recordings of sounds to a dictionary of them."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmfaudio._common import time_ranges
from nmfaudio._version import __version__
from nmfaudio.cli.commands import OTHERS
from nmfaudio.cli.failures import printable
from nmfaudio.cli.learn_notes import (
    EXAMPLES,
    add_note_options,
    asked_transform,
    cut,
    describe_notes,
    learn_notes,
    wants_notes,
)
from nmfaudio.cli.output import emit_json, emit_path
from nmfaudio.cli.parser import (
    Parser,
    add_common_options,
    add_seed_option,
    add_thread_option,
    parse,
    sentence,
    whole,
)
from nmfaudio.cli.progress import Bar, heard
from nmfaudio.errors import ParameterError

# What is heavy is imported where it is needed, so that the help stays quick.
if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Transform
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.dictionaries.recordings import Recording

_HOPS = 4  # in a window
_USAGE = "nmfaudio learn LABEL=PATH... -o DICTIONARY.npz [options]"
_WHAT = """\
{help}.

A PATH is a recording in which nothing but the sound is heard, or a folder of
them: each file in it is then one hit or one note by itself, of the pitch that
its name says if all names are MIDI numbers or notes (60.wav, F#3.flac). A
label may come several times.
"""
_EXAMPLES = """\
examples:
  nmfaudio learn guitar=guitar.wav voice=a.wav voice=b.wav -o songs.npz
  nmfaudio learn --from mix.wav 12.0-15.5,1:02-1:09=guitar -o mix.npz
  nmfaudio learn kick=kicks/ snare=snares/ --kind convolutive -o kit.npz
{notes}
stdout has the path written.
"""


def run_learn(argv: list[str]) -> int:
    """Run ``nmfaudio learn``, and return its exit code."""
    chosen = parse(_parser(), argv)
    notes = wants_notes(chosen)
    given = {} if notes else _examples(chosen)
    from nmfaudio._common.files import check_targets
    from nmfaudio.kernels.threads import set_threads

    path = Path(chosen.output)
    check_targets([path], overwrite=chosen.overwrite)
    if chosen.threads is not None:
        set_threads(chosen.threads)
    began = time.perf_counter()
    bar = Bar(printable(path.name), quiet=chosen.quiet)
    with heard("learn", bar) as said:
        try:
            learned = learn_notes(chosen, bar) if notes else _learn(given, chosen, bar)
            learned.save(path, overwrite=chosen.overwrite)
        finally:
            bar.clear()
    seconds = time.perf_counter() - began
    if not chosen.quiet:
        print(f"{printable(str(path))}: {summary(learned)}, in {seconds:.1f} s", file=sys.stderr)
    if not chosen.json:
        emit_path(path)
        return 0
    facts = {"path": path, "seconds": seconds, "warnings": said} | describe_dictionary(learned)
    emit_json({"nmfaudio": __version__, "command": "learn", "exit_code": 0} | facts)
    return 0


def summary(dictionary: Dictionary) -> str:
    """What a dictionary holds, in a line."""
    return repr(dictionary).removeprefix(f"{type(dictionary).__name__}(").removesuffix(")")


def describe_dictionary(dictionary: Dictionary) -> dict[str, Any]:
    """The facts about a dictionary, as `--json` gives them."""
    return {
        "labels": {name: dictionary.labels.count(name) for name in dictionary.names},
        "kind": dictionary.kind,
        "components": dictionary.n_components,
        "lags": dictionary.lags,
        "frequencies": dictionary.templates.shape[-2],
        "dtype": dictionary.templates.dtype.name,
        "pitches": sorted({pitch for pitch in dictionary.pitches if pitch is not None}),
        "beta": dictionary.beta,
        "transform": dictionary.transform.to_dict(),
        "metadata": dict(dictionary.metadata),
    } | describe_notes(dictionary)


def _learn(given: dict[str, list[Recording]], chosen: argparse.Namespace, bar: Bar) -> Dictionary:
    from nmfaudio.dictionaries.learning import learn

    bar.say("learning")
    return learn(
        given,
        kind=chosen.kind or "exemplars",
        size=chosen.size,
        lags=chosen.lags,
        transform=_transform(given, chosen),
        beta=chosen.beta,
        max_iter=100 if chosen.max_iter is None else chosen.max_iter,
        resample=chosen.resample,
        callback=bar.update,
        rng=chosen.seed,
    )


def _transform(given: dict[str, list[Recording]], chosen: argparse.Namespace) -> Transform | None:
    """The transform that was asked for, at the first recording's rate; None if none was."""
    from nmfaudio.audio.io.decoding import open_audio

    first = next(iter(given.values()))[0]
    with open_audio(first.audio) as audio:  # type: ignore[arg-type]  # a path, here
        return asked_transform(audio.sr, chosen, _HOPS)


def _examples(chosen: argparse.Namespace) -> dict[str, list[Recording]]:
    """The examples of each label: whole recordings in the order they were named, then ranges."""
    from nmfaudio.dictionaries.recordings import Recording, as_recordings

    found: dict[str, list[Recording]] = {}
    for text in chosen.files:
        label, path = cut(text, "LABEL=PATH, as in guitar=guitar.wav")
        found.setdefault(label, []).extend(as_recordings(path))
    for path, text in chosen.ranges:
        ranges, label = cut(text, "RANGES=LABEL, as in 12.0-15.5=guitar")
        spans = [time_ranges.parse_time_range(span) for span in ranges.split(",")]
        found.setdefault(label, []).extend(Recording(path, *span) for span in spans)
    if not found:
        raise ParameterError(f"nothing to learn from was named: {_USAGE}")
    return found


def _parser() -> Parser:
    parser = Parser(
        prog="nmfaudio learn",
        usage=_USAGE,
        description=_WHAT.format(help=sentence(OTHERS["learn"][1])),
        epilog=_EXAMPLES.format(notes=EXAMPLES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    group = parser.add_argument_group("what to learn from, and where to write")
    group.add_argument(
        "--from",
        dest="ranges",
        nargs=2,
        action="append",
        default=[],
        metavar=("FILE", "RANGES=LABEL"),
        help="stretches of a recording, as in mix.wav 12.0-15.5,1:02-1:09=guitar (may be repeated)",
    )
    group.add_argument("-o", "--output", required=True, metavar="DICTIONARY.npz", help="the result")
    group.add_argument("--overwrite", action="store_true", help="replace it (default: refuse)")
    group.add_argument(
        "--resample",
        action="store_true",
        help="bring all to the sample rate of the first (default: refuse another)",
    )
    add_note_options(parser)
    _add_method_options(parser)
    group = add_common_options(parser)
    add_thread_option(group)
    group.add_argument("-q", "--quiet", action="store_true", help="only warnings and errors")
    return parser


def _add_method_options(parser: Parser) -> None:
    group = parser.add_argument_group("how to learn")
    group.add_argument(
        "--kind",
        choices=("exemplars", "templates", "convolutive"),
        help="frames of the recordings as they are, unlike one another; spectra that make them up;"
        " or short spectrograms that do, for hits (default: exemplars)",
    )
    counts = (
        (
            "--size",
            1,
            "components for each label, and for each file of a folder (default: 300"
            " exemplars, 30 templates or 10 convolutive; for files of a folder 10, 3 or 1)",
        ),
        ("--lags", 1, "frames in a component (default: 1; convolutive ones: 10)"),
        (
            "--n-fft",
            2,
            "window length in samples (default: the power of two nearest to 93 ms, of notes to"
            " 186 ms)",
        ),
        (
            "--hop",
            1,
            "samples between windows (default: a quarter of a window, an eighth for notes)",
        ),
    )
    for flag, least, help in counts:
        group.add_argument(flag, type=whole(least), metavar="N", help=help)
    group.add_argument(
        "--beta",
        type=float,
        default=1.0,
        metavar="X",
        help="what counts as a misfit, now and when separating: 1 Kullback-Leibler, 0"
        " Itakura-Saito, 2 squares (default: %(default)g)",
    )
    group.add_argument(
        "--max-iter",
        type=whole(0),
        metavar="N",
        help="iterations at most, of templates and convolutive (default: 100) and of --recording"
        " (default: 50)",
    )
    add_seed_option(group)
