"""Instruments of notes, where a dictionary has several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nmfaudio.dictionaries.shipped_instruments import instrument_named, program_of
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.note_fit import BLOCK
from nmfaudio.transcription.salience import Salience
from nmfaudio.transcription.timbre import timbre_classifier, timbre_features

_FAINT = 1e-3  # share of salience that is as good as none
# Added to probabilities of timbres: an instrument may sound unlike others of its name.
_DOUBT = 0.1
_COLLISION = 2.0  # logarithm of the odds against two simultaneous notes of a monophonic instrument
_LEGATO, _CLEAR = 0.2, 0.5  # share of a note that may overlap; share more that is a chord for sure
_BRIEF = 1e-3  # s, shortest note in the share of an overlap
_ITERATIONS = 18
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
    partials : np.ndarray [shape=(instrument, pitch, partial)]
        Levels of the partials of each pitch of each instrument in its templates.

    Examples
    --------
    >>> times, H = np.array([0.0, 0.1]), np.array([[1.0, 0.0], [0.5, 2.0]])
    >>> salience = pooled_salience(H, [60, 60], ["oboe", "flute"], times, np.ones((2, 15)))
    >>> salience.values.tolist(), salience.parts[:, 0].tolist()
    ([[1.5, 2.0]], [[1.0, 0.0], [0.5, 2.0]])
    """

    labels: tuple[str, ...]
    parts: np.ndarray
    partials: np.ndarray


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
    H: np.ndarray,
    pitches: Sequence[float],
    labels: Sequence[str],
    times: np.ndarray,
    levels: np.ndarray,
) -> Salience:
    """Salience of activations, with the share of each instrument if there are several.

    Parameters
    ----------
    H : np.ndarray [shape=(component, time)]
    pitches : sequence of float
    labels : sequence of str
        As for `pooled_parts`.
    times : np.ndarray [shape=(time,)]
    levels : np.ndarray [shape=(component, partial)]
        As `partial_levels` returns them.

    Returns
    -------
    Salience
    """
    parts, totals = pooled_parts(H, pitches, labels), activity_totals(H)
    return salience_of_parts(parts, pitches, labels, times, levels, totals)


def activity_totals(H: np.ndarray) -> np.ndarray:
    """Sum activations over time, by blocks of `BLOCK` frames as for a recording in blocks.

    Parameters
    ----------
    H : np.ndarray [shape=(component, time)]

    Returns
    -------
    np.ndarray [shape=(component,)]
        float64.
    """
    totals = np.zeros(len(H))
    for first in range(0, H.shape[1], BLOCK):
        block = np.ascontiguousarray(H[:, first : first + BLOCK])
        totals += block.sum(axis=1, dtype=np.float64)
    return totals


def salience_of_parts(
    parts: np.ndarray,
    pitches: Sequence[float],
    labels: Sequence[str],
    times: np.ndarray,
    levels: np.ndarray,
    totals: np.ndarray,
) -> Salience:
    """Salience of what `pooled_parts` returns.

    Parameters
    ----------
    parts : np.ndarray [shape=(instrument, pitch, time)]
    pitches : sequence of float
    labels : sequence of str
    times : np.ndarray [shape=(time,)]
    levels : np.ndarray [shape=(component, partial)]
    totals : np.ndarray [shape=(component,)]
        Activity of each component, by which its levels are weighted.

    Returns
    -------
    Salience
    """
    distinct = np.unique(np.asarray(pitches, np.float64))
    if len(parts) == 1:
        return Salience(parts[0], distinct, times)
    names = tuple(dict.fromkeys(labels))
    weights = totals[: len(pitches), None] + np.finfo(np.float32).tiny
    weighted = pooled_parts(levels * weights, pitches, labels)
    activity = pooled_parts(weights, pitches, labels)
    partials = np.divide(weighted, activity, out=np.zeros_like(weighted), where=activity > 0)
    return InstrumentSalience(parts.sum(axis=0), distinct, times, names, parts, partials)


def assign_instruments(notes: Iterable[Note], salience: Salience) -> list[Note]:
    """Give each note the track, program and channel of the instrument that plays it.

    What speaks for an instrument is its share of the salience of the note's pitch in the first
    0.2 s (later, templates of a decaying and of a sustained instrument look much alike), and how
    much the note sounds like it, of instruments that ship. What speaks against it is that another
    note of it sounds at the same time, where it is one that plays one note at a time.

    Parameters
    ----------
    notes : iterable of Note
    salience : Salience
        Without the share of each instrument, notes are returned as they are.

    Returns
    -------
    list of Note
    """
    notes = list(notes)
    if not isinstance(salience, InstrumentSalience) or not notes:
        return notes
    scores = _shares(notes, salience) + _timbres(notes, salience)
    known = [instrument_named(label) for label in salience.labels]
    monophonic = np.array([each is not None and each.monophonic for each in known])
    assigned = []
    for note, index in zip(notes, labelled(notes, scores, monophonic), strict=True):
        label, channel = salience.labels[index], _CHANNELS[index % len(_CHANNELS)]
        assigned.append(replace(note, track=label, program=program_of(label), channel=channel))
    return assigned


def _shares(notes: Sequence[Note], salience: InstrumentSalience) -> np.ndarray:
    """Logarithm of the share of each instrument in the beginning of each note."""
    shares = np.empty((len(notes), len(salience.labels)))
    for note, share in zip(notes, shares, strict=True):
        row = int(np.abs(salience.pitches - note.pitch).argmin())
        first, last = np.searchsorted(salience.times, (note.onset, note.onset + _BEGINNING))
        strengths = salience.parts[:, row, first : max(last, first + 1)].sum(axis=1)
        share[:] = strengths / (strengths.sum() or 1.0)
    return np.log(shares + _FAINT)


def _timbres(notes: Sequence[Note], salience: InstrumentSalience) -> np.ndarray:
    """Logarithm of how much each note sounds like each instrument."""
    features = timbre_features(
        notes, salience.pitches, salience.times, salience.parts, salience.partials
    )
    return np.log(timbre_classifier().probabilities(features, salience.labels) + _DOUBT)


def labelled(notes: Sequence[Note], scores: np.ndarray, monophonic: np.ndarray) -> np.ndarray:
    """Choose an instrument for each note, so that few notes of a monophonic one overlap.

    The labels of all notes depend on each other; they are found by mean-field iterations.

    Parameters
    ----------
    notes : sequence of Note
    scores : np.ndarray [shape=(note, instrument)]
        Logarithm of the likelihood of each instrument.
    monophonic : np.ndarray [shape=(instrument,)]
        bool.

    Returns
    -------
    np.ndarray [shape=(note,)]
        Index of the instrument.

    Examples
    --------
    Two notes at the same time; the second one is a little more likely of the guitar:

    >>> notes = [Note(0.0, 1.0, 60), Note(0.0, 1.0, 72)]
    >>> scores = np.log([[0.9, 0.1], [0.6, 0.4]])
    >>> labelled(notes, scores, np.array([True, False])).tolist()
    [0, 1]
    """
    first, second, overlap = _overlaps(notes)
    beliefs = _softmax(scores)
    for _ in range(_ITERATIONS):
        crowding = np.zeros_like(scores)
        np.add.at(crowding, first, overlap[:, None] * beliefs[second])
        np.add.at(crowding, second, overlap[:, None] * beliefs[first])
        beliefs = (beliefs + _softmax(scores - _COLLISION * crowding * monophonic)) / 2
    return np.asarray(beliefs.argmax(axis=1))


def _overlaps(notes: Sequence[Note]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of notes that sound together, and for how much of the shorter one, from 0 to 1."""
    onsets = np.array([note.onset for note in notes])
    offsets = np.array([note.offset for note in notes])
    order = np.argsort(onsets, kind="stable")
    # Each note, and those that begin before its end.
    after = np.searchsorted(onsets[order], offsets[order]) - np.arange(len(notes)) - 1
    after = after.clip(0)
    first = np.repeat(np.arange(len(notes)), after)
    second = first + 1 + np.arange(len(first)) - np.repeat(after.cumsum() - after, after)
    first, second = order[first], order[second]
    common = np.minimum(offsets[first], offsets[second]) - onsets[second]
    lengths = np.maximum(offsets - onsets, _BRIEF)
    shares = common / np.minimum(lengths[first], lengths[second])
    return first, second, ((shares - _LEGATO) / _CLEAR).clip(0, 1)


def _softmax(scores: np.ndarray) -> np.ndarray:
    likelihoods = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(likelihoods / likelihoods.sum(axis=1, keepdims=True))
