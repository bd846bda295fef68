"""Command line of the score benchmark: ``python -m benchmarks.scores FOLDER``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import mir_eval
import numpy as np

import nmfaudio as na
from benchmarks.scores.material import Performance, Piece, perform, pieces
from nmfaudio.symbolic.quantisation import fit_grid, places_of

_LEVELS = (1, 2, 1 / 2, 3, 1 / 3, 3 / 2, 2 / 3)
_PIANO = ("k545", "clara/polonaise", "joplin", "chopin")  # works for two staves of a piano
_CLOSE = 0.04  # of the tempo
_PERFORMANCES = 3  # of each score: figures of one differ by up to 0.15


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scores",
        description="Measure beats, bars, key, spelling, hands and grids on performances simulated "
        "from the scores of music21, and print a table in Markdown. Settings were chosen on every "
        "other score by name, beginning with the first: the others are held out.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="keeps the scores once read")
    parser.add_argument("--seed", type=int, default=5, metavar="N", help="of the performances")
    chosen = parser.parse_args()
    found = sorted(pieces(chosen.folder), key=lambda piece: piece.name.replace("/", "_"))
    halves = {"chosen on": found[::2], "held out": found[1::2]}
    columns = {
        f"{half}, {kind}": _means(half_pieces, chosen.seed, kind)
        for half, half_pieces in halves.items()
        for kind in ("usual", "uniform")
    }
    print("| measure |", " | ".join(f"{name} tempi" for name in columns), "|")
    print("|---" * (len(columns) + 1) + "|")
    for measure in next(iter(columns.values())):
        values = [f"{column[measure]:.3f}" for column in columns.values()]
        print(f"| {measure} |", " | ".join(values), "|")
    for name, value in _swing(found, chosen.seed):
        print(f"{name}: {value:.3f}")


def _means(chosen: list[Piece], seed: int, tempi: str) -> dict[str, float]:
    """Mean of each measure over all performances that have it."""
    rows = [
        _measures(perform(piece, seed + 100 * k + i, tempi=tempi))
        for k in range(_PERFORMANCES)
        for i, piece in enumerate(chosen)
    ]
    return {
        name: float(np.mean([row[name] for row in rows if name in row]))
        for name in dict.fromkeys(name for row in rows for name in row)
    }


def _measures(performance: Performance) -> dict[str, float]:
    piece, notes = performance.piece, performance.notes
    found = na.symbolic.track_beats(notes)
    true = na.symbolic.Beats(
        performance.beats,
        per_bar=round(piece.bar / piece.beat),
        first_downbeat=int(np.abs(performance.beats - performance.downbeats[0]).argmin()),
        compound=piece.denominator == 8,
    )
    hinted = na.symbolic.track_beats(notes, tempo=float(np.clip(1.1 * true.tempo, 40, 214)))
    key = na.symbolic.find_key(notes)
    names = na.symbolic.spell([int(note.pitch) for note in notes], key.sharps)
    written = [(i, note) for i, note in enumerate(performance.written) if note is not None]
    spelled = [(names[i].step, names[i].alter) == (n.step, n.alter) for i, n in written]
    ratio = found.tempo / true.tempo
    row = {
        "beats, F": mir_eval.beat.f_measure(true.times, found.times),
        "tempo within 4 %": float(abs(ratio - 1) < _CLOSE),
        "tempo or its 1/3 to 3 fold": float(min(abs(ratio * k - 1) for k in _LEVELS) < _CLOSE),
        "beats with a tempo 10 % off, F": mir_eval.beat.f_measure(true.times, hinted.times),
        "tempo with a tempo 10 % off": float(abs(hinted.tempo / true.tempo - 1) < _CLOSE),
        "downbeats, F": mir_eval.beat.f_measure(performance.downbeats, found.downbeats),
        "beats of a bar, true beats tracked": float(hinted.per_bar == true.per_bar),
        "key signature": float((key.sharps - piece.sharps) % 12 == 0),
        "pitches spelled right": float(np.mean(spelled)),
        "onsets on the right place, true beats": _placed(performance, true),
    }
    if piece.parts == 2 and any(name in piece.name for name in _PIANO):
        hands = na.symbolic.split_hands(notes)
        row["hands"] = float(np.mean([hands[i] == n.part for i, n in written]))
        middle = [int(notes[i].pitch < 60) == n.part for i, n in written]
        row["hands divided at middle C"] = float(np.mean(middle))
    return row


def _placed(performance: Performance, beats: na.symbolic.Beats) -> float:
    """Share of the notes whose place on the grid is that of the score."""
    grid = fit_grid(performance.notes, beats, "1/16", swing=0.5)
    places = places_of(performance.notes, grid)
    right = [
        performance.origin + place * performance.piece.beat == note.onset
        for (place, _), note in zip(places, performance.written, strict=True)
        if note is not None
    ]
    return float(np.mean(right))


def _in_eighths(piece: Piece) -> bool:
    """True if nearly all beats that are divided have one stroke amid them."""
    places = {(note.onset - piece.pickup) / piece.beat for note in piece.notes}
    inner: dict[int, set[Fraction]] = {}
    for place in places:
        if place % 1:
            inner.setdefault(place // 1, set()).add(place % 1)
    halves = [phases == {Fraction(1, 2)} for phases in inner.values()]
    return len(halves) >= 12 and float(np.mean(halves)) > 0.75


def _swing(found: list[Piece], seed: int) -> Iterator[tuple[str, float]]:
    """Share of performances whose swing is found, and of straight ones where none is found."""
    simple = [p for p in found if p.denominator == 4 and _in_eighths(p)]
    for place in (0.5, 0.6, 2 / 3):
        hits = []
        for i, piece in enumerate(simple):
            performance = perform(piece, seed + i, swing=place)
            grid = fit_grid(performance.notes, na.symbolic.Beats(performance.beats))
            hits.append(abs(grid.swing - place) < 0.03)
        yield f"swing {place:.2f} of {len(hits)} found within 0.03", float(np.mean(hits))


if __name__ == "__main__":
    main()
