"""Pieces, systems and seeds of an experiment, checked before any work."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Self

from nmfaudio._common.validation import as_choice, as_count
from nmfaudio.datasets.piece import Piece
from nmfaudio.errors import ParameterError
from nmfaudio.experiments.system import MEASURES, System
from nmfaudio.transcription.base import BaseTranscriber


@dataclass(frozen=True)
class Experiment:
    """Systems compared on the same pieces.

    Parameters
    ----------
    pieces : sequence of Piece
        Recordings with notes, as `nmfaudio.load_dataset` finds them, or of `load`.
    systems : mapping of str to System or BaseTranscriber
        Transcribers by name.
    seeds : sequence of int
        Seeds of random initial values; each system transcribes each piece once for each seed.
    measures : sequence of str
        Measures of `TranscriptionScores` that tables show; the first is compared.
    title : str
        Heading of the tables.

    Raises
    ------
    ParameterError
        There are no pieces or no systems, names repeat, a measure is unknown, or a seed is not an
        integer.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import nmfaudio as na
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = na.write(Path(folder, "rest.wav"), [[0.0] * 8000], 8000)
    ...     _ = na.write_notes(Path(folder, "rest.mid"), [na.Note(0.0, 1.0, 60)])
    ...     systems = {"shipped": na.Transcriber(), "bold": na.Transcriber(threshold=0.04)}
    ...     experiment = na.experiments.Experiment(na.load_dataset(folder), systems)
    ...     na.run_experiment(experiment).values("bold", "onset_f")
    {'rest': 0.0}
    """

    pieces: tuple[Piece, ...]
    systems: Mapping[str, System]
    _: KW_ONLY
    seeds: tuple[int, ...] = (0,)
    measures: tuple[str, ...] = ("onset_f", "offset_f", "velocity_f")
    title: str = ""

    def __post_init__(self) -> None:
        systems = {
            name: item if isinstance(item, System) else System(_transcriber(name, item))
            for name, item in self.systems.items()
        }
        values = {
            "pieces": tuple(self.pieces),
            "systems": systems,
            "seeds": tuple(as_count(seed, "a seed", low=0) for seed in self.seeds),
            "measures": tuple(as_choice(name, "a measure", MEASURES) for name in self.measures),
        }
        for name, value in values.items():
            if not value:
                raise ParameterError(f"the experiment has no {name}; give at least one")
            object.__setattr__(self, name, value)
        names = [piece.name for piece in self.pieces]
        for kind, found in (("piece", names), ("seed", self.seeds), ("measure", self.measures)):
            twice = next((each for each in found if list(found).count(each) > 1), None)
            if twice is not None:
                raise ParameterError(f"the {kind} {twice!r} is there twice; remove or rename one")
        tuned = next((name for name, system in systems.items() if system.grid), None)
        if tuned is not None and len(names) < 2:
            raise ParameterError(
                f"the system {tuned!r} chooses settings on other pieces, and there is one piece; "
                "add pieces or remove its grid"
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read an experiment from a TOML file.

        All files that it names are checked: audio is opened, notes are read, dictionaries loaded.

        Parameters
        ----------
        path : str or os.PathLike
            Paths in the file are relative to its folder.

        Returns
        -------
        Experiment

        Raises
        ------
        AudioFileError
            A file cannot be read or is not TOML.
        ParameterError
            The file has an unknown key or an invalid value.
        """
        from nmfaudio.experiments.toml_file import read_experiment

        return cls(**read_experiment(path))


def _transcriber(name: str, item: object) -> BaseTranscriber:
    if not isinstance(item, BaseTranscriber):
        raise ParameterError(
            f"the system {name!r} is a {type(item).__name__}; it must be a transcriber or a System"
        )
    return item
