"""Every system that is measured: from what may be learned to what recognises notes.

`prepare` takes instruments, whose isolated notes may be learned, and pieces, whose notes are known;
what it gives takes a piece (its sound only) to its notes for each threshold that is worth a try.
A new one is a function in `peers` or `ours` and one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from benchmarks.transcription import ours, peers
from benchmarks.transcription.cases import Piece
from benchmarks.transcription.sound import Instrument
from nmfaudio.notes import Note

Recognise: TypeAlias = Callable[[Piece], Mapping[Any, Sequence[Note]]]


class System(NamedTuple):
    """What makes notes of pieces, and for which task."""

    prepare: Callable[[Sequence[Instrument], Sequence[Piece]], Recognise]
    task: str = "piano"


_ALL = {
    "scikit-learn NMF": System(peers.sklearn_piano),
    "basic-pitch": System(peers.basic_pitch),
    "scikit-learn NMF, drums": System(peers.sklearn_drums, "drums"),
    **{name: System(prepare) for name, prepare in ours.PIANO.items()},
    **{name: System(prepare, "drums") for name, prepare in ours.DRUMS.items()},
}
SYSTEMS = {
    name: system
    for name, system in _ALL.items()
    if name != "basic-pitch" or peers.has_basic_pitch()
}
