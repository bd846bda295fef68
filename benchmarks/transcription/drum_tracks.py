"""F of each drum on each track: ``python -m benchmarks.transcription.drum_tracks DIR``.

DIR has recordings of drums with tables of hits, as described at the top of `cases`. The bundled kit
has not learned from them, so every track is one that it does not know. With the folder
``annotations/subclass`` of MDB Drums, closed and open hi-hats are scored instead.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import nmfaudio as na
from benchmarks.transcription.cases import load_cases
from benchmarks.transcription.sound import SR
from nmfaudio.symbolic.names import KINDS_OF_PARTS, drum_pitch

_SCORED = ("kick", "snare", "hihat")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.transcription.drum_tracks",
        description="Print the onset F (50 ms) of each drum on each track as a table in Markdown.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument(
        "--parts",
        default=",".join(_SCORED),
        metavar="NAMES",
        help="drums to transcribe and to score, separated by commas (default: %(default)s)",
    )
    parser.add_argument(
        "--subclasses",
        type=Path,
        metavar="DIR",
        help="score closed_hihat and open_hihat by the tables of MDB Drums in this folder",
    )
    chosen = parser.parse_args()
    parts = tuple(chosen.parts.split(","))
    if chosen.subclasses is not None:
        parts = KINDS_OF_PARTS["hihat"]
    transcriber = na.DrumTranscriber(parts=parts)
    print(f"| track | {' | '.join(parts)} | mean |\n|---|{'---|' * (len(parts) + 1)}")
    rows = []
    for case in load_cases(chosen.folder, lambda piano: False):
        for piece in case.pieces if case.task == "drums" else ():
            keys = {drum_pitch(part) for part in parts}
            true = [note for note in (*piece.notes, *piece.unscored) if note.pitch in keys]
            if chosen.subclasses is not None:
                true = _hihats(chosen.subclasses / f"MusicDelta_{piece.name}_subclass.txt")
            found = transcriber.transcribe(piece.y, SR).notes
            rows.append([_f_measure(true, found, drum_pitch(part)) for part in parts])
            print(_row(piece.name, rows[-1]))
    print(_row("mean", [_mean(column) for column in zip(*rows, strict=True)]))
    print(f"\nmean over all drums of all tracks: {_mean([x for row in rows for x in row]):.3f}")


def _f_measure(true: Sequence[na.Note], found: Sequence[na.Note], key: int) -> float:
    """Onset F of one drum, NaN where it is neither played nor found."""
    of_key = [[note for note in notes if note.pitch == key] for notes in (true, found)]
    drums = na.evaluate_transcription(*of_key, drums=True).drums
    return next(iter(drums.values()))[2] if drums else math.nan


def _hihats(path: Path) -> list[na.Note]:
    """Read the closed and open hi-hats of a table of MDB Drums, pedalled ones as closed."""
    keys = {"CHH": 42, "PHH": 42, "OHH": 46}
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    return [na.Note(float(t), float(t) + 0.1, keys[k], channel=9) for t, k in rows if k in keys]


def _row(name: str, figures: list[float]) -> str:
    cells = ["" if math.isnan(x) else f"{x:.3f}" for x in (*figures, _mean(figures))]
    return f"| {name} | {' | '.join(cells)} |"


def _mean(figures: list[float]) -> float:
    known = [x for x in figures if not math.isnan(x)]
    return sum(known) / len(known) if known else math.nan


if __name__ == "__main__":
    main()
