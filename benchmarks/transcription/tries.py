"""Notes of a piece for each candidate setting of a system."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

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


def timed(recognise: Callable[[Piece], Tries], piece: Piece) -> tuple[Tries, float]:
    """Return the notes by setting, and the seconds from audio to the notes of one setting."""
    began = time.perf_counter()
    tries = recognise(piece)
    tries[tries.middle]
    return tries, time.perf_counter() - began
