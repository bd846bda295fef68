"""Selection of notes among candidates, by a small network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from nmfaudio._common.validation import frame_step
from nmfaudio.dictionaries.perceptron import Perceptron
from nmfaudio.transcription.onsets import HARMONIC_INTERVALS, rise_frames, rises

_NETWORK = Path(__file__).resolve().parents[1] / "data" / "note_selection.npz"
_FLOOR = 1e-9  # share of the largest salience to which levels are limited in ratios
_FAINT = 1e-4  # the same, of levels relative to the largest
_RATIOS = 4.0  # largest absolute logarithm of a ratio
_NEAR = 0.05  # s, between onsets that may be simultaneous
_BEGINNING = 0.19  # s of a note in which its level is measured
_SUSTAINED = (0.07, 0.28)  # s after the onset in which it is compared with the peak
_BEFORE = 0.35  # s before the onset in which the level of the pitch is measured
_LOCAL = 0.2  # s around an onset in which the others are compared with it
_LONG = 1.0  # s to which the time since the last candidate of a pitch is limited
_SHORT = 0.02  # s that are added to durations before the logarithm
_NEIGHBOURS = (-2, -1, 1, 2)  # semitones
_MIDDLE, _OCTAVE = 65, 12  # MIDI number of a pitch that is 0 to the network, and its unit
_STEEPEST = -3.0  # lowest logarithm of a sustained level relative to the peak
N_FEATURES = 15
"""Number of inputs of the network."""


def probable_notes(
    values: np.ndarray,
    times: np.ndarray,
    pitches: Sequence[float] | np.ndarray,
    onsets: Sequence[tuple[int, int]],
    offsets: Sequence[float],
    *,
    rise: float = 0.07,
) -> np.ndarray:
    """Decide which of the candidates are notes.

    A low threshold finds nearly all notes, and many onsets that are partials of other notes or
    fluctuations. A network has learned to tell them apart, from random music played by the
    instruments that ship and other ones of their kind.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    pitches : sequence of float [shape=(pitch,)]
        MIDI numbers.
    onsets : sequence of tuple of int
        Row and frame of each candidate, by row, then frame.
    offsets : sequence of float
        End of each candidate in seconds.
    rise : float
        Seconds, as for `onset_strength`.

    Returns
    -------
    np.ndarray [shape=(note,)]
        bool: whether the probability that it is a note is at least a half.

    Examples
    --------
    A note, and one of its partials:

    >>> times = np.arange(60) * 0.023
    >>> level = np.where(times > 0.5, np.exp(0.5 - times), 0)
    >>> values, onsets = np.stack([level, 0.1 * level]), [(0, 22), (1, 22)]
    >>> probable_notes(values, times, [60, 72], onsets, [1.3, 1.3]).tolist()
    [True, False]
    """
    features = selection_features(values, times, pitches, onsets, offsets, rise=rise)
    return np.asarray(selection_network()(features)[:, 0] >= 0)


def selection_features(
    values: np.ndarray,
    times: np.ndarray,
    pitches: Sequence[float] | np.ndarray,
    onsets: Sequence[tuple[int, int]],
    offsets: Sequence[float],
    *,
    rise: float = 0.07,
) -> np.ndarray:
    """Compute what the network decides by.

    Parameters
    ----------
    values, times, pitches, onsets, offsets, rise
        As for `probable_notes`.

    Returns
    -------
    np.ndarray [shape=(note, 15)]
        float64. Logarithms of the rise relative to the largest one of the recording, to that within
        0.2 s, to those of lower notes whose partial it may be, of pitches within two semitones, and
        of all pitches; of the level relative to the largest one, to lower notes (the highest, and
        their sum), to higher ones whose partials the pitch may lack, and to all; of the duration,
        of the sustained level relative to the peak, and of the time since the last candidate of the
        pitch; the level before the onset relative to that after it; and the pitch in octaves.
    """
    step = frame_step(values, times)
    if not onsets:
        return np.zeros((0, N_FEATURES))
    strength = rises(values, rise_frames(rise, step))
    highest = float(strength.max())
    related = _related_rows(np.asarray(pitches, np.float64))
    scale = float(values.max()) or 1.0
    rows = []
    previous = (-1, 0.0)
    for (row, frame), offset in zip(onsets, offsets, strict=True):
        since = times[frame] - previous[1] if row == previous[0] else _LONG
        previous = (row, float(times[frame]))
        rows.append(
            [
                *_rise_features(strength, row, frame, related[row], step, highest),
                *_level_features(values, row, frame, related[row], step, scale),
                np.log(offset - times[frame] + _SHORT),
                np.log(min(since, _LONG) + _SHORT),
                (pitches[row] - _MIDDLE) / _OCTAVE,
            ]
        )
    return np.array(rows, np.float64)


@cache
def selection_network() -> Perceptron:
    """Return the network that ships with the package.

    Returns
    -------
    Perceptron
        Its output is the log odds of a note.
    """
    return Perceptron.load(_NETWORK)


def sustain(values: np.ndarray, frame: int, step: float) -> float:
    """Logarithm of the level of a note from 70 to 280 ms, relative to its peak before.

    Parameters
    ----------
    values : np.ndarray [shape=(time,)]
        Salience of its pitch.
    frame : int
        Its onset.
    step : float
        Seconds between frames.

    Returns
    -------
    float
        From −3 to 0.
    """
    first, last = (frame + round(time / step) for time in _SUSTAINED)
    if first >= len(values):
        return _STEEPEST
    peak = float(values[frame : frame + round(_BEGINNING / step)].max())
    return _log_ratio(float(values[first:last].mean()), peak, -_STEEPEST, 0.0)


def _related_rows(pitches: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Rows of lower notes that have each pitch as a partial, of its partials, and near it."""

    def at(pitch: float, intervals: Sequence[float]) -> np.ndarray:
        distance = np.abs(pitches[:, None] - pitch - np.asarray(intervals))
        return np.flatnonzero((distance < 0.5).any(axis=1))

    below = [-interval for interval in HARMONIC_INTERVALS]
    above = HARMONIC_INTERVALS[:3]
    return [(at(p, below), at(p, above), at(p, _NEIGHBOURS)) for p in pitches.tolist()]


def _rise_features(
    strength: np.ndarray,
    row: int,
    frame: int,
    related: tuple[np.ndarray, np.ndarray, np.ndarray],
    step: float,
    highest: float,
) -> list[float]:
    """Logarithms of the rise of a candidate relative to others."""
    lower, _, neighbours = related
    near, local = round(_NEAR / step), round(_LOCAL / step)
    nearby = strength[:, max(frame - near, 0) : frame + near + 1].max(axis=1)  # (pitch,)
    around = strength[:, max(frame - local, 0) : frame + local + 1]
    own, floor = float(nearby[row]), _FLOOR * highest
    return [
        float(np.log(own / highest + _FAINT)),
        float(np.log(own / float(around.max()) + _FAINT)),
        _log_ratio(own, float(nearby[lower].max(initial=0)), floor=floor),
        _log_ratio(own, float(nearby[neighbours].max(initial=0)), floor=floor),
        _log_ratio(own, float(nearby.sum(dtype=np.float64)), floor=floor),
    ]


def _level_features(
    values: np.ndarray,
    row: int,
    frame: int,
    related: tuple[np.ndarray, np.ndarray, np.ndarray],
    step: float,
    scale: float,
) -> list[float]:
    """Logarithms of the level of a candidate relative to others, and to itself at other times."""
    lower, upper, _ = related
    beginning = values[:, frame : frame + round(_BEGINNING / step)]
    means = beginning.mean(axis=1, dtype=np.float64)  # (pitch,)
    own, peak, floor = float(means[row]), float(beginning[row].max()), _FLOOR * scale
    before = values[row, max(frame - round(_BEFORE / step), 0) : max(frame - 1, 1)].max()
    return [
        float(np.log(peak / scale + _FAINT)),
        _log_ratio(peak, float(beginning[lower].max(initial=0)), floor=floor),
        _log_ratio(own, float(means[lower].sum()), floor=floor),
        _log_ratio(peak, float(beginning[upper].max(initial=0)), floor=floor),
        _log_ratio(own, float(means.sum()), floor=floor),
        min(float(before) / (peak + floor), 1.0),
        sustain(values[row], frame, step),
    ]


def _log_ratio(
    a: float, b: float, low: float = _RATIOS, high: float = _RATIOS, *, floor: float = 1e-30
) -> float:
    return float(np.clip(np.log((a + floor) / (b + floor)), -low, high))
