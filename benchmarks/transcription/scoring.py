"""Thresholds chosen on the other fold, scores of the notes they give, and tables of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import nmfaudio as na
from benchmarks.transcription.cases import DRUMS, Case, Piece
from benchmarks.transcription.systems import Recognise, System
from benchmarks.transcription.tries import Tries, timed
from nmfaudio.symbolic.note import Note

Row = dict[str, Any]
MEASURES = {
    "piano": {
        "onset_f": "onset F",
        "offset_f": "onset, offset F",
        "velocity_f": "onset, velocity F",
        "frame_f": "frame F",
    },
    "drums": {f"{part}_f": f"{part} F" for part in DRUMS},
}


def judge(case: Case, system: System) -> Iterator[Row]:
    """A row for each piece."""
    recognise: Recognise | None = None
    found: dict[str, tuple[Tries, float]] = {}
    for development, test in case.folds():
        if recognise is None or case.task == "drums":  # of which each fold has its own training
            recognise, found = system.prepare(case.instruments, development), {}
        for piece in test:
            if piece.name not in found:
                found[piece.name] = _tried(recognise, piece)
            notes, seconds = found[piece.name]
            threshold = next(iter(notes))
            if len(notes) > 1:
                for other in development:
                    if other.name not in found:
                        found[other.name] = _tried(recognise, other)
                threshold = _best(development, found, case.task)
            yield {
                "task": case.task,
                "case": case.name,
                "system": system.name,
                "piece": piece.name,
                "threshold": threshold,
                "times_real_time": piece.seconds / seconds,
                **_scores(notes[threshold], piece, case.task),
            }


def _tried(recognise: Recognise, piece: Piece) -> tuple[Tries, float]:
    tries = timed(recognise, piece)
    print(".", end="", file=sys.stderr, flush=True)
    return tries


def _best(pieces: Sequence[Piece], found: Mapping[str, tuple[Tries, float]], task: str) -> Any:
    """The threshold that is best on these pieces."""
    measure = "drum_f" if task == "drums" else "onset_f"
    thresholds = list(found[pieces[0].name][0])
    means = [
        np.nanmean([_scores(found[p.name][0][threshold], p, task)[measure] for p in pieces])
        for threshold in thresholds
    ]
    return thresholds[int(np.argmax(means))]


def _scores(notes: Sequence[Note], piece: Piece, task: str) -> dict[str, float]:
    """F of everything; of drums only those that the piece has."""
    if task == "drums":
        there = {n.pitch for n in piece.notes}
        notes = [n for n in notes if n.pitch in there]
    scores = na.evaluate_transcription(list(piece.notes), list(notes), drums=task == "drums")
    return {k: v for k, v in scores.measures.items() if k.endswith("_f")}


def table(rows: Sequence[Row], task: str, measure: str, label: str) -> str:
    """Systems by cases: means over pieces with their bootstrap intervals."""
    rows = [row for row in rows if row["task"] == task]
    cases = list(dict.fromkeys(row["case"] for row in rows))
    lines = [f"| {label} | {' | '.join(cases)} |", "|---" * (len(cases) + 1) + "|"]
    for system in dict.fromkeys(row["system"] for row in rows):
        cells = [
            _cell(
                row.get(measure, np.nan)
                for row in rows
                if (row["system"], row["case"]) == (system, case)
            )
            for case in cases
        ]
        lines.append(f"| {system} | {' | '.join(cells)} |")
    return "\n".join(lines)


def tables(rows: Sequence[Row]) -> Iterator[str]:
    """One for each measure of each task."""
    for task, measures in MEASURES.items():
        if any(row["task"] == task for row in rows):
            for measure, label in measures.items():
                yield table(rows, task, measure, label)
    if any(row["task"] == "drums" for row in rows):
        yield _drum_means(rows)


def _drum_means(rows: Sequence[Row]) -> str:
    """Mean over the drums of their means over tracks."""
    lines = ["| mean of drums | F |", "|---|---|"]
    rows = [row for row in rows if row["task"] == "drums"]
    for system in dict.fromkeys(row["system"] for row in rows):
        mine = [row for row in rows if row["system"] == system]
        means = [np.nanmean([row.get(f"{part}_f", np.nan) for row in mine]) for part in DRUMS]
        lines.append(f"| {system} | {np.mean(means):.3f} |")
    return "\n".join(lines)


def _cell(values: Iterable[float]) -> str:
    mean, low, high = na.metrics.bootstrap(values)
    if np.isnan(mean):
        return ""
    return f"{mean:.3f}" if np.isnan(low) else f"{mean:.3f} ({low:.3f}–{high:.3f})"
