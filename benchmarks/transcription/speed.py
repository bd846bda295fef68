"""Run time of the transcription of 30 s of piano."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.transcription.cases import Case, Piece
from benchmarks.transcription.sound import SR
from benchmarks.transcription.systems import System
from benchmarks.transcription.tries import timed

_SECONDS = 30


def speed_table(cases: Sequence[Case], systems: Sequence[System], rounds: int) -> str:
    """Table of seconds and multiples of real time, medians of alternating rounds after a warm-up.

    The audio is that of the first piano case, with templates of its first instrument: three for
    each of 88 notes, for systems that have templates.
    """
    case = next((case for case in cases if case.task == "piano"), None)
    if case is None:
        raise SystemExit("no piano case to time; choose cases with a piano")
    y = np.resize(np.concatenate([piece.y for piece in case.pieces]), _SECONDS * SR)
    piece = Piece("30 s", y, ())
    prepared = {
        system.name: system.prepare(case.instruments[:1], ())
        for system in systems
        if system.task == "piano"
    }
    seconds: dict[str, list[float]] = {name: [] for name in prepared}
    for _ in range(rounds + 1):
        for name, recognise in prepared.items():
            seconds[name].append(timed(recognise, piece).seconds)
    lines = ["| 30 s of piano | s | × real time |", "|---|---|---|"]
    for name, taken in seconds.items():
        median = float(np.median(taken[1:]))
        lines.append(f"| {name} | {median:.2f} | {_SECONDS / median:.1f} |")
    return "\n".join(lines)
