"""Starts of the notes of a piano, told from other rises of their salience by a small network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.ndimage import maximum_filter1d

from nmfaudio._common.validation import as_number, frame_step
from nmfaudio.dictionaries.perceptron import Perceptron
from nmfaudio.transcription.onset_blocks import OnsetBlocks, OnsetPeaks
from nmfaudio.transcription.onsets import (
    rise_frames,
    rises,
    threshold_of_strongest,
)

_DATA = Path(__file__).resolve().parents[1] / "data"
_USUAL = 0.085  # threshold at which a peak starts a note if that is more likely than not
_CANDIDATES = 1 / 6  # of the threshold, above which peaks are considered
_ODDS_PER_OCTAVE = 2.0  # change of the log odds of a peak that is twice as strong, about
_TRACE = 0.0232 * np.arange(-5, 9)  # s from a peak, at which the salience of its pitch is compared
_PEAK = slice(5, 9)  # part of the trace that has the peak of the note
_RISING = (-24, -19, -12, -7, -5, -2, -1, 1, 2, 5, 7, 12, 19, 24)  # semitones to other pitches
_SOUNDING = (-24, -19, -12, 12, 19, 24)
_SAME_PITCH = 0.25  # semitones
_FLOOR = 1e-4  # share of the maximum that is added before levels are compared
_SMALLEST = 1e-12
_LIMIT = 8.0  # octaves, of levels of other pitches relative to this one
_NEARBY = 0.2  # s, of the strongest rise that a peak is compared with
_LATER = 0.045  # s from a peak to the frame whose salience is compared with other pitches
_REGISTER = 5.0  # semitones, standard deviation of a register
_LOUD = 1.0  # octaves above the usual threshold, of peaks that show the level of a register
_TYPICAL = -3.0  # octaves from the strongest peak to the level of a register without any
# MIDI numbers, and median seconds from the onset of a note to the steepest rise of its salience, of
# the performances that the networks were trained on.
_DELAYS = ((42.0, 0.022), (49.0, 0.001), (66.0, -0.006), (90.0, -0.015))
_PEAKS = 8192  # at a time, to save memory

_Function = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class StartSettings:
    """Settings of a `Decoding` that choose the peaks that are considered, which documents them."""

    rise: float = 0.07
    ghosts: float = 0.2
    balance: float = 0.5
    window: float = 0.4
    gap: float = 0.06


USUAL = StartSettings()
"""Settings with which the networks were trained."""


def note_starts(
    values: np.ndarray,
    times: np.ndarray,
    pitches: Sequence[float] | np.ndarray,
    *,
    threshold: float = _USUAL,
    settings: StartSettings = USUAL,
) -> dict[tuple[int, int], float]:
    """Find the notes of a piano among the peaks of onset strength.

    Which peaks are notes depends on what the same pitch, its partials, its neighbours and its
    register do at the time and in the rest of the recording; so soft notes of a weak register are
    found, and strong partials of other notes are not taken for notes. Salience of low notes rises
    later after the stroke than that of high ones, and more slowly. A network that was trained on
    simulated performances of pianos with uneven keys decides which peaks are notes, and another one
    estimates when they were struck.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    pitches : sequence of float [shape=(pitch,)]
        MIDI numbers, ascending.
    threshold : float
        Above 0. At 0.085 a peak is a note if that is more likely than not; lower values find more
        notes.
    settings : StartSettings
        Of the onset strength and its threshold.

    Returns
    -------
    dict of tuple of int to float
        Row and frame of the peak of each note, by row, then frame, with the time of its onset in
        seconds.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not match, or are out of range.

    Examples
    --------
    A note, and the partial of it that is an octave higher; windows fill gradually:

    >>> import numpy as np
    >>> times = np.arange(100) * 0.0232
    >>> level = np.clip((times - 0.45) / 0.1, 0, 1) * np.exp(-(times - 0.5).clip(0))
    >>> values = level * np.array([[1.0], [0.02]])
    >>> [(row, round(time, 1)) for (row, _), time in note_starts(values, times, [60, 72]).items()]
    [(0, 0.5)]
    """
    peaks = start_candidates(values, times, pitches, threshold=threshold, settings=settings)
    needed = _ODDS_PER_OCTAVE * math.log2(as_number(threshold, "threshold", above=0) / _USUAL)
    first = 0
    starts = {}
    for features in start_features(values, times, pitches, peaks, settings=settings):
        delays = delay_network()(features)[:, 0]
        for n in np.flatnonzero(start_network()(features)[:, 0] > needed).tolist():
            row, frame = int(peaks.rows[first + n]), int(peaks.frames[first + n])
            starts[row, frame] = max(0.0, float(times[frame] + delays[n]))
        first += len(features)
    return starts


def usual_delays(pitches: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return the usual time from the onset of a note to the steepest rise of its salience.

    Parameters
    ----------
    pitches : sequence of float [shape=(pitch,)]
        MIDI numbers.

    Returns
    -------
    np.ndarray [shape=(pitch,)]
        Seconds; less than 0 for high notes, since frames begin before their centre.

    Examples
    --------
    >>> usual_delays([30, 66]).tolist()
    [0.022, -0.006]
    """
    keys, seconds = zip(*_DELAYS, strict=True)
    return np.interp(np.asarray(pitches, np.float64), keys, seconds)


def start_candidates(
    values: np.ndarray,
    times: np.ndarray,
    pitches: Sequence[float] | np.ndarray,
    *,
    threshold: float = _USUAL,
    settings: StartSettings = USUAL,
) -> OnsetPeaks:
    """Find the peaks of onset strength that may be notes.

    Parameters
    ----------
    values, times, pitches, threshold, settings
        As for `note_starts`.

    Returns
    -------
    OnsetPeaks
        Peaks above a sixth of the threshold.
    """
    blocks = OnsetBlocks(values, pitches, times, rise=settings.rise, ghosts=settings.ghosts)
    return blocks.peaks(
        _CANDIDATES * threshold,
        balance=settings.balance,
        window=settings.window,
        gap=settings.gap,
    )


def start_features(
    values: np.ndarray,
    times: np.ndarray,
    pitches: Sequence[float] | np.ndarray,
    peaks: OnsetPeaks,
    *,
    settings: StartSettings = USUAL,
) -> Iterator[np.ndarray]:
    """Yield features of the peaks of onset strength, some thousands of peaks at a time.

    Parameters
    ----------
    values, times, pitches, settings
        As for `note_starts`.
    peaks : OnsetPeaks
        From `start_candidates`.

    Yields
    ------
    np.ndarray [shape=(peak, 45)]
        float64. Ratios are in octaves (factors of 2). The strength of the peak relative to the
        reference of `adaptive_threshold`, to the largest strength within 0.2 s and within a frame,
        and to the strength before partials were subtracted; the salience of the pitch in 14 frames
        around the peak, relative to its largest value after it, and that value relative to the
        maximum; the strength of pitches −24, −19, −12, −7, −5, −2, −1, 1, 2, 5, 7, 12, 19 and 24
        semitones away, and the salience −24, −19, −12, 12, 19 and 24 semitones away 45 ms later,
        relative to this pitch; the pitch; the strength relative to the loud peaks of its register,
        and these relative to the strongest one of all; the strength relative to the strongest peak
        of the pitch; and the shares of the pitch in the strength and in the salience of all.
    """
    if not len(peaks.rows):
        return
    context = _Context(values, times, pitches, peaks, settings)
    for first in range(0, len(peaks.rows), _PEAKS):
        yield context.features(slice(first, first + _PEAKS))


@cache
def start_network() -> Perceptron:
    """Return the network from `start_features` to the log odds that a peak is a note.

    It was trained on simulated performances by ``benchmarks/transcription/learn_starts.py``, as was
    `delay_network`.

    Returns
    -------
    Perceptron
        Of one output.
    """
    return Perceptron.load(_DATA / "note_starts.npz")


@cache
def delay_network() -> Perceptron:
    """Return the network from `start_features` to the time from a peak to the onset in seconds.

    Returns
    -------
    Perceptron
        Of one output.
    """
    return Perceptron.load(_DATA / "note_delays.npz")


class _Context:
    """Levels of a recording with which its peaks of onset strength are compared."""

    def __init__(
        self,
        values: np.ndarray,
        times: np.ndarray,
        pitches: Sequence[float] | np.ndarray,
        peaks: OnsetPeaks,
        settings: StartSettings,
    ) -> None:
        self.values, self.pitches, self.peaks = values, np.asarray(pitches, np.float64), peaks
        self.step = frame_step(values, times)
        self.lag = rise_frames(settings.rise, self.step)
        self.top = float(values.max(initial=0)) or 1.0
        self.strongest = float(peaks.strengths.max(initial=0)) or 1.0
        self.later = round(_LATER / self.step)
        self.reference = threshold_of_strongest(
            peaks.strongest, self.step, 1.0, balance=settings.balance, window=settings.window
        )
        width = 2 * max(1, round(_NEARBY / self.step)) + 1
        self.nearby = maximum_filter1d(peaks.strongest, width)
        self.simultaneous = maximum_filter1d(peaks.strongest, 3)
        self.total = np.zeros(values.shape[1])
        self.rising = np.zeros(values.shape[1])
        for row in values:
            self.total += row
            self.rising += rises(row[None], self.lag)[0]
        self.key = np.zeros(len(values))  # strongest peak of each pitch
        np.maximum.at(self.key, peaks.rows, peaks.strengths)
        self.register = self._register_levels()

    def _register_levels(self) -> np.ndarray:
        """Mean level of the loud peaks around each pitch [shape=(pitch,)], in octaves."""
        rows, frames, strengths, _ = self.peaks
        loud = _octaves(strengths, self.reference[frames]) > _LOUD + math.log2(_USUAL)
        levels = _octaves(strengths[loud], self.strongest)
        sums = np.bincount(rows[loud], levels, len(self.values))
        counts = np.bincount(rows[loud], minlength=len(self.values))
        distance = (self.pitches[:, None] - self.pitches) / _REGISTER
        kernel = np.exp(-0.5 * distance**2)
        mean: np.ndarray = (kernel @ sums + _TYPICAL) / (kernel @ counts + 1)
        return mean

    def features(self, part: slice) -> np.ndarray:
        """Features of some of the peaks [shape=(peak, feature)]."""
        rows, frames, strengths = (each[part] for each in self.peaks[:3])
        trace = self._trace(rows, frames)
        peak = trace[:, _PEAK].max(axis=1)
        later = np.minimum(frames + self.later, self.values.shape[1] - 1)
        level = self.values[rows, later].astype(np.float64)
        floor = _FLOOR * self.top
        neighbours = self._at(_RISING, rows, frames, self._highest_rise)
        partials = self._at(_SOUNDING, rows, later, lambda r, f: self.values[r, f])
        register = self.register[rows]
        columns = [
            _octaves(strengths, self.reference[frames]),
            _octaves(strengths, self.nearby[frames]),
            _octaves(strengths, self.simultaneous[frames]),
            _octaves(self._rise(rows, frames), strengths),
            *(trace - peak[:, None]).T,
            peak,
            *_limited(neighbours + _FLOOR * self.strongest, strengths),
            *_limited(partials + floor, level + floor),
            self.pitches[rows],
            _octaves(strengths, self.strongest) - register,
            register,
            _octaves(strengths, self.key[rows]),
            _octaves(strengths, self.rising[frames]),
            _octaves(level, self.total[later] + floor),
        ]
        return np.stack(columns, axis=1)

    def _trace(self, rows: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """Levels of each peak's pitch around it [shape=(peak, time)], in octaves of the maximum."""
        place = frames[:, None] + _TRACE / self.step
        last = self.values.shape[1] - 1
        before = np.clip(np.floor(place).astype(int), 0, last)
        after = np.minimum(before + 1, last)
        share = np.clip(place - before, 0, 1)

        def level(at: np.ndarray) -> np.ndarray:
            return _octaves(self.values[rows[:, None], at] + _FLOOR * self.top, self.top)

        trace: np.ndarray = (1 - share) * level(before) + share * level(after)
        return trace

    def _rise(self, rows: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """Onset strength of pitches at frames, without subtraction of partials."""
        later = frames + self.lag // 2
        earlier = later - self.lag
        after = self.values[rows, np.minimum(later, self.values.shape[1] - 1)]
        before = np.where(earlier >= 0, self.values[rows, np.maximum(earlier, 0)], 0)
        rise: np.ndarray = np.maximum(after - before, 0)
        return rise

    def _highest_rise(self, rows: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """Highest onset strength within a frame."""
        last = self.values.shape[1] - 1
        moved = [self._rise(rows, np.clip(frames + k, 0, last)) for k in (-1, 0, 1)]
        highest: np.ndarray = np.max(moved, axis=0)
        return highest

    def _at(
        self, semitones: Sequence[int], rows: np.ndarray, frames: np.ndarray, function: _Function
    ) -> np.ndarray:
        """Values at other pitches [shape=(interval, peak)]; 0 where there is none."""
        result = np.zeros((len(semitones), len(rows)))
        for line, interval in zip(result, semitones, strict=True):
            target = self.pitches[rows] + interval
            other = np.searchsorted(self.pitches, target - _SAME_PITCH)
            other = np.minimum(other, len(self.pitches) - 1)
            exists = abs(self.pitches[other] - target) <= _SAME_PITCH
            line[exists] = function(other[exists], frames[exists])
        return result


def _octaves(values: np.ndarray, reference: np.ndarray | float) -> np.ndarray:
    """Ratios in octaves."""
    ratio = np.asarray(values, np.float64) / np.maximum(reference, np.finfo(np.float64).tiny)
    octaves: np.ndarray = np.log2(np.maximum(ratio, _SMALLEST))
    return octaves


def _limited(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Ratios in octaves, within limits."""
    return _octaves(values, reference).clip(-_LIMIT, _LIMIT)
