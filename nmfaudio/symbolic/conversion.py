"""Notes from files, lists, and the objects of other packages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from nmfaudio._common.pitch import hz_to_midi
from nmfaudio.errors import ParameterError
from nmfaudio.symbolic.bends import PitchWheel
from nmfaudio.symbolic.midi import unique_names
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.notes import read_notes

_FULL = 127  # highest MIDI velocity
_FORMS = (
    "notes (na.Note), the path of a MIDI file or table, a PrettyMIDI object, annotations of "
    "mirdata, (intervals, Hz) of mir_eval, or an object with .notes"
)


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


@runtime_checkable
class HasInstruments(Protocol):
    """A `pretty_midi.PrettyMIDI`: instruments with name, program, is_drum and notes."""

    instruments: Sequence[Any]


Notes: TypeAlias = (
    Iterable[Note]
    | str
    | os.PathLike[str]
    | HasNotes
    | NoteData
    | HasInstruments
    | tuple[np.ndarray, np.ndarray]
)
"""All forms in which notes are accepted."""


def as_notes(source: Notes, name: str = "notes") -> list[Note]:
    """Return a list of notes from any of the accepted forms.

    Parameters
    ----------
    source : iterable of Note, path, or object of another package
        A path is read by `read_notes`. Objects are a `pretty_midi.PrettyMIDI`, its instruments or
        notes, ``NoteData`` of mirdata, a pair of intervals in seconds [shape=(note, 2)] and pitches
        in Hz [shape=(note,)] as in mir_eval, or any with an attribute ``notes`` in one of these
        forms.
    name : str
        Name of the argument in error messages.

    Returns
    -------
    list of Note
        Those of files sorted by onset, others in their order. Pitch bends become pitches and
        contours, as in `read_notes`.

    Raises
    ------
    AudioFileError
        A file cannot be read.
    ParameterError
        The source has another type or unknown units, or a value is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> pair = np.array([[0.0, 1.0], [1.0, 2.5]]), np.array([440.0, 880.0])
    >>> [(note.offset, note.pitch) for note in as_notes(pair)]
    [(1.0, 69.0), (2.5, 81.0)]
    """
    if isinstance(source, str | os.PathLike):
        return read_notes(source)
    if isinstance(source, NoteData):
        return _annotated(source, name)
    if isinstance(source, HasInstruments):
        return _of_instruments(source.instruments, name)
    if hasattr(source, "is_drum"):
        return _of_instruments([source], name)
    if isinstance(source, HasNotes):
        return as_notes(source.notes, name)
    if _is_pair(source):
        intervals, hertz = source
        return _of_pair(intervals, hertz, name)
    if not isinstance(source, Iterable):
        raise ParameterError(f"{name} is a {type(source).__name__}; it must be {_FORMS}")
    return [_as_note(note, name) for note in source]


def _as_note(note: Any, name: str, **labels: Any) -> Note:
    """Note itself, or one of pretty_midi."""
    if isinstance(note, Note):
        return note
    if all(hasattr(note, field) for field in ("start", "end", "pitch", "velocity")):
        return Note(note.start, note.end, note.pitch, note.velocity / _FULL, **labels)
    raise ParameterError(f"{name} has a {type(note).__name__}; it must be {_FORMS}")


def _of_instruments(instruments: Sequence[Any], name: str) -> list[Note]:
    """Notes of a PrettyMIDI; the tracks are named as those of MIDI files."""
    notes: list[Note] = []
    names = unique_names([instrument.name.strip() for instrument in instruments])
    for instrument, track in zip(instruments, names, strict=True):
        channel = DRUM_CHANNEL if instrument.is_drum else 0
        labels = {"track": track, "program": instrument.program, "channel": channel}
        own = [_as_note(note, name, **labels) for note in instrument.notes]
        notes += own if instrument.is_drum else _bent(own, instrument)
    return sorted(notes, key=lambda note: (note.onset, note.pitch))


def _bent(notes: list[Note], instrument: Any) -> list[Note]:
    """Notes with the pitch bends of a PrettyMIDI instrument, if it has any."""
    bends = [(bend.time, False, bend) for bend in getattr(instrument, "pitch_bends", ())]
    if not bends:
        return notes
    controls = [(change.time, True, change) for change in instrument.control_changes]
    wheel = PitchWheel()
    # The range is set before the bends of its time.
    for time, is_control, event in sorted(bends + controls, key=lambda e: (e[0], not e[1])):
        if is_control:
            wheel.control(event.number, event.value)
        else:
            wheel.turn(time, event.pitch)
    pitches = [wheel.pitch(int(note.pitch), note.onset, note.offset) for note in notes]
    return [
        replace(note, pitch=pitch, contour=contour)
        for note, (pitch, contour) in zip(notes, pitches, strict=True)
    ]


def _is_pair(source: Any) -> bool:
    """Return whether this is (intervals, pitches) and not two notes."""
    is_pair = isinstance(source, tuple | list) and len(source) == 2
    return is_pair and all(isinstance(part, np.ndarray | list) for part in source)


def _of_pair(intervals: Any, hertz: Any, name: str) -> list[Note]:
    spans, pitches = np.asarray(intervals, np.float64), np.asarray(hertz, np.float64)
    if spans.shape != (pitches.size, 2) or not (pitches > 0).all():
        raise ParameterError(
            f"{name} has arrays of shapes {spans.shape} and {pitches.shape}; intervals in seconds "
            "must be (note, 2), and pitches in Hz (note,) and above 0"
        )
    return [Note(*row) for row in np.column_stack([spans, hz_to_midi(pitches)]).tolist()]


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
