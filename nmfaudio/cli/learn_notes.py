"""The part of `nmfaudio learn` that makes dictionaries of notes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nmfaudio.cli.failures import printable
from nmfaudio.cli.parser import Parser, whole
from nmfaudio.cli.progress import Bar
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Transform
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary

_KINDS = ("notes", "recordings", "soundfonts")
_HOPS = 8  # in a window of notes
_ALONE = ("size", "kind", "files", "ranges")  # what goes with none of them
EXAMPLES = """\
  nmfaudio learn --notes piano=notes/ --fill 21-108 -o piano.npz
  nmfaudio learn --recording piano=take.wav take.mid -o piano.npz
  nmfaudio learn --soundfont piano=FluidR3_GM.sf2 --average -o piano.npz
"""


def add_note_options(parser: Parser) -> None:
    """The flags of dictionaries of notes."""
    group = parser.add_argument_group(
        "notes, for transcribing",
        "For each pitch a spectrum of the attack, an early and a late one.",
    )
    group.add_argument(
        "--notes",
        action="append",
        default=[],
        metavar="LABEL=FOLDER",
        help="notes by themselves, in files named by their pitches, and velocities if they are"
        " known: 60.wav, F#3_v100.wav (may be repeated, as the next two)",
    )
    group.add_argument(
        "--recording",
        dest="recordings",
        nargs=2,
        action="append",
        default=[],
        metavar=("LABEL=FILE", "SCORE"),
        help="music, and the MIDI file or table of what is played in it, in time with it",
    )
    group.add_argument(
        "--soundfont",
        dest="soundfonts",
        action="append",
        default=[],
        metavar="LABEL=FONT.sf2",
        help="notes that fluidsynth plays",
    )
    group.add_argument(
        "--program",
        type=whole(0),
        default=0,
        metavar="N",
        help="General MIDI instrument of the soundfonts, 0 to 127 (default: 0, grand piano)",
    )
    group.add_argument(
        "--average",
        action="store_true",
        help="one spectrum for each pitch and stage of a label: the mean over velocities, and over"
        " several pianos, for one that is not known",
    )
    group.add_argument(
        "--fill",
        type=_pitch_range,
        metavar="LOW-HIGH",
        help="give each instrument all semitones between two MIDI numbers, by transposing the"
        " nearest that it has: 21-108 for the keys of a piano",
    )


def wants_notes(chosen: argparse.Namespace) -> bool:
    """Whether a dictionary of notes was asked for.

    Raises
    ------
    ParameterError
        Something was asked for that does not go with it.
    """
    asked = any(getattr(chosen, kind) for kind in _KINDS)
    for flag in ("average", "fill"):
        if getattr(chosen, flag) and not asked:
            raise ParameterError(f"--{flag} is for notes; name some with --notes LABEL=FOLDER")
    unfit = [name for name in _ALONE if getattr(chosen, name)]
    if asked and unfit:
        named = {"files": "LABEL=PATH", "ranges": "--from"}
        raise ParameterError(
            f"{named.get(unfit[0], f'--{unfit[0]}')} does not go with notes; leave it out, or learn"
            " a plain dictionary"
        )
    if asked and chosen.lags is not None and chosen.recordings:
        raise ParameterError(
            "--lags does not go with --recording; leave it out, or learn from notes by themselves"
        )
    return asked


def learn_notes(chosen: argparse.Namespace, bar: Bar) -> NoteDictionary:
    """The dictionary of all notes that were named, alike in transform."""
    bar.say("learning")
    parts: list[NoteDictionary] = []
    for kind in _KINDS:
        for given in getattr(chosen, kind):
            transform = parts[0].transform if parts else None
            parts.append(_MAKERS[kind](given, chosen, transform, bar))
    known = parts[0].merge(*parts[1:])
    if chosen.average:
        known = known.average()
    return known.fill(*chosen.fill) if chosen.fill else known


def _pitch_range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    if not (low.isdecimal() and high.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form LOW-HIGH, as in 21-108")
    return int(low), int(high)


def _from_folder(
    given: str, chosen: argparse.Namespace, transform: Transform | None, bar: Bar
) -> NoteDictionary:
    from nmfaudio.dictionaries.note_folders import learn_notes, note_files
    from nmfaudio.dictionaries.note_learning import sample_rate_of

    label, folder = cut(given, "LABEL=FOLDER, as in piano=notes/")
    if transform is None:
        transform = asked_transform(sample_rate_of(note_files(folder, None)[0].path), chosen, _HOPS)
    return learn_notes(
        folder,
        instrument=label,
        transform=transform,
        lags=chosen.lags,
        beta=chosen.beta,
        resample=chosen.resample,
    )


def _from_recording(
    given: list[str], chosen: argparse.Namespace, transform: Transform | None, bar: Bar
) -> NoteDictionary:
    from nmfaudio.dictionaries.note_from_score import learn_notes_from_recording
    from nmfaudio.dictionaries.note_learning import sample_rate_of

    label, audio = cut(given[0], "LABEL=FILE, as in piano=take.wav")
    if transform is None:
        transform = asked_transform(sample_rate_of(audio), chosen, _HOPS)
    settings: dict[str, Any] = {}
    if chosen.max_iter is not None:
        settings["max_iter"] = chosen.max_iter
    return learn_notes_from_recording(
        audio,
        given[1],
        instrument=label,
        transform=transform,
        beta=chosen.beta,
        resample=chosen.resample,
        callback=bar.update,
        **settings,
    )


def _from_soundfont(
    given: str, chosen: argparse.Namespace, transform: Transform | None, bar: Bar
) -> NoteDictionary:
    from nmfaudio.dictionaries.soundfont import DEFAULT_RATE, learn_notes_from_soundfont

    label, font = cut(given, "LABEL=FONT.sf2, as in piano=FluidR3_GM.sf2")
    return learn_notes_from_soundfont(
        font,
        program=chosen.program,
        instrument=label,
        transform=transform or asked_transform(DEFAULT_RATE, chosen, _HOPS),
        lags=chosen.lags,
        beta=chosen.beta,
    )


_MAKERS: dict[str, Callable[..., NoteDictionary]] = {
    "notes": _from_folder,
    "recordings": _from_recording,
    "soundfonts": _from_soundfont,
}


def describe_notes(dictionary: Dictionary) -> dict[str, Any]:
    """The facts about velocities and stages, as `--json` gives them; none of a plain dictionary."""
    from nmfaudio.dictionaries.note_dictionary import NoteDictionary

    if not isinstance(dictionary, NoteDictionary):
        return {}
    stages = [stage for stage in dictionary.stages if stage is not None]
    return {
        "stages": {stage: stages.count(stage) for stage in dict.fromkeys(stages)},
        "velocities": sorted({v for v in dictionary.velocities if v is not None}),
    }


def asked_transform(sr: int, chosen: argparse.Namespace, hops: int) -> Transform | None:
    """The transform that was asked for, at a sample rate; None if none was.

    Parameters
    ----------
    hops : int
        In a window, unless it is said how long one is.
    """
    if chosen.n_fft is None and chosen.hop is None:
        return None
    from nmfaudio.audio.transforms import Stft, default_n_fft

    power = 2.0 if chosen.beta == 0 else 1.0
    n_fft = chosen.n_fft or default_n_fft(sr)
    return Stft(sr, n_fft, chosen.hop or max(1, n_fft // hops), power=power)


def cut(text: str, form: str) -> tuple[str, str]:
    """What stands before and after the first equals sign."""
    before, _, after = text.partition("=")
    if not (before and after):
        raise ParameterError(f"{printable(text)} is not of the form {form}")
    return before, after
