"""Scores of transcriptions with thresholds chosen on the other fold, and tables of scores."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import nmfaudio as na
from benchmarks.transcription.cases import DRUM_PITCHES, Case, Piece
from benchmarks.transcription.systems import Recognise, System
from benchmarks.transcription.tries import Timed, timed
from nmfaudio.symbolic.note import Note

Row = dict[str, Any]
MEASURES = {
    "piano": {
        "onset_f": "onset F",
        "offset_f": "onset, offset F",
        "velocity_f": "onset, velocity F",
        "frame_f": "frame F",
    },
    "drums": {f"{part}_f": f"{part} F" for part in DRUM_PITCHES} | {"drum_f": "mean of drums F"},
}


def judge(case: Case, system: System) -> Iterator[Row]:
    """Yield one row per piece."""
    recognise: Recognise | None = None
    results: dict[str, Timed] = {}
    for development, test in case.folds():
        if recognise is None or case.task == "drums":  # drums train on each fold
            recognise, results = system.prepare(case.instruments, development), {}
        for piece in test:
            if piece.name not in results:
                results[piece.name] = _tried(recognise, piece)
            notes, seconds, cpu_seconds = results[piece.name]
            threshold = next(iter(notes))
            if len(notes) > 1:
                for tuning_piece in development:
                    if tuning_piece.name not in results:
                        results[tuning_piece.name] = _tried(recognise, tuning_piece)
                threshold = _best(development, results, case.task)
            yield {
                "task": case.task,
                "case": case.name,
                "system": system.name,
                "piece": piece.name,
                "threshold": threshold,
                "times_real_time": piece.seconds / seconds,
                "cpu_seconds": 30 * cpu_seconds / piece.seconds,
                **_scores(notes[threshold], piece, case.task),
            }


def _tried(recognise: Recognise, piece: Piece) -> Timed:
    """Transcribe a piece with progress on stderr."""
    result = timed(recognise, piece)
    print(".", end="", file=sys.stderr, flush=True)
    return result


def _best(pieces: Sequence[Piece], results: Mapping[str, Timed], task: str) -> Any:
    """Threshold with the highest mean F on these pieces."""
    measure = "drum_f" if task == "drums" else "onset_f"
    thresholds = list(results[pieces[0].name].tries)
    means = [
        np.nanmean([_scores(results[p.name].tries[threshold], p, task)[measure] for p in pieces])
        for threshold in thresholds
    ]
    return thresholds[int(np.argmax(means))]


def _scores(notes: Sequence[Note], piece: Piece, task: str) -> dict[str, float]:
    """All F-measures; those of drums by the rule of `na.evaluate_transcription`.

    A drum counts on each track where the reference or the transcription has it: one that is
    detected but never played has an F of 0.
    """
    scores = na.evaluate_transcription(list(piece.notes), list(notes), drums=task == "drums")
    return {k: v for k, v in scores.measures.items() if k.endswith("_f")}


def table(rows: Sequence[Row], task: str, measure: str, label: str, form: str = "{:.3f}") -> str:
    """Table of systems by cases: means over pieces with their bootstrap intervals."""
    rows = [row for row in rows if row["task"] == task]
    cases = list(dict.fromkeys(row["case"] for row in rows))
    lines = [f"| {label} | {' | '.join(cases)} |", "|---" * (len(cases) + 1) + "|"]
    for system in dict.fromkeys(row["system"] for row in rows):
        cells = [
            _cell(
                (
                    row.get(measure, np.nan)
                    for row in rows
                    if (row["system"], row["case"]) == (system, case)
                ),
                form,
            )
            for case in cases
        ]
        lines.append(f"| {system} | {' | '.join(cells)} |")
    return "\n".join(lines)


def tables(rows: Sequence[Row]) -> Iterator[str]:
    """Yield one table per measure of each task."""
    for task, measures in MEASURES.items():
        if any(row["task"] == task for row in rows):
            for measure, label in measures.items():
                yield table(rows, task, measure, label)
            yield table(rows, task, "cpu_seconds", "CPU seconds per 30 s", "{:.1f}")


def _cell(values: Iterable[float], form: str) -> str:
    """Mean with its bootstrap interval."""
    mean, low, high = na.metrics.bootstrap(values)
    if np.isnan(mean):
        return ""
    shown, *bounds = (form.format(x) for x in (mean, low, high))
    return shown if np.isnan(low) else f"{shown} ({'–'.join(bounds)})"
