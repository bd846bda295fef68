"""Times of the hits of each part of a drum kit, read from files."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from nmfaudio._common.files import show
from nmfaudio.errors import AudioFileError, ContentError
from nmfaudio.symbolic.names import DRUM_PARTS, part_named
from nmfaudio.symbolic.notes import read_notes
from nmfaudio.symbolic.tables import COLUMNS, csv_rows

EARLY = 0.03
"""Seconds by which a hit may begin before its annotated time."""
DURATION = 0.6
"""Seconds from its earliest begin during which a hit may have activations."""


def read_hits(path: str | os.PathLike[str]) -> dict[str, list[float]]:
    """Read the times of the hits of each part from a table or a MIDI file.

    Parameters
    ----------
    path : str or os.PathLike
        ``.mid`` or ``.midi``: notes whose pitches are General MIDI drums. Otherwise a CSV file
        with rows of seconds and part (kick, KD, BD or 36, snare, SD or 38, hihat, HH or 42, toms,
        TT, cymbals, CY); a header is optional, further columns are ignored. Note tables written by
        `nmfaudio.write_notes` are accepted too.

    Returns
    -------
    dict of str to list of float
        Ascending times in seconds of each part.

    Raises
    ------
    AudioFileError
        The file cannot be read, or names an unknown part.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import nmfaudio as na
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "hits.csv")
    ...     _ = table.write_text("0.5,KD\\n1.0,SD\\n1.5,KD\\n")
    ...     na.symbolic.read_hits(table)
    {'kick': [0.5, 1.5], 'snare': [1.0]}
    """
    label = show(path)
    hits: dict[str, list[float]] = {}
    midi = Path(path).suffix.lower() in (".mid", ".midi")
    for place, seconds, name in _note_rows(path) if midi else _table_rows(path, label):
        part = part_named(name)
        if part is None:
            raise AudioFileError(
                f"{label}: {place}: {name.strip()!r} is not a part of a drum kit; use "
                f"{', '.join(DRUM_PARTS)}, or the number of a General MIDI drum"
            )
        hits.setdefault(part, []).append(seconds)
    return {part: sorted(times) for part, times in hits.items()}


def gates(
    hits: Mapping[str, list[float]], parts: Iterable[str], times: np.ndarray, label: str
) -> np.ndarray:
    """Frames in which the activations of each part may be above zero, given its hits.

    Parameters
    ----------
    hits : mapping of str to list of float
        Times of the hits of each part in seconds.
    parts : iterable of str
        Parts to return; others are ignored.
    times : np.ndarray [shape=(time,)]
        Frame times in seconds.
    label : str
        Name of the hits' file in messages.

    Returns
    -------
    np.ndarray [shape=(part, time)]
        0 or 1; only 0 for a part without hits.

    Raises
    ------
    ContentError
        A hit lies outside the recording.
    """
    for part, seconds in hits.items():
        if not 0 <= seconds[0] <= seconds[-1] <= times[-1]:
            outside = seconds[0] if seconds[0] < 0 else seconds[-1]
            raise ContentError(
                f"{label}: a {part} at {outside:g} s is outside the recording, which ends at "
                f"{times[-1]:.3f} s; give seconds from its start"
            )
    starts = [np.array(hits.get(part, []))[:, None] - EARLY for part in parts]  # (hit, 1) each
    return np.array(
        [((times >= start) & (times <= start + DURATION)).any(axis=0) for start in starts], float
    )


def _note_rows(path: str | os.PathLike[str]) -> Iterable[tuple[str, float, str]]:
    """Place in the file, seconds and name of the part of each note."""
    for note in read_notes(path):
        yield f"at {note.onset:g} s", note.onset, f"{note.pitch:g}"


def _table_rows(path: str | os.PathLike[str], label: str) -> Iterable[tuple[str, float, str]]:
    """Place in the file, seconds and name of the part of each row."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise AudioFileError(f"{label}: {os.strerror(error.errno or 0)}") from None
    rows = [row for _, row in csv_rows(content, f"{label}: need a CSV file of seconds,part")]
    if rows and rows[0][:1] == [COLUMNS[0]]:
        yield from _note_rows(path)
        return
    for number, row in enumerate(rows, 1):
        if not any(cell.strip() for cell in row):
            continue
        try:
            seconds, name = float(row[0]), row[1]
            if not math.isfinite(seconds):
                raise ValueError
        except (ValueError, IndexError):
            if number == 1:
                continue  # the header
            raise AudioFileError(
                f"{label}: line {number}: {','.join(row)!r} is not a hit; need seconds,part"
            ) from None
        yield f"line {number}", seconds, name
