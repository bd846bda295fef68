"""Instruments that ship: ``python -m benchmarks.transcription.instruments [FONT ...]``.

Random phrases in the range of each instrument, and in those of several, are played by SoundFonts,
and transcribed with the shipped dictionaries and the default settings. Templates and networks have
learned from FluidR3, networks from TimGM6mb; further SoundFonts may be given. Printed are
F-measures of onsets within 50 ms, by mir_eval, means over the seeds. Of ensembles, a note counts
only if its instrument is right, too, in the second figure.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

import nmfaudio as na
from benchmarks.transcription.phrases import Part, ensemble
from benchmarks.transcription.sound import SR

FONTS = {
    "FluidR3 (in templates and networks)": Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
    "TimGM6mb (in networks)": Path("/usr/share/sounds/sf2/TimGM6mb.sf2"),
}
SEEDS = (5, 6)
SECONDS = 12
PARTS = {
    "electric piano": Part("electric piano", 4, 36, 88, 3),
    "guitar": Part("guitar", 24, 43, 79, 3),
    "electric guitar": Part("electric guitar", 27, 43, 79, 3),
    "bass": Part("bass", 33, 28, 55),
    "strings": Part("strings", 40, 55, 88, 2),
    "flute": Part("flute", 73, 60, 93),
    "oboe": Part("oboe", 68, 58, 86),
    "clarinet": Part("clarinet", 71, 52, 88),
    "bassoon": Part("bassoon", 70, 36, 68),
    "saxophone": Part("saxophone", 65, 49, 80),
    "trumpet": Part("trumpet", 56, 55, 82),
    "horn": Part("horn", 60, 41, 72),
    "voice": Part("voice", 53, 48, 76),
}
"""Program 40, the violin, stands for strings: ensembles of strings have no sharp onset."""
ENSEMBLES = (
    ("oboe", "guitar", "bassoon"),
    ("trumpet", "electric guitar", "bass"),
    ("flute", "electric piano", "bass"),
    ("clarinet", "guitar", "bass"),
    ("saxophone", "electric piano", "bassoon"),
)


def main() -> None:
    """Print both tables."""
    fonts = FONTS | {Path(each).stem: Path(each) for each in sys.argv[1:]}
    columns = [f"{font}{more}" for font in fonts for more in ("", ", --monophonic", ", as a piano")]
    print(_row("instrument", *columns))
    print(_row(*["---"] * (1 + 3 * len(fonts))), flush=True)
    for name, part in PARTS.items():
        known = na.dictionaries.instrument_notes(name)
        alone = {"": {}, "monophonic": {"monophonic": True}}
        cells = []
        for font in fonts.values():
            scores = [_scores(font, [part], seed, known, alone) for seed in SEEDS]
            means = np.mean([[each[0] for each in of_seed] for of_seed in scores], axis=0)
            shown = [f"{mean:.3f}" for mean in means]
            cells += shown if part.voices == 1 else [shown[0], "", shown[2]]
        print(_row(name, *cells), flush=True)
    print("\n" + _row("ensemble", *fonts) + "\n" + _row(*["---"] * (1 + len(fonts))), flush=True)
    for names in ENSEMBLES:
        first, *further = map(na.dictionaries.instrument_notes, names)
        known, parts = first.merge(*further), [PARTS[name] for name in names]
        cells = []
        for font in fonts.values():
            scores = [_scores(font, parts, seed, known, {"": {}})[0] for seed in SEEDS]
            pitch, label = np.mean(scores, axis=0)
            cells.append(f"{pitch:.3f}, {label:.3f}")
        print(_row(", ".join(names), *cells), flush=True)


def _scores(
    font: Path,
    parts: Sequence[Part],
    seed: int,
    known: na.NoteDictionary,
    variants: dict[str, dict[str, bool]],
) -> list[tuple[float, float]]:
    """F of onsets, and of onsets with their instrument, of each variant and of the piano."""
    y, notes = ensemble(font, parts, SECONDS, seed)
    transcribers = [na.Transcriber(known, **settings) for settings in variants.values()]
    if len(parts) == 1:
        transcribers.append(na.Transcriber())
    return [_f_measures(notes, transcriber(y, SR).notes) for transcriber in transcribers]


def _f_measures(notes: Sequence[na.Note], found: Sequence[na.Note]) -> tuple[float, float]:
    merged = na.evaluate_transcription(
        [replace(note, track="") for note in notes], [replace(note, track="") for note in found]
    )
    hits = 0.0
    for label in {note.track for note in notes}:
        true, estimated = (
            [note for note in each if note.track == label] for each in (notes, found)
        )
        recall = na.evaluate_transcription(true, estimated).measures["onset_r"] if estimated else 0
        hits += recall * len(true)
    return merged.measures["onset_f"], 2 * hits / (len(notes) + len(found))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
