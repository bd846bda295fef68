"""Notes of a piece for each candidate setting of a system."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from benchmarks.transcription.cases import Piece
from nmfaudio.symbolic.note import Note


class Tries(Mapping[Hashable, Sequence[Note]]):
    """Notes by setting, computed on first access."""

    def __init__(self, settings: Iterable[Hashable], find: Callable[..., Sequence[Note]]) -> None:
        self._settings, self._find = tuple(settings), find
        self._notes: dict[Hashable, Sequence[Note]] = {}

    def __getitem__(self, setting: Hashable) -> Sequence[Note]:
        if setting not in self._notes:
            self._notes[setting] = self._find(setting)
        return self._notes[setting]

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._settings)

    def __len__(self) -> int:
        return len(self._settings)

    @property
    def middle(self) -> Hashable:
        """Setting in the middle of the candidates."""
        return self._settings[len(self._settings) // 2]


class Timed(NamedTuple):
    """Notes of a piece with the time that they took."""

    tries: Tries
    seconds: float
    cpu_seconds: float
    """Of all threads of the process."""


def timed(recognise: Callable[[Piece], Tries], piece: Piece) -> Timed:
    """Return the notes by setting, and the time from audio to the notes of one setting."""
    began, began_cpu = time.perf_counter(), time.process_time()
    tries = recognise(piece)
    tries[tries.middle]
    return Timed(tries, time.perf_counter() - began, time.process_time() - began_cpu)
