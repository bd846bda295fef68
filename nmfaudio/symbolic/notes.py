"""Notes: what a score says, read from and written to MIDI files and tables."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nmfaudio._common.files.names import show
from nmfaudio._common.files.sources import Source, open_source
from nmfaudio._common.files.staging import write_bytes
from nmfaudio._public import public
from nmfaudio.errors import AudioFileError, OutputError, ParameterError
from nmfaudio.symbolic.note import Note

_LARGEST = 4 * 2**20  # bytes; a symphony has a tenth of it
_COLUMNS = ("start_time_s", "end_time_s", "pitch_midi", "velocity", "track", "program", "channel")
_BENDS = "pitch_bend"  # transcribers that write this column count velocities up to 127
_NEEDED = 3  # of these columns; what the others default to is in `Note`


@public
def read_notes(path: Source) -> list[Note]:
    """Read notes from a MIDI file or a table.

    A note held by the sustain pedal lasts until the pedal goes up. Tracks of a MIDI file that
    have no name are called ``track 1`` and so on; of tracks of the same name the later ones get a
    number. A table is a CSV file in UTF-8 with the header
    ``start_time_s,end_time_s,pitch_midi,velocity,track,program,channel`` in any order, of which
    only the first three are needed; columns of other names are passed over. Where a velocity is
    above 1, or there is a column ``pitch_bend``, all are taken to go up to 127.

    Parameters
    ----------
    path : str, bytes, os.PathLike or binary file object
        MIDI is known by its first bytes, whatever the name.

    Returns
    -------
    list of Note
        By onset, then pitch.

    Raises
    ------
    AudioFileError
        The file cannot be read, is larger than 4 MiB, or is neither.
    MissingExtraError
        It is a MIDI file and mido is not installed.

    Examples
    --------
    >>> table = b"start_time_s,end_time_s,pitch_midi\\n0.5,1,69\\n"
    >>> read_notes(io.BytesIO(table))
    [Note(onset=0.5, offset=1.0, pitch=69.0, velocity=0.8, track='', program=0, channel=0)]
    """
    file, size = open_source(path)
    label = show(path)
    try:
        if size > _LARGEST:
            raise AudioFileError(
                f"{label}: has {size} bytes, no score needs more than {_LARGEST}; cut it"
            )
        content = file.read(_LARGEST)
    except OSError as error:
        if isinstance(error, AudioFileError):
            raise
        raise AudioFileError(f"{label}: {os.strerror(error.errno or 0)}") from None
    finally:
        if file is not path:
            file.close()
    if content[:4] == b"MThd":
        from nmfaudio.symbolic.midi import decode

        notes = decode(content, label)
    else:
        notes = _read_table(content, label)
    return sorted(notes, key=lambda note: (note.onset, note.pitch))


@public
def write_notes(
    path: str | os.PathLike[str], notes: Iterable[Note], *, overwrite: bool = False
) -> None:
    """Write notes as a MIDI file or a table.

    A table (``.csv``) keeps them exactly. MIDI rounds times to 0.1 ms, pitches to semitones and
    velocities to 127 steps, of which none is 0, and a note shorter than a step lasts one.

    Parameters
    ----------
    path : str or os.PathLike
        ``.mid``, ``.midi`` or ``.csv``.
    notes : iterable of Note
    overwrite : bool
        Whether a file that exists may be replaced.

    Raises
    ------
    OutputError
        The file exists, cannot be written, or has another suffix.
    MissingExtraError
        It is a MIDI file and mido is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     score = Path(folder, "score.csv")
    ...     write_notes(score, [Note(0.5, 1.0, 69, track="oboe")])
    ...     print(score.read_text().splitlines()[1])
    0.5,1.0,69,0.8,oboe,0,0
    """
    target = Path(path)
    ordered = sorted(notes, key=lambda note: (note.onset, note.pitch))
    if target.suffix.lower() in (".mid", ".midi"):
        from nmfaudio.symbolic.midi import encode

        content = encode(ordered)
    elif target.suffix.lower() == ".csv":
        content = _table(ordered)
    else:
        raise OutputError(f"{show(target)}: notes are written as .mid, .midi or .csv; rename it")
    write_bytes(target, content, overwrite=overwrite)


def _read_table(content: bytes, label: str) -> list[Note]:
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = [name.strip() for name in next(rows, [])]
        if not set(_COLUMNS[:_NEEDED]) <= set(header):
            raise AudioFileError(
                f"{label}: is neither MIDI nor a table of notes; need a CSV file that begins with "
                f"{','.join(_COLUMNS[:_NEEDED])}"
            )
        entries = [
            (rows.line_num, dict(zip(header, row, strict=False))) for row in rows if any(row)
        ]
    except (UnicodeDecodeError, csv.Error):
        raise AudioFileError(f"{label}: is neither MIDI nor a CSV file in UTF-8") from None
    notes = []
    whole = _BENDS in header or any(_is_above_one(row.get("velocity", "")) for _, row in entries)
    full = 127 if whole else 1
    for line, row in entries:
        try:
            notes.append(_row_note(row, full))
        except (ValueError, KeyError) as error:
            reason = str(error) if isinstance(error, ParameterError) else "a number is missing"
            raise AudioFileError(f"{label}: line {line}: {reason}; correct it") from None
    return notes


def _is_above_one(text: str) -> bool:
    try:
        return float(text) > 1
    except ValueError:  # which the row's own check says with its line
        return False


def _row_note(row: dict[str, str], full: int) -> Note:
    rest: dict[str, Any] = {"track": row.get("track", "")}
    if "velocity" in row:
        rest["velocity"] = float(row["velocity"]) / full
    rest |= {name: int(row[name]) for name in ("program", "channel") if name in row}
    onset, offset, pitch = (float(row[name]) for name in _COLUMNS[:_NEEDED])
    return Note(onset, offset, pitch, **rest)


def _table(notes: list[Note]) -> bytes:
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for note in notes:
        times = (note.onset, note.offset, note.pitch, note.velocity)
        rows.writerow((*map(repr, times), note.track, note.program, note.channel))
    return text.getvalue().encode()
