"""Known hits of a drum kit, read from a table or a MIDI file."""

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
from nmfaudio.symbolic.names import CALLED, part_named
from nmfaudio.symbolic.notes import read_notes

EARLY = 0.03
"""Seconds by which a hit may begin before its annotated time."""
DURATION = 0.6
"""Seconds from its earliest begin during which a hit may have activations."""


def read_hits(path: str | os.PathLike[str]) -> dict[str, list[float]]:
    """Read the times of the hits of each part from a table or a MIDI file.

    Parameters
    ----------
    path : str or os.PathLike
        ``.mid`` or ``.midi``: notes, whose pitches are those of General MIDI drums. Otherwise a
        CSV file with rows of seconds and the name of a part (kick, KD, BD or 36, snare, SD or 38,
        hihat, HH or 42, toms, TT, cymbals, CY). A header is optional, further columns are
        ignored. Tables of notes that nmfaudio wrote are read too.

    Returns
    -------
    dict of str to list of float
        Times of each part in seconds, ascending.

    Raises
    ------
    AudioFileError
        The file cannot be read, or names an unknown part.
    MissingExtraError
        It is a MIDI file and mido is not installed.

    Examples
    --------
    >>> import tempfile, pathlib, nmfaudio as na
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "hits.csv")
    ...     _ = path.write_text("0.5,KD\\n1.0,snare\\n1.5,36\\n")
    ...     na.symbolic.read_hits(path)
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
                f"{', '.join(CALLED)}, or the number of a General MIDI drum"
            )
        hits.setdefault(part, []).append(seconds)
    return {part: sorted(times) for part, times in hits.items()}


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
        raise AudioFileError(
            f"{label}: not a CSV file in UTF-8; give rows of seconds,part"
        ) from None
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
                f"{label}: line {number}: {','.join(row)!r} is not a hit; give seconds,part"
            ) from None
        yield f"line {number}", seconds, name


def gates(
    hits: Mapping[str, list[float]], parts: Iterable[str], times: np.ndarray, label: str
) -> np.ndarray:
    """Return the frames in which the activations of each part may be above zero.

    Parameters
    ----------
    hits : mapping of str to list of float
        Times of the hits of each part in seconds, ascending.
    parts : iterable of str
        Parts to return, in this order.
    times : np.ndarray [shape=(time,)]
        Times of the frames in seconds.
    label : str
        Name of the file of hits in messages.

    Returns
    -------
    np.ndarray [shape=(part, time)]
        0 or 1. A part without hits has only zeros.

    Raises
    ------
    ContentError
        A hit lies outside the recording.
    """
    for part, seconds in hits.items():
        if not 0 <= seconds[0] <= seconds[-1] <= times[-1]:
            invalid = seconds[0] if seconds[0] < 0 else seconds[-1]
            raise ContentError(
                f"{label}: a {part} at {invalid:g} s is outside the recording, which ends at "
                f"{times[-1]:.3f} s; give seconds from its start"
            )
    begins = [np.array(hits.get(part, []))[:, None] - EARLY for part in parts]  # (hit, 1) each
    return np.array(
        [((times >= begin) & (times <= begin + DURATION)).any(axis=0) for begin in begins], float
    )
