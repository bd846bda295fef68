"""Measured systems: functions that learn from examples and return a recogniser of notes.

`prepare` takes instruments, whose isolated notes may be learned, and pieces with their notes. It
returns a function that maps a piece (its audio only) to notes for each candidate threshold. A new
system is a function in `peers`, `ours` or a file of its own, and one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from benchmarks.transcription import ours, peers
from benchmarks.transcription.cases import Piece
from benchmarks.transcription.sound import Instrument
from benchmarks.transcription.transkun import has_transkun, transkun
from benchmarks.transcription.tries import Tries

Recognise: TypeAlias = Callable[[Piece], Tries]


class System(NamedTuple):
    """System that transcribes the pieces of a task."""

    name: str
    task: str
    prepare: Callable[[Sequence[Instrument], Sequence[Piece]], Recognise]


SYSTEMS = [
    System("scikit-learn NMF", "piano", peers.sklearn_piano),
    *([System("basic-pitch", "piano", peers.basic_pitch)] if peers.has_basic_pitch() else []),
    *([System("Transkun", "piano", transkun)] if has_transkun() else []),
    System("scikit-learn NMF", "drums", peers.sklearn_drums),
    *(System(name, "piano", prepare) for name, prepare in ours.PIANO.items()),
    *(System(name, "drums", prepare) for name, prepare in ours.DRUMS.items()),
]
