"""Ends of the notes of a stream."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from nmfaudio.transcription.decoding import Decoding
from nmfaudio.transcription.note_ends import (
    CERTAIN,
    DOUBT,
    FLOOR,
    LONGEST,
    NEARBY,
    SPANS,
    audible_changes,
    end_network,
    note_length,
)

_SILENT = 0.02  # a note ends at this share of its peak, as in `Decoding`
_SMALLEST = 1e-10  # share of its recent level to which the salience of a pitch is limited
_PEAK = 0.2  # s from the onset of a note to its peak at most, as in `note_peaks`


class NoteEnds(Protocol):
    """Search for the ends of the notes that sound.

    Attributes
    ----------
    active : np.ndarray [shape=(pitch,)]
        Whether a note of each pitch sounds.
    """

    active: np.ndarray

    def begin(self, pitch: int, frame: int, level: float) -> None:
        """Begin a note whose onset is at a frame, and whose level is known so far."""
        ...

    def step(self, salience: np.ndarray, frame: int) -> np.ndarray:
        """Add a frame, and return the pitches of the notes that have ended."""
        ...

    def end(self, pitch: int, frame: int) -> float:
        """Offset in seconds of a note whose end has just been found in a frame."""
        ...


class ActivityEnds:
    """Notes that sound, by the forward pass of `smooth_activity`."""

    def __init__(self, decoding: Decoding, pitches: np.ndarray, step: float) -> None:
        n_pitches = len(pitches)
        self._settings = decoding
        self._step = step
        self._decay = math.exp(-step / decoding.sustain)
        p = min(0.5, step / decoding.hold)
        self._cost = math.log((1 - p) / p) if p < 0.5 and decoding.smoothing == "hmm" else 0.0
        self.active = np.zeros(n_pitches, bool)
        self._recent = np.zeros(n_pitches)
        self._odds = np.zeros(n_pitches)
        self._peaks = np.zeros(n_pitches)
        self._onsets = np.zeros(n_pitches)  # seconds

    def begin(self, pitch: int, frame: int, level: float) -> None:
        """Begin a note whose onset is at a frame, and whose level is known so far."""
        time = frame * self._step
        self.active[pitch], self._onsets[pitch], self._peaks[pitch] = True, time, level

    def step(self, salience: np.ndarray, frame: int) -> np.ndarray:
        """Return the pitches of the notes that end in a frame."""
        self._recent = np.maximum(salience, self._decay * self._recent)
        shares = np.divide(
            salience, self._recent, out=np.zeros_like(self._recent), where=self._recent > 0
        )
        shares[self.active & (salience < _SILENT * self._peaks)] = 0
        rising = self.active & (salience >= self._peaks)
        self._peaks[rising] = salience[rising]
        odds = np.log(np.maximum(shares, _SMALLEST) / self._settings.release)
        self._odds = odds + np.clip(self._odds, -self._cost, self._cost)
        return np.flatnonzero(self.active & (self._odds <= 0))

    def end(self, pitch: int, frame: int) -> float:
        """Offset in seconds of a note that ends in a frame."""
        earliest = float(self._onsets[pitch]) + self._settings.shortest
        return max(frame * self._step - self._settings.damping, earliest)


class DecayEnds:
    """Notes of a piano, by the network of `note_ends`, as soon as it has the frames it needs.

    An end is reported 0.12 s after it and when later frames leave no doubt. Levels are relative to
    the maximum so far.

    Parameters
    ----------
    decoding : Decoding
    pitches : np.ndarray [shape=(pitch,)]
        MIDI numbers.
    step : float
        Seconds between frames.
    """

    def __init__(self, decoding: Decoding, pitches: np.ndarray, step: float) -> None:
        self._pitches, self._step, n = pitches, step, len(pitches)
        self._spans = [max(1, round(span / step)) for span in SPANS]
        self._reach = self._spans[-1]
        self._nearby = max(1, round(NEARBY / step))
        self._peaking = max(1, int(_PEAK / step) + 1)  # frames
        self._longest = max(1, round(LONGEST / step))
        self.active = np.zeros(n, bool)
        self._salience = np.zeros((2 * self._reach + 1, n))  # the last frames
        self._top = 0.0
        self._onsets = np.zeros(n, int)  # frames
        self._begun: list[int] = []  # frames of recent onsets, one for each note
        self._highest, self._lowest, self._peaks = np.zeros((3, n))  # salience of each note
        self._sums, self._best = np.zeros((2, n))  # of log odds: so far, and the largest one
        self._counts = np.zeros(n, int)  # frames before the most likely end

    def begin(self, pitch: int, frame: int, level: float) -> None:
        """Begin a note."""
        self.active[pitch], self._onsets[pitch] = True, frame
        self._begun.append(frame)
        self._highest[pitch], self._lowest[pitch], self._peaks[pitch] = 0, np.inf, level
        self._sums[pitch] = self._best[pitch] = self._counts[pitch] = 0

    def step(self, salience: np.ndarray, frame: int) -> np.ndarray:
        """Return the pitches of the notes whose end is certain now."""
        first = frame == 0
        self._salience = np.concatenate([self._salience[1:], salience[None]])
        if first:  # earlier frames are taken to be equal
            self._salience[:] = salience
        self._top = max(self._top, float(salience.max(initial=0)))
        now = frame - self._reach  # frame whose later frames are known
        rising = self.active & (frame - self._onsets < self._peaking)
        self._peaks[rising] = np.maximum(self._peaks[rising], salience[rising])
        self._begun = [each for each in self._begun if each >= now - self._nearby]
        notes = np.flatnonzero(self.active & (self._onsets <= now))
        if not len(notes):
            return notes
        here = self._salience[self._reach, notes]
        self._highest[notes] = np.maximum(self._highest[notes], here)
        self._lowest[notes] = np.minimum(self._lowest[notes], here)
        odds = end_network()(self._features(notes, now))[:, 0].clip(-CERTAIN, CERTAIN)
        self._sums[notes] += odds
        better = notes[self._sums[notes] > self._best[notes]]
        self._best[better] = self._sums[better]
        self._counts[better] = now - self._onsets[better] + 1
        over = self._sums[notes] < self._best[notes] - DOUBT
        over |= now - self._onsets[notes] + 1 >= self._longest
        ended: np.ndarray = notes[over]
        return ended

    def end(self, pitch: int, frame: int) -> float:
        """Offset in seconds of a note whose end is certain."""
        length = note_length(int(self._counts[pitch]), self._step)
        return float(self._onsets[pitch]) * self._step + length

    def _features(self, notes: np.ndarray, now: int) -> np.ndarray:
        """Features of the notes [shape=(note, 15)], those of `decay_features`."""
        levels = self._decibels(self._salience)
        level = levels[self._reach]
        changes = [levels[self._reach + span] - level for span in self._spans]
        changes += [level - levels[self._reach - span] for span in self._spans]
        loudest = level.max()
        audible, change, steep = audible_changes(level, changes[1], loudest)
        near = [each for each in self._begun if abs(each - now) <= self._nearby]
        begun = max(map(near.count, near), default=0)
        count = max(int(audible.sum()), 1)
        highest, lowest, peaks = (
            self._decibels(each[notes]) for each in (self._highest, self._lowest, self._peaks)
        )
        here, same = level[notes], np.ones(len(notes))
        columns = [here - highest, here - peaks, *(each[notes] for each in changes)]
        columns += [self._pitches[notes], peaks, loudest - here, begun * same]
        columns += [change.sum() / count * same, steep.sum() / count * same, lowest - highest]
        return np.stack(columns, axis=1)

    def _decibels(self, values: np.ndarray) -> np.ndarray:
        """Level relative to the maximum so far, at least −100 dB."""
        level: np.ndarray = 20 * np.log10(np.maximum(values / (self._top or 1.0), FLOOR))
        return level
