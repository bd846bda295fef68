"""Pitch bends of MIDI: channels of notes with different bends, and pitches of bent notes."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from nmfaudio.errors import AudioWarning
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note

STEP = 0.01  # s between the bends of a moving pitch
_CENTRE = 8192  # steps of the pitch wheel on either side of its centre
_STRAIGHT = 5e-4  # semitones off a key that are not written
_RANGES = (2, 12, 24, 48, 127)  # semitones: the default of General MIDI, then usual ones
_RELEASE = 0.5  # s after a note in which its channel had better not be bent otherwise
_SHORTEST = 1e-3  # s that a note occupies its channel at least

# Controllers that set a registered parameter, here the bend range, and its value.
_PARAMETER_HIGH, _PARAMETER_LOW, _VALUE_HIGH, _VALUE_LOW = 101, 100, 6, 38
_NO_PARAMETER = 127


class Voicing(NamedTuple):
    """Channel and key of a note, and its bends as (seconds, semitones above the key)."""

    channel: int
    key: int
    bends: tuple[tuple[float, float], ...]


@dataclass
class _Channel:
    """State of a channel after the notes so far."""

    number: int
    until: float = -math.inf  # s at which its last note ends
    bend: float | None = 0.0  # semitones; None while it moves
    used: bool = False
    straight: bool = False  # whether notes without bends have this channel


def nearest_key(pitch: float) -> int:
    """Nearest MIDI number, the upper of two.

    Parameters
    ----------
    pitch : float

    Returns
    -------
    int
    """
    return math.floor(pitch + 0.5)


def voice(notes: Sequence[Note]) -> list[Voicing]:
    """Allot channels to notes, so that none is bent by the bends of another.

    Bends are those of a channel: notes that sound together with different bends need a channel
    each, as in MIDI Polyphonic Expression. Notes on keys keep their channel, unless it is bent
    at that time; those off keys get channels that no other notes have as long as there are any.
    Drums are never bent.

    Parameters
    ----------
    notes : sequence of Note
        Sorted by onset.

    Returns
    -------
    list of Voicing
        One for each note. All of a channel have bends, or none.

    Warns
    -----
    AudioWarning
        More than 15 different bends sound at a time; the last notes get the nearest pitch that a
        channel has.

    Examples
    --------
    >>> notes = [Note(0, 2, 60), Note(0, 1, 60.5), Note(1, 2, 64.5)]
    >>> [(each.channel, each.key, each.bends) for each in voice(notes)]
    [(0, 60, ()), (1, 61, ((0, -0.5),)), (1, 65, ((1, -0.5),))]
    """
    curves = [() if note.channel == DRUM_CHANNEL else _bends(note) for note in notes]
    channels = [_Channel(number) for number in range(16) if number != DRUM_CHANNEL]
    for note, curve in zip(notes, curves, strict=True):
        if not curve:
            for channel in channels:
                channel.straight |= channel.number == note.channel
    voicings: list[Voicing] = []
    lost = []
    for note, curve in zip(notes, curves, strict=True):
        if note.channel == DRUM_CHANNEL:
            voicings.append(Voicing(note.channel, nearest_key(note.pitch), ()))
            continue
        chosen = _choose(channels, note, _constant(curve))
        if chosen is not None:
            _occupy(chosen, note, _constant(curve))
            voicings.append(Voicing(chosen.number, nearest_key(note.pitch), curve))
        else:
            lost.append(len(voicings))
            voicings.append(_nearest(channels, note))
    if lost:
        warnings.warn(
            f"{len(lost)} of {len(notes)} notes got the nearest pitch that another note's bend "
            "gives: MIDI can bend 15 channels, and more bends sound at a time; write a table "
            "(.csv) or JAMS, which keep all pitches",
            AudioWarning,
            stacklevel=2,
        )
    bent = {each.channel for each in voicings if each.bends}
    # Notes on keys of a channel that is bent elsewhere set its bend back.
    return [
        each._replace(bends=((note.onset, 0.0),))
        if each.channel in bent and not each.bends and index not in lost
        else each
        for index, (each, note) in enumerate(zip(voicings, notes, strict=True))
    ]


def bend_range(voicings: Iterable[Voicing]) -> int:
    """Smallest usual range, in semitones, that all bends are within.

    Parameters
    ----------
    voicings : iterable of Voicing

    Returns
    -------
    int

    Examples
    --------
    >>> bend_range([Voicing(0, 60, ((0.0, 0.5), (1.0, -3.0)))])
    12
    """
    largest = max((abs(bend) for each in voicings for _, bend in each.bends), default=0.0)
    return next(limit for limit in _RANGES if largest <= limit)


def wheel_position(semitones: float, limit: int) -> int:
    """Position of the pitch wheel for a bend, from −8192 to 8191.

    Parameters
    ----------
    semitones : float
    limit : int
        Bend range in semitones.

    Returns
    -------
    int
    """
    return min(round(semitones / limit * _CENTRE), _CENTRE - 1)


def range_controls(limit: int) -> tuple[tuple[int, int], ...]:
    """Controllers and values that set the bend range of a channel: registered parameter 0.

    Parameters
    ----------
    limit : int
        In semitones.

    Returns
    -------
    tuple of (int, int)
    """
    return (
        (_PARAMETER_HIGH, 0),
        (_PARAMETER_LOW, 0),
        (_VALUE_HIGH, limit),
        (_VALUE_LOW, 0),
        (_PARAMETER_HIGH, _NO_PARAMETER),
        (_PARAMETER_LOW, _NO_PARAMETER),
    )


@dataclass
class PitchWheel:
    """Bends of one channel in the order of time, as read from a file.

    Examples
    --------
    >>> wheel = PitchWheel()
    >>> wheel.turn(0.5, 4096)
    >>> wheel.pitch(60, 0.0, 0.5), wheel.pitch(60, 0.5, 1.0)
    ((60, ()), (61.0, ()))
    """

    _limit: float = 2.0  # semitones
    _parameter: tuple[int, int] = (_NO_PARAMETER, _NO_PARAMETER)
    _times: list[float] = field(default_factory=list)
    _bends: list[float] = field(default_factory=list)

    def control(self, number: int, value: int) -> None:
        """Follow a controller, which may set the bend range.

        Parameters
        ----------
        number, value : int
        """
        high, low = self._parameter
        if number == _PARAMETER_HIGH:
            self._parameter = value, low
        elif number == _PARAMETER_LOW:
            self._parameter = high, value
        elif self._parameter == (0, 0) and number == _VALUE_HIGH:
            self._limit = value + self._limit % 1
        elif self._parameter == (0, 0) and number == _VALUE_LOW:
            self._limit = int(self._limit) + value / 100  # cents

    def turn(self, seconds: float, position: int) -> None:
        """Follow the pitch wheel.

        Parameters
        ----------
        seconds : float
        position : int
            From −8192 to 8191.
        """
        self._times.append(seconds)
        self._bends.append(position / _CENTRE * self._limit)

    def pitch(
        self, key: int, onset: float, offset: float
    ) -> tuple[float, tuple[tuple[float, float], ...]]:
        """Pitch and contour of a note.

        Parameters
        ----------
        key : int
        onset, offset : float
            In seconds.

        Returns
        -------
        pitch : float
            The median over the note where the pitch moves.
        contour : tuple of (float, float)
        """
        first = bisect_right(self._times, onset)
        last = max(first, bisect_left(self._times, offset))
        bend = self._bends[first - 1] if first else 0.0
        points = [(0.0, bend)]
        for seconds, following in zip(
            self._times[first:last], self._bends[first:last], strict=True
        ):
            after = seconds - onset
            if after - points[-1][0] > 2 * STEP:  # held, until it was turned in one step
                points.append((after - STEP, points[-1][1]))
            if after > points[-1][0]:
                points.append((after, following))
            else:
                points[-1] = after, following
        if all(value == bend for _, value in points):
            return (key + bend if bend else key), ()
        curve = np.array(points)
        grid = np.arange(0, max(offset - onset, STEP), STEP)
        middle = float(np.median(np.interp(grid, curve[:, 0], curve[:, 1])))
        # A bend below the lowest or above the highest key is beyond what a note may have.
        pitch = min(max(key + middle, 0.0), 127.0)
        heights = np.clip(key + curve[:, 1], 0, 127) - pitch
        return pitch, tuple(zip(curve[:, 0].tolist(), heights.tolist(), strict=True))


def _bends(note: Note) -> tuple[tuple[float, float], ...]:
    """Bends of a note from its onset on, as semitones above its key; none on the key itself."""
    key = nearest_key(note.pitch)
    if not note.contour:
        return ((note.onset, note.pitch - key),) if abs(note.pitch - key) > _STRAIGHT else ()
    end = note.offset - note.onset
    times = [0.0, *(seconds for seconds, _ in note.contour if 0 < seconds < end), end]
    dense = [
        float(time)
        for a, b in pairwise(times)
        for time in np.linspace(a, b, max(1, math.ceil((b - a) / STEP - 1e-6)), endpoint=False)
    ]
    heights = note.pitch_at(note.onset + np.array(dense or [0.0])) - key
    bends = [(note.onset + (dense[0] if dense else 0.0), float(heights[0]))]
    for seconds, height in zip(dense[1:], heights[1:].tolist(), strict=True):
        if height != bends[-1][1]:
            bends.append((note.onset + seconds, height))
    return tuple(bends)


def _constant(bends: tuple[tuple[float, float], ...]) -> float | None:
    """Bend of the whole note in semitones, or None if it moves."""
    return None if len(bends) > 1 else bends[0][1] if bends else 0.0


def _choose(channels: Sequence[_Channel], note: Note, bend: float | None) -> _Channel | None:
    """Channel in which a note may sound with its bend, if there is one."""
    free = [c for c in channels if c.until <= note.onset or (bend is not None and c.bend == bend)]

    def cost(channel: _Channel) -> tuple[bool | float, ...]:
        own = channel.number == note.channel
        if bend == 0:
            return (not own, not channel.straight, channel.until)
        bent_so = channel.used and bend is not None and channel.bend == bend
        rested = channel.used and channel.until + _RELEASE <= note.onset
        # Rather one that had this bend, then one that rested, then one that is new.
        return (channel.straight, not bent_so, not rested, channel.used, not own, channel.until)

    return min(free, key=cost, default=None)


def _occupy(channel: _Channel, note: Note, bend: float | None) -> None:
    until = max(note.offset, note.onset + _SHORTEST)
    channel.until = max(channel.until, until)
    channel.bend, channel.used = bend, True


def _nearest(channels: Sequence[_Channel], note: Note) -> Voicing:
    """Key of a channel whose bend is next to a note's pitch; channels that move only if all do."""

    def distance(channel: _Channel) -> tuple[bool, float]:
        off = (note.pitch - (channel.bend or 0.0) + 0.5) % 1 - 0.5
        return channel.bend is None, abs(off)

    chosen = min(channels, key=distance)
    key = nearest_key(note.pitch - (chosen.bend or 0.0))
    chosen.until = max(chosen.until, note.offset)
    return Voicing(chosen.number, min(max(key, 0), 127), ())
