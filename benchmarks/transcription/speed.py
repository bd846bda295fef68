"""How fast 30 s of piano become notes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.transcription.cases import Case, Piece
from benchmarks.transcription.sound import SR
from benchmarks.transcription.systems import System
from benchmarks.transcription.tries import timed

_SECONDS = 30


def speed_table(cases: Sequence[Case], systems: Sequence[System], rounds: int) -> str:
    """Times real time, median of rounds in turn, of which the first is not counted.

    The sound is the first case's for piano, the templates those of its first instrument: three for
    each of 88 notes, where a system has them.
    """
    case = next((case for case in cases if case.task == "piano"), None)
    if case is None:
        raise SystemExit("there is no piano among the cases, so nothing to time")
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
            seconds[name].append(timed(recognise, piece)[1])
    lines = ["| 30 s of piano | s | × real time |", "|---|---|---|"]
    for name, taken in seconds.items():
        median = float(np.median(taken[1:]))
        lines.append(f"| {name} | {median:.2f} | {_SECONDS / median:.1f} |")
    return "\n".join(lines)
