"""Contours of notes: pitches followed through vibrato and slides, which then are one note."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.fine_salience import HOP, FineSalience

if TYPE_CHECKING:
    from nmfaudio._common.lazy_audio import LazyAudio

# Frames are 10 ms. Settings were chosen on violins and flutes of two SoundFonts.
_SEED = 0.7  # semitones between a note and the peak where its track begins, at most
_SEED_FRAMES = 8  # after the onset in which that peak is sought
_REACH = 0.6  # semitones by which a track moves from frame to frame, at most
_NEAR = 0.3  # semitones by which it moves easily
_GAP = 4  # frames without a peak that a track bridges
_FADED = 0.3  # a track ends below this share of its highest salience
_PATIENCE = 30  # frames after the last fragment that a track is followed
_OWN = 1.3  # semitones between a track and a fragment of it, at most
_OTHER = 0.5  # semitones from the track, and to the fragment, of a peak of its own
_STRENGTH = 0.5  # of such a peak, relative to the track
_STEADY = 0.35  # semitones that a steady pitch varies by, at most
_STEADY_SHARE = 0.45  # and by this share of the step to another steady pitch
_STEP = 0.35  # semitones of such a step, at least
_TURN = 8  # frames around an onset in which the pitch moves fastest
_PART = 9  # frames before and after a step that are steady
_BETWEEN = ((57.0, 3), (36.0, 5), (-math.inf, 9))  # lowest pitch, and frames on each side between
_FEWEST = 4  # of these frames, or the salience decides
_STRUCK = 1.12  # rise of the salience at an onset of the same steady pitch, at least
_ATTACK = 1.6  # rise of the salience at an onset within a moving pitch, at least
_MULTIPLES = tuple(12 * np.log2(np.arange(2, 9)))  # semitones
_EARLY = 20  # frames of a note in which its multiples are compared
_SAME = 0.35  # semitones between a pitch and a multiple of another, at most
_FEW = 0.5  # share of the salience of its strongest multiple that a ghost is below
_WEAK = 0.35  # share of the salience of a note that its ghosts are below
_SOFT = 0.7  # share that a ghost without a rise of its own is below, if it is a multiple
_LATER = 5  # frames after the onset of a note in which its ghosts begin, at least
_TOLERANCE = 0.02  # semitones between a track and its contour, at most
_CONSTANT, _MOST = 0.1, 90  # semitones that this percentage of the frames is within: no contour


def follow_pitches(notes: Sequence[Note], y: np.ndarray | LazyAudio, sr: int) -> tuple[Note, ...]:
    """Give notes the course of their pitches, and join those that are one.

    Parameters
    ----------
    notes : sequence of Note
        By onset, as decoded: of the nearest semitone each.
    y : np.ndarray or LazyAudio [shape=(channel, sample)]
        The recording.
    sr : int
        Sample rate in Hz.

    Returns
    -------
    tuple of Note
        By onset, then pitch. Their pitches are medians, rounded to a cent.
    """
    salience = FineSalience(y, sr)
    waiting = sorted(notes, key=lambda note: (note.onset, -note.velocity))
    tracks: list[_Track] = []
    while waiting:
        track = _Track.of(waiting.pop(0), salience)
        track.run(waiting)
        if not _is_ghost(track, tracks):
            tracks.append(track)
    followed = (track.as_note() for track in tracks)
    return tuple(sorted(followed, key=lambda note: (note.onset, note.pitch)))


def _is_ghost(track: _Track, others: Sequence[_Track]) -> bool:
    """Return whether a note is made of the partials of a much stronger one.

    It begins within that one, or far fewer of its partials sound than of one of its multiples.
    """
    if not track.pitches:
        return False
    own = track.median_height(track.first, track.stop)
    if own < _FEW * track.strongest_multiple():
        return True
    within = [each for each in others if each.first + _LATER < track.first < each.stop]
    for other in within:
        share = own / max(other.median_height(track.first, min(track.stop, other.stop)), 1e-12)
        if share < _WEAK:
            return True
        # Voices of equal strength may be an octave or a twelfth apart.
        is_softer = share < _SOFT and track.is_multiple_of(other)
        if is_softer and track.rise_along(other) < _ATTACK:
            return True
    return False


@dataclass
class _Track:
    """Pitch of one note from frame to frame."""

    note: Note
    salience: FineSalience
    first: int
    pitches: list[float] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)
    offset: float = 0.0
    velocity: float = 0.0

    @classmethod
    def of(cls, note: Note, salience: FineSalience) -> _Track:
        """Begin a track at the highest peak near a note, soon after its onset."""
        onset = round(note.onset / HOP)
        best = None
        last = min(
            onset + _SEED_FRAMES, salience.n_frames, max(onset + 1, round(note.offset / HOP))
        )
        for frame in range(onset, last):
            for peak in salience.peaks(frame, note.pitch - _SEED, note.pitch + _SEED):
                if best is None or peak.height > best[1].height:
                    best = frame, peak
        track = cls(note, salience, onset, offset=note.offset, velocity=note.velocity)
        if best is not None:
            frame, peak = best
            track.first = frame
            track.pitches, track.heights = [peak.pitch], [peak.height]
        return track

    @property
    def end(self) -> int:
        """Frame after the last one."""
        return self.first + len(self.pitches)

    @property
    def stop(self) -> int:
        """Frame after the last one before the offset."""
        return min(self.end, max(self.first + 1, round(self.offset / HOP)))

    def median_height(self, first: int, stop: int) -> float:
        """Median salience in a range of frames, 0 without a pitch."""
        heights = self.heights[max(first - self.first, 0) : max(stop - self.first, 0)]
        return float(np.median(heights)) if heights else 0.0

    def strongest_multiple(self) -> float:
        """Highest median salience of a multiple of the pitch, along the first frames."""
        frames = range(self.first, min(self.stop, self.first + _EARLY))
        levels = [
            [self.salience.level(frame, pitch + interval) for interval in _MULTIPLES]
            for frame, pitch in zip(frames, self.pitches, strict=False)
        ]
        return float(np.median(levels, axis=0).max()) if levels else 0.0

    def is_multiple_of(self, other: _Track) -> bool:
        """Return whether this pitch moves with a multiple of that of another track."""
        skipped = self.first - other.first
        pairs = zip(self.pitches[:_EARLY], other.pitches[skipped:], strict=False)
        interval = float(np.median([own - below for own, below in pairs]))
        return bool(np.abs(interval - np.array(_MULTIPLES)).min() < _SAME)

    def rise_along(self, other: _Track) -> float:
        """Rise of the salience at the onset, at the interval from a track that sounds before."""
        start = self.first - other.first
        interval = self.pitches[0] - other.pitches[start]
        before, after = range(max(start - 12, 0), max(start - 4, 1)), range(start, start + 8)
        levels = [
            [
                self.salience.level(other.first + k, other.pitches[k] + interval)
                for k in span
                if k < len(other.pitches)
            ]
            for span in (before, after)
        ]
        return max(levels[1], default=0.0) / max(max(levels[0], default=0.0), 1e-12)

    def run(self, waiting: list[Note]) -> None:
        """Follow the pitch, and take the notes out of `waiting` that are fragments of this one."""
        if not self.pitches:
            return
        limit = self._frames_until(self.offset)
        self._advance(limit)
        index = 0
        while index < len(waiting):
            other = waiting[index]
            onset = max(round(other.onset / HOP), self.first)  # tracks begin up to 80 ms late
            if onset >= self.end - 1:
                break
            verdict = self._verdict(other, onset)
            if verdict == "step":
                self._cut(onset)
                break
            if verdict == "fragment":
                waiting.pop(index)
                if other.offset > self.offset:
                    self.offset = other.offset
                    self._advance(self._frames_until(self.offset))
            else:
                index += 1

    def _frames_until(self, offset: float) -> int:
        return min(round(offset / HOP) + _PATIENCE, self.salience.n_frames)

    def _advance(self, limit: int) -> None:
        """Follow the nearest strong peaks up to a frame, or until the sound has faded."""
        missing = 0
        while self.end + missing < limit and missing <= _GAP:
            here = self.pitches[-1]
            frame = self.end + missing
            reach = _REACH * (1 + missing)
            peaks = self.salience.peaks(frame, here - reach, here + reach)
            floor = _FADED * max(self.heights)
            best = max(
                (peak for peak in peaks if peak.height > floor),
                key=lambda peak: peak.height * np.exp(-(((peak.pitch - here) / _NEAR) ** 2) / 2),
                default=None,
            )
            if best is None:
                missing += 1
                continue
            steps = np.linspace(here, best.pitch, missing + 2)[1:].tolist()
            self.pitches += steps
            self.heights += [best.height] * len(steps)
            missing = 0

    def _verdict(self, other: Note, onset: int) -> str:
        """Return "fragment", "step" or "other" for a note that begins during this one."""
        span = range(onset, min(self.end, max(onset + 1, round(other.offset / HOP)), onset + 15))
        track = np.array([self.pitches[frame - self.first] for frame in span])
        if np.median(np.abs(track - other.pitch)) > _OWN:
            return "other"
        own = 0
        for frame, here in zip(span, track.tolist(), strict=True):
            floor = _STRENGTH * self.heights[frame - self.first]
            own += any(
                peak.height > floor and abs(peak.pitch - here) > _OTHER
                for peak in self.salience.peaks(frame, other.pitch - _OTHER, other.pitch + _OTHER)
            )
        if own > len(span) / 2:
            return "other"
        before, after = self._parts(onset)
        if min(len(before), len(after)) < _FEWEST:
            is_struck = onset - self.first >= _LATER and self._rise(onset) > _ATTACK
            return "step" if is_struck else "fragment"
        spread = max(_spread(before), _spread(after))
        jump = abs(float(np.median(after[:3]) - np.median(before[-3:])))
        if jump >= _STEP and spread < min(_STEADY, _STEADY_SHARE * jump):
            return "step"  # one steady pitch is left for another
        if spread < _STEADY:  # the same one is struck again, or not
            return "step" if self._rise(onset) > _STRUCK else "fragment"
        return "step" if self._rise(onset) > _ATTACK else "fragment"

    def _parts(self, onset: int) -> tuple[np.ndarray, np.ndarray]:
        """Pitches before and after the fastest move near an onset, without the window's length."""
        pitches = np.array(self.pitches)
        k = onset - self.first
        low, high = max(k - _TURN, 2), min(k + _TURN, len(pitches) - 2)
        if low < high:
            k = low + int(
                np.argmax(np.abs(pitches[low + 2 : high + 2] - pitches[low - 2 : high - 2]))
            )
        gap = next(
            frames for pitch, frames in _BETWEEN if pitches[min(k, len(pitches) - 1)] >= pitch
        )
        return pitches[max(k - gap - _PART, 0) : max(k - gap, 0)], pitches[k + gap :][:_PART]

    def _rise(self, onset: int) -> float:
        """Ratio of the salience after an onset to that before it."""
        k = onset - self.first
        before, after = self.heights[max(k - 5, 0) : k + 1], self.heights[k : k + 8]
        return max(after, default=0.0) / max(min(before, default=0.0), 1e-12)

    def _cut(self, onset: int) -> None:
        """End the track where another note begins."""
        count = max(onset - self.first, 1)
        del self.pitches[count:], self.heights[count:]
        self.offset = min(self.offset, onset * HOP)

    def as_note(self) -> Note:
        """Return the note with its pitch and its contour."""
        offset = max(self.offset, self.note.onset)
        count = max(1, round(offset / HOP) - self.first)
        pitches = np.array(self.pitches[:count])
        if not len(pitches):
            return self.note
        if len(pitches) > 2:  # a median of three frames, without the outliers of single ones
            middle = np.median(np.stack([pitches[:-2], pitches[1:-1], pitches[2:]]), axis=0)
            pitches = np.concatenate([pitches[:1], middle, pitches[-1:]])
        pitch = round(float(np.median(pitches)), 2)
        times = np.maximum((self.first + np.arange(len(pitches))) * HOP - self.note.onset, 0)
        bends = pitches - pitch
        moves = np.percentile(np.abs(bends), _MOST) > _CONSTANT
        contour = _simplified(times, bends) if moves else ()
        return replace(self.note, offset=offset, pitch=pitch, contour=contour)


def _spread(values: np.ndarray) -> float:
    return float(np.subtract(*np.percentile(values, (90, 10))))


def _simplified(times: np.ndarray, bends: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Points between which lines are within `_TOLERANCE` of all bends (Douglas and Peucker)."""
    kept = {0, len(times) - 1}
    spans = [(0, len(times) - 1)]
    while spans:
        a, b = spans.pop()
        if b - a < 2:
            continue
        line = np.interp(times[a : b + 1], times[[a, b]], bends[[a, b]])
        off = np.abs(bends[a : b + 1] - line)
        worst = a + int(np.argmax(off))
        if off.max() > _TOLERANCE:
            kept.add(worst)
            spans += [(a, worst), (worst, b)]
    points = sorted(kept)
    return tuple((round(float(times[k]), 4), round(float(bends[k]), 3)) for k in points)
