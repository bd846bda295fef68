"""Times of the hits of each part of a drum kit, read from files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import numpy as np

from nmfaudio._common.files import show
from nmfaudio.errors import AudioFileError, ContentError
from nmfaudio.symbolic.names import DRUM_PARTS, part_named
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
        A MIDI file or a table that `nmfaudio.read_notes` reads, of General MIDI drums on any
        channel. Tables may have rows of seconds and part (kick, KD, BD or 36, snare, SD or 38,
        hihat, HH or 42, toms, TT, cymbals, CY).

    Returns
    -------
    dict of str to list of float
        Ascending times in seconds of each part.

    Raises
    ------
    AudioFileError
        The file cannot be read, or has a note that is no drum.

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
    hits: dict[str, list[float]] = {}
    for note in read_notes(path):
        part = part_named(f"{note.pitch:g}")
        if part is None:
            raise AudioFileError(
                f"{show(path)}: at {note.onset:g} s: {note.pitch:g} is not a part of a drum kit; "
                f"need General MIDI drums: {', '.join(DRUM_PARTS)}"
            )
        hits.setdefault(part, []).append(note.onset)
    return hits


def gates(
    hits: Mapping[str, list[float]],
    parts: Iterable[str],
    times: np.ndarray,
    label: str,
    *,
    end: float,
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
    end : float
        End in seconds of the recording, of which the frames may be a part.

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
        if not 0 <= seconds[0] <= seconds[-1] <= end:
            outside = seconds[0] if seconds[0] < 0 else seconds[-1]
            raise ContentError(
                f"{label}: a {part} at {outside:g} s is outside the recording, which ends at "
                f"{end:.3f} s; give seconds from the beginning of its file"
            )
    starts = [np.array(hits.get(part, []))[:, None] - EARLY for part in parts]  # (hit, 1) each
    return np.array(
        [((times >= start) & (times <= start + DURATION)).any(axis=0) for start in starts], float
    )
