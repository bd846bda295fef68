"""What a system makes of a piece with each setting that is worth a try."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from benchmarks.transcription.cases import Piece
from nmfaudio.symbolic.note import Note


class Tries(Mapping[Hashable, Sequence[Note]]):
    """The notes for each setting, found when they are first asked for."""

    def __init__(self, settings: Iterable[Hashable], find: Callable[..., Sequence[Note]]) -> None:
        self._settings, self._find = tuple(settings), find
        self._found: dict[Hashable, Sequence[Note]] = {}

    def __getitem__(self, setting: Hashable) -> Sequence[Note]:
        if setting not in self._found:
            self._found[setting] = self._find(setting)
        return self._found[setting]

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._settings)

    def __len__(self) -> int:
        return len(self._settings)

    @property
    def middle(self) -> Hashable:
        """A setting that is neither the lowest nor the highest."""
        return self._settings[len(self._settings) // 2]


def timed(recognise: Callable[[Piece], Tries], piece: Piece) -> tuple[Tries, float]:
    """What there is to try, and the seconds from the sound to the notes of one setting."""
    began = time.perf_counter()
    tries = recognise(piece)
    tries[tries.middle]
    return tries, time.perf_counter() - began
