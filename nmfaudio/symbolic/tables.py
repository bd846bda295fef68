"""Notes as CSV tables; `nmfaudio.symbolic.notes` reads and writes the files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any, Literal

from nmfaudio.errors import AudioFileError, ParameterError
from nmfaudio.symbolic.note import Note

Dialect = Literal["nmfaudio", "basic-pitch"]

COLUMNS = ("start_time_s", "end_time_s", "pitch_midi", "velocity", "track", "program", "channel")
_REQUIRED = COLUMNS[:3]  # the others have the defaults of `Note`
_BASIC_PITCH_COLUMNS = (*COLUMNS[:4], "pitch_bend")
_FULL_VELOCITY = 127


def encode_table(notes: Iterable[Note], dialect: Dialect = "nmfaudio") -> str:
    """Write notes as the text of a CSV table.

    Parameters
    ----------
    notes : iterable of Note
    dialect : {"nmfaudio", "basic-pitch"}
        ``"nmfaudio"`` keeps every field exactly. ``"basic-pitch"`` has the columns
        ``start_time_s,end_time_s,pitch_midi,velocity,pitch_bend``, integer velocities from 0 to
        127, and an empty pitch bend.

    Returns
    -------
    str

    Examples
    --------
    >>> print(encode_table([Note(0.5, 1.0, 69, velocity=1.0)], "basic-pitch"), end="")
    start_time_s,end_time_s,pitch_midi,velocity,pitch_bend
    0.5,1.0,69,127,
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    exact = dialect == "nmfaudio"
    rows.writerow(COLUMNS if exact else _BASIC_PITCH_COLUMNS)
    rows.writerows(map(_exact_row if exact else _basic_pitch_row, notes))
    return text.getvalue()


def decode_table(content: bytes, label: str) -> list[Note]:
    """Read notes from a table of either dialect.

    Parameters
    ----------
    content : bytes
        CSV in UTF-8 with a header; columns in any order, unknown ones are ignored.
    label : str
        Name of the file in messages.

    Returns
    -------
    list of Note
        In the order of the rows.

    Raises
    ------
    AudioFileError
        The content is not such a table.
    """
    rows = iter(csv_rows(content, f"{label}: is neither MIDI nor a CSV file in UTF-8"))
    header = [name.strip() for name in next(rows, (0, []))[1]]
    if not set(_REQUIRED) <= set(header):
        raise AudioFileError(
            f"{label}: is neither MIDI nor a table of notes; need a CSV file that begins with "
            f"{','.join(_REQUIRED)}"
        )
    entries = [(line, dict(zip(header, row, strict=False))) for line, row in rows if any(row)]
    # Transcribers that write pitch bends count velocities up to 127, soft ones included.
    midi_scale = "pitch_bend" in header or any(
        _exceeds_one(row.get("velocity", "")) for _, row in entries
    )
    full = _FULL_VELOCITY if midi_scale else 1
    notes = []
    for line, row in entries:
        try:
            notes.append(_note_of_row(row, full))
        except (ValueError, KeyError) as error:
            reason = str(error) if isinstance(error, ParameterError) else "a number is missing"
            raise AudioFileError(f"{label}: line {line}: {reason}; correct it") from None
    return notes


def csv_rows(content: bytes, refusal: str) -> list[tuple[int, list[str]]]:
    """Line number and cells of each row of a CSV file; raises `AudioFileError` with `refusal`."""
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        return [(rows.line_num, row) for row in rows]
    except (UnicodeDecodeError, csv.Error):
        raise AudioFileError(refusal) from None


def _exact_row(note: Note) -> tuple[Any, ...]:
    numbers = (note.onset, note.offset, note.pitch, note.velocity)
    return (*map(_exact, numbers), note.track, note.program, note.channel)


def _basic_pitch_row(note: Note) -> tuple[Any, ...]:
    velocity = round(_FULL_VELOCITY * note.velocity)
    return (_exact(float(note.onset)), _exact(float(note.offset)), f"{note.pitch:g}", velocity, "")


def _exact(number: float) -> str:
    """Shortest text that reads back as the same number; NumPy scalars look like Python's."""
    return repr(number if isinstance(number, int) else float(number))


def _exceeds_one(text: str) -> bool:
    try:
        return float(text) > 1
    except ValueError:  # reported with its line number when the row is read
        return False


def _note_of_row(row: dict[str, str], full: int) -> Note:
    optional: dict[str, Any] = {"track": row.get("track", "")}
    if "velocity" in row:
        optional["velocity"] = float(row["velocity"]) / full
    optional |= {name: int(row[name]) for name in ("program", "channel") if name in row}
    onset, offset, pitch = (float(row[name]) for name in _REQUIRED)
    return Note(onset, offset, pitch, **optional)
