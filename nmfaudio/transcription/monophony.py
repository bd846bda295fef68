"""Notes of instruments that play one note at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nmfaudio.symbolic.note import Note

_CHANGE = 4.0  # cost of a change of pitch, in the unit of the logarithm of salience
_FAINTEST = 1e-3  # share of the strongest pitch of a frame below which strengths are alike
_BEGINNING = 0.15  # s of a note in which its pitch is compared with the path


def strongest_path(values: np.ndarray) -> np.ndarray:
    """Find the path through the pitches with the highest salience and few changes.

    It maximises the sum over time of the logarithm of salience, minus a constant for each change of
    pitch, by the Viterbi algorithm.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.

    Returns
    -------
    np.ndarray [shape=(time,)]
        Row of each frame.

    Examples
    --------
    >>> values = np.array([[9.0, 9, 1, 9, 9], [1, 1, 2, 1, 1]])
    >>> strongest_path(values).tolist()
    [0, 0, 0, 0, 0]
    """
    n_rows, n_frames = values.shape
    best = np.zeros(n_rows)
    origins = np.empty((n_frames, n_rows), np.int32)
    rows = np.arange(n_rows)
    for frame in range(n_frames):
        levels = values[:, frame].astype(np.float64)
        leader = int(best.argmax())
        changes = best[leader] - _CHANGE > best
        origins[frame] = np.where(changes, leader, rows)
        best = np.where(changes, best[leader] - _CHANGE, best)
        best += np.log(np.maximum(levels / (levels.max() or 1.0), _FAINTEST))
        best -= best.max()  # the path does not depend on a constant
    path = np.empty(n_frames, np.int64)
    row = int(best.argmax()) if n_rows else 0
    for frame in range(n_frames - 1, -1, -1):
        path[frame] = row
        row = int(origins[frame, row])
    return path


def one_at_a_time(
    notes: Sequence[Note], values: np.ndarray, pitches: np.ndarray, times: np.ndarray
) -> list[Note]:
    """Keep the notes on the strongest path, each until the next one begins.

    Parameters
    ----------
    notes : sequence of Note
        By onset.
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    pitches : np.ndarray [shape=(pitch,)]
        MIDI numbers.
    times : np.ndarray [shape=(time,)]
        In seconds.

    Returns
    -------
    list of Note
    """
    path = np.asarray(pitches)[strongest_path(values)] if values.size else np.zeros(0)
    kept: list[Note] = []
    for note in notes:
        first, last = np.searchsorted(
            times, (note.onset, min(note.offset, note.onset + _BEGINNING))
        )
        if (path[first : max(last, first + 1)] == note.pitch).mean() < 0.5:
            continue
        if kept and kept[-1].offset > note.onset:
            kept[-1] = replace(kept[-1], offset=note.onset)
        kept.append(note)
    return [note for note in kept if note.offset > note.onset]
