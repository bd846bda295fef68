"""Hits of a drum kit: what people call its parts, and where hits are known to be."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from nmfaudio._common.files import show
from nmfaudio.errors import AudioFileError, ContentError
from nmfaudio.symbolic.names import DRUM_PARTS, part_named
from nmfaudio.symbolic.notes import read_notes

EARLY = 0.03  # s before its time that a hit may be heard
LASTING = 0.6  # s after its time that it may be


def read_hits(path: str | os.PathLike[str]) -> dict[str, list[float]]:
    """When each part is hit, from a table or a MIDI file.

    Parameters
    ----------
    path : str or os.PathLike
        ``.mid`` or ``.midi``: notes, whose pitches are those of General MIDI drums. Otherwise a
        CSV file with rows of seconds and the part's name (kick, KD, BD or 36, snare, SD or 38,
        hihat, HH or 42, toms, TT, cymbals, CY); a header is optional, further columns are passed
        over. A table that nmfaudio wrote, with notes, will do too.

    Returns
    -------
    dict of str to list of float
        Part to times in seconds, ascending.

    Raises
    ------
    AudioFileError
        The file cannot be read, or names a part that there is not.
    MissingExtraError
        It is a MIDI file and mido is not installed.
    """
    label = show(path)
    found: dict[str, list[float]] = {}
    midi = Path(path).suffix.lower() in (".mid", ".midi")
    for place, seconds, name in _note_rows(path) if midi else _table_rows(path, label):
        part = part_named(name)
        if part is None:
            raise AudioFileError(
                f"{label}: {place}: {name.strip()!r} is no part of a kit; use "
                f"{', '.join(DRUM_PARTS)}, or the number of a General MIDI drum"
            )
        found.setdefault(part, []).append(seconds)
    return {part: sorted(times) for part, times in found.items()}


def _note_rows(path: str | os.PathLike[str]) -> Iterable[tuple[str, float, str]]:
    for note in read_notes(path):
        yield f"at {note.onset:g} s", note.onset, f"{note.pitch:g}"


def _table_rows(path: str | os.PathLike[str], label: str) -> Iterable[tuple[str, float, str]]:
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except OSError as error:
        raise AudioFileError(f"{label}: {os.strerror(error.errno or 0)}") from None
    except (UnicodeDecodeError, csv.Error):
        raise AudioFileError(f"{label}: is no CSV file in UTF-8; need seconds,part") from None
    if rows and rows[0][:1] == ["start_time_s"]:
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
                f"{label}: line {number}: {','.join(row)!r} is no hit; need seconds,part"
            ) from None
        yield f"line {number}", seconds, name


def gates(
    hits: Mapping[str, list[float]], parts: Iterable[str], times: np.ndarray, label: str
) -> np.ndarray:
    """Where the activations of each part may be above zero, given its hits.

    Parameters
    ----------
    hits : mapping of str to list of float
        Seconds of each part; parts that are not asked for are passed over.
    parts : iterable of str
    times : np.ndarray [shape=(time,)]
        Of the frames, in seconds.
    label : str
        What messages call the hits' file.

    Returns
    -------
    np.ndarray [shape=(part, time)]
        0 or 1. A part that is never hit has only zeros.

    Raises
    ------
    ContentError
        A hit lies outside the recording.
    """
    for part, seconds in hits.items():
        if not 0 <= seconds[0] <= seconds[-1] <= times[-1]:
            wrong = seconds[0] if seconds[0] < 0 else seconds[-1]
            raise ContentError(
                f"{label}: a {part} at {wrong:g} s is outside the recording, which ends at "
                f"{times[-1]:.3f} s; give seconds from its start"
            )
    after = [np.array(hits.get(part, []))[:, None] - EARLY for part in parts]
    return np.array(
        [((times >= start) & (times <= start + LASTING)).any(axis=0) for start in after], float
    )
