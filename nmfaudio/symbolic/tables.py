"""Notes as CSV tables; `nmfaudio.symbolic.notes` reads and writes the files."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from typing import Any

from nmfaudio._common.validation import shown
from nmfaudio.errors import AudioFileError, ParameterError
from nmfaudio.symbolic.names import DRUM_PARTS, drum_note, part_named
from nmfaudio.symbolic.note import Note

COLUMNS = ("start_time_s", "end_time_s", "pitch_midi", "velocity", "track", "program", "channel")
CONTOUR = "contour_semitones"
"""Column of contours: pairs of seconds after the onset and semitones above the pitch."""
_FOREIGN = "pitch_bend"  # column of basic-pitch, which goes on in all further cells of a row
_PER_SEMITONE = 3  # its unit: thirds of a semitone, evenly spaced in time
_REQUIRED = COLUMNS[:3]  # the others have the defaults of `Note`
_FULL_VELOCITY = 127

Rows = list[tuple[int, list[str]]]  # line number and cells


def encode_table(notes: Iterable[Note]) -> str:
    """Write notes as the text of a CSV table, which keeps every field exactly.

    Parameters
    ----------
    notes : iterable of Note
        If one has a contour, there is a column of contours, such as ``0:-0.5 0.25:0``: seconds
        after the onset and semitones above the pitch.

    Returns
    -------
    str

    Examples
    --------
    >>> print(encode_table([Note(0.5, 1.0, 69, velocity=1.0)]), end="")
    start_time_s,end_time_s,pitch_midi,velocity,track,program,channel
    0.5,1.0,69,1.0,,0,0
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    notes = list(notes)
    has_contours = any(note.contour for note in notes)
    rows.writerow([*COLUMNS, *([CONTOUR] if has_contours else [])])
    for note in notes:
        rows.writerow([*_row_of(note), *([_contour_text(note)] if has_contours else [])])
    return text.getvalue()


def decode_table(content: bytes, label: str) -> list[Note]:
    """Read notes from a table of notes, or of the hits of drums.

    Parameters
    ----------
    content : bytes
        CSV in UTF-8. Notes: a header, and columns in any order, of which unknown ones are ignored.
        Hits: rows of seconds and part, with an optional header.
    label : str
        Name of the file in messages.

    Returns
    -------
    list of Note
        In the order of the rows. Hits are on the channel of drums.

    Raises
    ------
    AudioFileError
        The content is not such a table.

    Examples
    --------
    >>> [(note.onset, note.pitch, note.channel) for note in decode_table(b"0.5,KD\\n", "hits.csv")]
    [(0.5, 36, 9)]
    """
    refusal = f"{label}: is neither MIDI nor a table of notes"
    rows = [(n, row) for n, row in _rows(content, f"{refusal} in UTF-8") if any(row)]
    header = [name.strip() for name in rows[0][1]] if rows else []
    if set(_REQUIRED) <= set(header):
        return _notes(header, rows[1:], label)
    if rows and _is_hit(rows[0][1]):
        return _hits(rows, label)
    if len(rows) > 1 and _is_hit(rows[1][1]):
        if not math.isnan(_number(header[0])):  # a damaged hit is no header
            raise AudioFileError(f"{label}: line {rows[0][0]}: {_not_a_hit(rows[0][1])}")
        return _hits(rows[1:], label)
    raise AudioFileError(
        f"{refusal}; need a CSV file that begins with {','.join(_REQUIRED)}, or rows of "
        "seconds,drum"
    )


def _rows(content: bytes, refusal: str) -> Rows:
    """Line number and cells of each row; raises `AudioFileError` with `refusal`."""
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        return [(rows.line_num, row) for row in rows]
    except (UnicodeDecodeError, csv.Error):
        raise AudioFileError(refusal) from None


def _notes(header: list[str], rows: Rows, label: str) -> list[Note]:
    """Notes of the rows below a header."""
    entries = [(line, dict(zip(header, row, strict=False))) for line, row in rows]
    if header[-1] == _FOREIGN:
        for (_, row), (_, cells) in zip(entries, rows, strict=True):
            row[_FOREIGN] = " ".join(cells[len(header) - 1 :])
    # Transcribers that write pitch bends count velocities up to 127, soft ones included.
    midi_scale = _FOREIGN in header or any(
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


def _hits(rows: Rows, label: str) -> list[Note]:
    """Notes of rows of seconds and part."""
    notes = []
    for line, row in rows:
        if not _is_hit(row):
            raise AudioFileError(f"{label}: line {line}: {_not_a_hit(row)}")
        part = part_named(row[1])
        if part is None:
            raise AudioFileError(
                f"{label}: line {line}: {shown(row[1].strip())} is not a part of a drum kit; use "
                f"{', '.join(DRUM_PARTS)}, or the number of a General MIDI drum"
            )
        try:
            notes.append(drum_note(part, float(row[0])))
        except ParameterError as error:
            raise AudioFileError(f"{label}: line {line}: {error}; correct it") from None
    return notes


def _not_a_hit(row: list[str]) -> str:
    """Reason for refusing a row among hits."""
    return f"{shown(','.join(row))} is not a hit; need seconds,part"


def _is_hit(row: list[str]) -> bool:
    """Return whether a row is seconds and a name, or the number of a General MIDI drum."""
    if len(row) < 2 or not math.isfinite(_number(row[0])):
        return False
    return part_named(row[1]) is not None or math.isnan(_number(row[1]))


def _number(text: str) -> float:
    """Number that a text is, NaN if it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _row_of(note: Note) -> tuple[Any, ...]:
    numbers = (note.onset, note.offset, note.pitch, note.velocity)
    return (*map(_exact, numbers), note.track, note.program, note.channel)


def _exact(number: float) -> str:
    """Shortest text that reads back as the same number; NumPy scalars look like Python's."""
    return repr(number if isinstance(number, int) else float(number))


def _exceeds_one(text: str) -> bool:
    return _number(text) > 1  # what is no number is reported with its line when the row is read


def _note_of_row(row: dict[str, str], full: int) -> Note:
    optional: dict[str, Any] = {"track": row.get("track", "")}
    if "velocity" in row:
        optional["velocity"] = float(row["velocity"]) / full
    optional |= {name: int(row[name]) for name in ("program", "channel") if name in row}
    onset, offset, pitch = (float(row[name]) for name in _REQUIRED)
    contour = _contour_of(row.get(CONTOUR, "")) or _foreign_contour(row, offset - onset)
    return Note(onset, offset, pitch, contour=contour, **optional)


def _contour_text(note: Note) -> str:
    return " ".join(f"{seconds!r}:{semitones!r}" for seconds, semitones in note.contour)


def _contour_of(text: str) -> tuple[tuple[float, float], ...]:
    points = (point.split(":") for point in text.split())
    return tuple((float(seconds), float(semitones)) for seconds, semitones in points)


def _foreign_contour(row: dict[str, str], duration: float) -> tuple[tuple[float, float], ...]:
    """Contour of a table of basic-pitch, whose bends are evenly spaced over the note."""
    bends = [float(text) / _PER_SEMITONE for text in row.get(_FOREIGN, "").split()]
    if not any(bends) or duration <= 0:
        return ()
    step = duration / max(len(bends) - 1, 1)
    return tuple((n * step, bend) for n, bend in enumerate(bends))
