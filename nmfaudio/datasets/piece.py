"""Recording of a data set with its notes, which are read when they are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nmfaudio.symbolic.note import Note


@dataclass(frozen=True)
class Piece:
    """Recording with notes.

    It is accepted wherever notes are. `nmfaudio.Transcriber.tune` takes
    ``((piece.audio, piece.notes) for piece in pieces)``.

    Parameters
    ----------
    name : str
        Name, unique in its data set.
    recordings : dict of str to Path
        Audio files by what was recorded, the usual one first.
    annotations : tuple of Path
        Files with the notes.
    split : str
        Part of the data set, such as ``"train"`` or ``"test"``; empty if it has none.
    reader : callable
        Function that reads the notes of the annotations.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import nmfaudio as na
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = na.write(Path(folder, "waltz.wav"), [[0.0, 0.1]], 8000)
    ...     _ = na.write_notes(Path(folder, "waltz.mid"), [na.Note(0.0, 1.0, 60)])
    ...     (piece,) = na.load_dataset(folder)
    ...     piece.name, piece.audio.name, len(piece.notes)
    ('waltz', 'waltz.wav', 1)
    """

    name: str
    recordings: dict[str, Path]
    annotations: tuple[Path, ...]
    split: str
    reader: Callable[[tuple[Path, ...]], list[Note]] = field(repr=False)

    @property
    def audio(self) -> Path:
        """First of the recordings."""
        return next(iter(self.recordings.values()))

    @property
    def notes(self) -> list[Note]:
        """Notes sorted by onset, read from the annotations."""
        return sorted(self.reader(self.annotations), key=lambda note: (note.onset, note.pitch))
