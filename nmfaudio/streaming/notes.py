"""Notes from the salience of a stream: decoding without the future."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nmfaudio.streaming.events import NoteEvent
from nmfaudio.streaming.note_endings import ActivityEnds, DecayEnds, NoteEnds
from nmfaudio.transcription.decoding import Decoding
from nmfaudio.transcription.dynamics import AFTER
from nmfaudio.transcription.fluctuations import LEVEL_SPAN
from nmfaudio.transcription.note_starts import usual_delays
from nmfaudio.transcription.onsets import HARMONIC_INTERVALS
from nmfaudio.transcription.pitch_thresholds import threshold_factors

_SIMULTANEOUS = 0.03  # s, as in `suppress_ghosts`
_SAME_PITCH = 0.25  # semitones, as in `suppress_ghosts`
_FORGETTING = 30.0  # s, time constant of the highest onset strength so far
# Factor of the threshold, which replaces the louder notes that follow in the local reference.
# (Four piano pieces, templates learned from the first 10 s: mean onset F 0.92, without it 0.86; of
# whole recordings 0.93.)
_STRICTER = 1.8
# Where a network selects the notes, threshold and `repeat` are low. Without it, the threshold is
# higher by this factor, and `repeat` is at least this. (Thirteen instruments of two SoundFonts:
# mean onset F 0.81; with a threshold of 0.22 and without `repeat` 0.75.)
_WITHOUT_NETWORK, _REPEAT_WITHOUT_NETWORK = 3.5, 0.5
_FIRST = 0.5  # velocity of the first note, relative to that of the loudest one


class NoteDecoder:
    """Decode salience to notes, frame by frame.

    As `Decoding`, but the reference of the threshold is the highest onset strength so far, which
    slowly decays, and the local one that of the frames until then; the threshold is higher instead.
    An onset cannot be replaced by a higher one shortly after it. The hidden Markov model is
    filtered forward. Notes that end early are not dropped, since they have begun. Ends of a piano
    are found by the network of `note_ends`, and reported when the frames that it needs are known.
    No network selects notes: with a selection other than "threshold" the threshold is higher.

    Parameters
    ----------
    decoding : Decoding
        Settings.
    pitches : np.ndarray [shape=(pitch,)]
        MIDI numbers, ascending.
    step : float
        Seconds between frames.
    quietest : float
        Onset strength that is the reference of the threshold at least.

    Attributes
    ----------
    latency : int
        Frames from the peak of an onset to its report.
    """

    def __init__(
        self, decoding: Decoding, pitches: np.ndarray, step: float, quietest: float
    ) -> None:
        self._settings = decoding
        self._pitches = np.asarray(pitches, np.float64)
        self._step = step
        self._quietest = self._reference = quietest
        n = len(self._pitches)
        self._lag = max(1, round(decoding.rise / step))
        self._ahead = self._lag // 2
        self._spread = int(_SIMULTANEOUS / step)
        self._gap = max(1, round(decoding.gap / step))
        self.latency = self._ahead + self._spread + 1
        self._lower = _partial_mask(self._pitches)
        self._thresholds = decoding.threshold * threshold_factors(
            self._pitches, bass=decoding.bass, treble=decoding.treble
        )
        self._repeat = decoding.repeat
        if decoding.selection != "threshold":
            self._thresholds *= _WITHOUT_NETWORK
            self._repeat = max(decoding.repeat, _REPEAT_WITHOUT_NETWORK)
        self._in_range = (decoding.lowest <= self._pitches) & (self._pitches <= decoding.highest)
        # The last frames: salience, its rises, these without ghosts, and the highest of each frame.
        self._before = round(LEVEL_SPAN / step)
        self._salience = np.zeros((self._before + self._lag + self._spread + 2, n))
        self._rises = np.zeros((2 * self._spread + 1, n))
        self._strength = np.zeros((3, n))
        self._strongest = np.zeros(int(decoding.window / 2 / step) + 2)
        self._last = np.full(n, -self._gap)  # frame of the last onset of each pitch
        kind = DecayEnds if decoding.ends == "piano" else ActivityEnds
        self._ends: NoteEnds = kind(decoding, self._pitches, step)
        is_piano = decoding.starts == "piano"
        self._delays = usual_delays(self._pitches) if is_piano else np.zeros(n)
        self._frames = 0
        self._loudest = 0.0  # level of the loudest note, once there is one

    @property
    def horizon(self) -> int:
        """Largest number of frames from the onset of a note to its report."""
        late = math.ceil(float(self._delays.max(initial=0)) / self._step)
        return self._lag + self._spread + late

    def step(self, salience: np.ndarray) -> list[NoteEvent]:
        """Add a frame, and return what is certain now.

        Parameters
        ----------
        salience : np.ndarray [shape=(pitch,)]
            ≥ 0.

        Returns
        -------
        list of NoteEvent
            Ends before begins, each by pitch.
        """
        frame, self._frames = self._frames, self._frames + 1
        _append(self._salience, salience)
        _append(self._rises, np.maximum(salience - self._salience[-1 - self._lag], 0))
        nearby = self._rises.max(axis=0)
        ghosts = (self._lower * nearby).max(axis=1, initial=0)
        strength = self._rises[self._spread] - self._settings.ghosts * ghosts
        _append(self._strength, np.maximum(strength, 0))
        _append(self._strongest, self._strength[-1].max(initial=0))
        ended = self._ends.step(salience, frame)
        events = [self._end(p, self._ends.end(p, frame)) for p in ended]
        for pitch in self._peaks(frame - self.latency):
            events += self._begin(pitch, frame)
        return events

    def finish(self, time: float) -> list[NoteEvent]:
        """Return the ends of all notes that last until the end of the stream in seconds."""
        return [self._end(p, time) for p in np.flatnonzero(self._ends.active).tolist()]

    def _peaks(self, frame: int) -> np.ndarray:
        """Pitches whose onset strength peaks at a frame."""
        settings, (before, strength, after) = self._settings, self._strength
        decayed = self._reference * math.exp(-self._step / _FORGETTING)
        self._reference = max(decayed, float(self._strongest[-1]), self._quietest)
        local = float(self._strongest.max())
        reference = self._reference**settings.balance * local ** (1 - settings.balance)
        peaks = (strength > before) & (strength >= after) & self._in_range
        peaks &= strength > _STRICTER * self._thresholds * reference
        peaks &= frame - self._last >= self._gap
        peaks &= ~self._fluctuations()
        self._last[peaks] = frame
        return np.flatnonzero(peaks)

    def _fluctuations(self) -> np.ndarray:
        """Return the pitches whose rise is smaller than `repeat` allows, as booleans."""
        before = self._salience[: self._before + 1]  # until the frame in which the rise begins
        rise = self._salience[self._before + self._lag] - before[-1]
        return np.asarray(rise < self._repeat * before.max(axis=0))

    def _begin(self, pitch: int, newest: int) -> list[NoteEvent]:
        """Begin a note at the steepest rise of its salience; end one that still sounds."""
        levels = self._salience[self._before :, pitch]
        first = 1 + int(np.argmax(np.diff(levels[: self._lag + 1])))
        onset = newest - (len(levels) - 1) + first
        peak = float(levels[first:].max())
        level = self._level(peak, first)
        self._loudest = max(self._loudest or level / _FIRST**2, level)
        velocity = self._settings.loudest * math.sqrt(level / self._loudest)
        time = max(0.0, max(onset, 0) * self._step - float(self._delays[pitch]))
        number = float(self._pitches[pitch])
        events = [self._end(pitch, time)] if self._ends.active[pitch] else []
        self._ends.begin(pitch, max(onset, 0), peak)
        return [*events, NoteEvent("on", time, number, velocity)]

    def _level(self, peak: float, first: int) -> float:
        """Level of a note from its peak and the level of all pitches, as in `note_levels`."""
        after = self._before + first + round(AFTER / self._step)
        total = float(self._salience[min(after, len(self._salience) - 1)].sum())
        share = self._settings.ensemble
        return float(peak ** (1 - share) * total**share)

    def _end(self, pitch: int, time: float) -> NoteEvent:
        self._ends.active[pitch] = False
        return NoteEvent("off", time, float(self._pitches[pitch]))


def _partial_mask(pitches: np.ndarray) -> np.ndarray:
    """Booleans (pitch, lower pitch): whether a pitch is that of a partial of a lower one."""
    intervals: Sequence[float] = HARMONIC_INTERVALS
    above = pitches[:, None] - pitches  # semitones
    distance = np.abs(above[:, :, None] - np.asarray(intervals)).min(axis=2)
    return np.asarray(distance < _SAME_PITCH)


def _append(rows: np.ndarray, row: np.ndarray | float) -> None:
    """Drop the first row of an array, and add one at the end."""
    rows[:-1] = rows[1:]
    rows[-1] = row
