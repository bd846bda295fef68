"""Matching of transcribed notes with those of a reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmfaudio._common.pitch import midi_to_hz
from nmfaudio.symbolic.names import DRUM_CHANNEL, sound_name
from nmfaudio.symbolic.note import Note

_SHORTEST = 1e-3  # s; mir_eval rejects notes of length 0


def match_notes(
    reference: Sequence[Note], estimated: Sequence[Note], *, tolerance: float
) -> list[tuple[int, int]]:
    """Match notes of the same pitch, and hits of the same drum, by their onsets.

    Parameters
    ----------
    reference, estimated : sequence of Note
    tolerance : float
        Largest deviation of onsets in seconds.

    Returns
    -------
    list of (int, int)
        Indices of a reference note and of its estimate, each at most once: a matching of maximum
        size, as that of `nmfaudio.evaluate_transcription`.

    Examples
    --------
    >>> match_notes([Note(0, 1, 60), Note(1, 2, 62)], [Note(1.01, 3, 62)], tolerance=0.05)
    [(1, 0)]
    """
    from mir_eval import transcription, util

    pairs: list[tuple[int, int]] = []
    pitched = [
        [i for i, note in enumerate(side) if note.channel != DRUM_CHANNEL]
        for side in (reference, estimated)
    ]
    if all(pitched):
        found = transcription.match_notes(
            *note_arrays([reference[i] for i in pitched[0]]),
            *note_arrays([estimated[i] for i in pitched[1]]),
            onset_tolerance=tolerance,
            offset_ratio=None,
        )
        pairs += [(pitched[0][i], pitched[1][j]) for i, j in found]
    drums = [
        [i for i, note in enumerate(side) if note.channel == DRUM_CHANNEL]
        for side in (reference, estimated)
    ]
    for part in {sound_name(reference[i]) for i in drums[0]}:
        true, est = (
            [i for i in own if sound_name(side[i]) == part]
            for side, own in zip((reference, estimated), drums, strict=True)
        )
        if est:
            onsets = [np.array([reference[i].onset for i in true])]
            onsets.append(np.array([estimated[i].onset for i in est]))
            pairs += [(true[i], est[j]) for i, j in util.match_events(*onsets, tolerance)]
    return sorted(pairs)


def note_arrays(notes: Sequence[Note]) -> tuple[np.ndarray, np.ndarray]:
    """Return the arrays that mir_eval takes.

    Parameters
    ----------
    notes : sequence of Note
        Those of length 0 last 1 ms.

    Returns
    -------
    intervals : np.ndarray [shape=(note, 2)]
        In seconds.
    pitches : np.ndarray [shape=(note,)]
        In Hz.
    """
    intervals = np.array([(n.onset, max(n.offset, n.onset + _SHORTEST)) for n in notes])
    return intervals, midi_to_hz(np.array([float(n.pitch) for n in notes]))
