"""Notes from lists, files and annotations of mirdata."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from nmfaudio._common.pitch import hz_to_midi
from nmfaudio.errors import ParameterError
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.notes import read_notes

_FULL = 127  # highest MIDI velocity


@runtime_checkable
class HasNotes(Protocol):
    """Object with notes, such as a transcription or a track of mirdata."""

    @property
    def notes(self) -> Any:
        """Notes, in any form that `as_notes` accepts."""


@runtime_checkable
class NoteData(Protocol):
    """Annotated notes of mirdata."""

    intervals: np.ndarray
    interval_unit: str
    pitches: np.ndarray
    pitch_unit: str
    confidence: np.ndarray | None
    confidence_unit: str | None


Notes: TypeAlias = Sequence[Note] | str | os.PathLike[str] | HasNotes | NoteData


def as_notes(source: Notes, name: str) -> list[Note]:
    """Return a list of notes from any of the accepted forms.

    Parameters
    ----------
    source : sequence of Note, path, NoteData, or object with a ``notes`` attribute
    name : str
        Name of the argument in error messages.

    Returns
    -------
    list of Note

    Raises
    ------
    AudioFileError
        A file cannot be read.
    ParameterError
        The source has another type or unknown units.
    """
    if isinstance(source, str | os.PathLike):
        return read_notes(source)
    if isinstance(source, NoteData):
        return _annotated(source, name)
    if isinstance(source, HasNotes):
        return as_notes(source.notes, name)
    notes = list(source) if isinstance(source, Iterable) else [source]
    for note in notes:
        if not isinstance(note, Note):
            raise ParameterError(
                f"{name} has a {type(note).__name__}; it must be notes (na.Note), the path of a "
                "MIDI file or table, annotations of mirdata, or an object with .notes"
            )
    return notes


def _annotated(data: NoteData, name: str) -> list[Note]:
    """Notes from annotations; confidences other than velocities are ignored."""
    if data.interval_unit != "s" or data.pitch_unit not in ("midi", "hz"):
        raise ParameterError(
            f"{name} is in units of {data.interval_unit} and {data.pitch_unit}; it must be in s, "
            "and midi or hz"
        )
    pitches = np.asarray(data.pitches, np.float64)
    if data.pitch_unit == "hz":
        pitches = hz_to_midi(pitches)
    columns = [np.asarray(data.intervals, np.float64), pitches]
    if data.confidence is not None and data.confidence_unit == "velocity":
        columns.append(np.asarray(data.confidence, np.float64) / _FULL)
    return [Note(*row) for row in np.column_stack(columns).tolist()]
