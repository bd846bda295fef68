"""Instruments of notes, where a dictionary has several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nmfaudio.dictionaries.shipped_instruments import program_of
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.salience import Salience

_BEGINNING = 0.2  # s of a note in which the strongest instrument is its own
_CHANNELS = [channel for channel in range(16) if channel != DRUM_CHANNEL]


@dataclass(frozen=True, eq=False, repr=False)
class InstrumentSalience(Salience):
    """Strength of each pitch, frame by frame, and how instruments share it.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        ≥ 0, of all instruments.
    pitches : np.ndarray [shape=(pitch,)]
        MIDI numbers, ascending.
    times : np.ndarray [shape=(time,)]
        Centre of each frame in seconds.
    labels : tuple of str
        Names of the instruments.
    parts : np.ndarray [shape=(instrument, pitch, time)]
        Strength of each pitch of each instrument.

    Examples
    --------
    >>> H = np.array([[1.0, 0.0], [0.5, 2.0]])
    >>> salience = pooled_salience(H, [60, 60], ["oboe", "flute"], np.array([0.0, 0.1]))
    >>> salience.values.tolist(), salience.parts[:, 0].tolist()
    ([[1.5, 2.0]], [[1.0, 0.0], [0.5, 2.0]])
    """

    labels: tuple[str, ...]
    parts: np.ndarray


def pooled_parts(H: np.ndarray, pitches: Sequence[float], labels: Sequence[str]) -> np.ndarray:
    """Sum the activations of each pitch of each instrument.

    Parameters
    ----------
    H : np.ndarray [shape=(component, time)]
        Components beyond the number of `pitches` are ignored.
    pitches : sequence of float
        MIDI number of each component.
    labels : sequence of str
        Instrument of each component.

    Returns
    -------
    np.ndarray [shape=(instrument, pitch, time)]
        Instruments in the order in which they appear, pitches ascending.
    """
    names, distinct = list(dict.fromkeys(labels)), np.unique(np.asarray(pitches, np.float64))
    owners = np.array([names.index(label) for label in labels])
    rows = owners * len(distinct) + np.searchsorted(distinct, pitches)
    parts = np.zeros((len(names) * len(distinct), H.shape[1]), H.dtype)
    np.add.at(parts, rows, H[: len(pitches)])  # several components add to the same row
    return parts.reshape(len(names), len(distinct), -1)


def pooled_salience(
    H: np.ndarray, pitches: Sequence[float], labels: Sequence[str], times: np.ndarray
) -> Salience:
    """Salience of activations, with the share of each instrument if there are several.

    Parameters
    ----------
    H : np.ndarray [shape=(component, time)]
    pitches : sequence of float
    labels : sequence of str
    times : np.ndarray [shape=(time,)]
        As for `pooled_parts`.

    Returns
    -------
    Salience
    """
    return salience_of_parts(pooled_parts(H, pitches, labels), pitches, labels, times)


def salience_of_parts(
    parts: np.ndarray, pitches: Sequence[float], labels: Sequence[str], times: np.ndarray
) -> Salience:
    """Salience of what `pooled_parts` returns.

    Parameters
    ----------
    parts : np.ndarray [shape=(instrument, pitch, time)]
    pitches : sequence of float
    labels : sequence of str
    times : np.ndarray [shape=(time,)]

    Returns
    -------
    Salience
    """
    distinct = np.unique(np.asarray(pitches, np.float64))
    if len(parts) == 1:
        return Salience(parts[0], distinct, times)
    names = tuple(dict.fromkeys(labels))
    return InstrumentSalience(parts.sum(axis=0), distinct, times, names, parts)


def assign_instruments(notes: Iterable[Note], salience: Salience) -> list[Note]:
    """Give each note the track, program and channel of the instrument that plays it.

    It is the one with the highest salience of the note's pitch in the first 0.2 s: later, templates
    of a decaying and of a sustained instrument look much alike.

    Parameters
    ----------
    notes : iterable of Note
    salience : Salience
        Without the share of each instrument, notes are returned as they are.

    Returns
    -------
    list of Note
    """
    if not isinstance(salience, InstrumentSalience):
        return list(notes)
    assigned = []
    for note in notes:
        row = int(np.abs(salience.pitches - note.pitch).argmin())
        first, last = np.searchsorted(salience.times, (note.onset, note.onset + _BEGINNING))
        strengths = salience.parts[:, row, first : max(last, first + 1)].sum(axis=1)
        index = int(strengths.argmax())
        label, channel = salience.labels[index], _CHANNELS[index % len(_CHANNELS)]
        assigned.append(replace(note, track=label, program=program_of(label), channel=channel))
    return assigned
