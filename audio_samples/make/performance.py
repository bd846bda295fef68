"""Performance of written music: notes with human timing and dynamics, and a MIDI file.

Times are in quarter notes ("beats") until `Score.seconds` turns them into seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import mido
import numpy as np

TICKS_PER_BEAT = 960
LEAD_IN = 0.1  # beats of silence before beat 0, so that an early note stays within the file
SHORTEST_NOTE = 0.05  # beats
EXPRESSION, PEDAL = 11, 64  # MIDI controllers
DRUM_CHANNEL = 9  # the tenth channel, counted from 0

Curve = Sequence[tuple[float, float]]  # (beat, value) breakpoints, linear between them

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_TOKEN = re.compile(
    r"(?P<pitches>r|[A-G][#b]?\d(?:\+[A-G][#b]?\d)*)(?:/(?P<length>\d+))?(?P<accent>>?)"
)


@dataclass(frozen=True)
class Note:
    """Note with onset and length in beats, MIDI pitch and velocity."""

    onset: float
    length: float
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Track:
    """Instrument with a MIDI channel (from 0), a General MIDI program, notes and controllers.

    `controls` holds (beat, controller, value).
    """

    name: str
    channel: int
    notes: tuple[Note, ...]
    program: int = 0
    controls: tuple[tuple[float, int, int], ...] = ()

    def midi(self) -> mido.MidiTrack:
        """Convert to a MIDI track."""
        events: list[tuple[float, int, mido.Message]] = []
        for beat, control, value in self.controls:
            message = mido.Message(
                "control_change", channel=self.channel, control=control, value=value
            )
            events.append((beat, 1, message))
        for note in without_overlaps(self.notes):
            common = {"channel": self.channel, "note": note.pitch}
            on = mido.Message("note_on", velocity=note.velocity, **common)
            off = mido.Message("note_off", velocity=0, **common)
            events += [(note.onset, 2, on), (note.onset + note.length, 0, off)]
        events.sort(key=lambda event: event[:2])
        program = mido.Message("program_change", channel=self.channel, program=self.program)
        return _timed([(-LEAD_IN, -1, program), *events], name=self.name)


@dataclass(frozen=True)
class Score:
    """Piece of music: tempo curve in quarter notes per minute, metre and tracks."""

    title: str
    tempo: Curve
    tracks: tuple[Track, ...]
    metre: tuple[int, int] = (4, 4)

    def midi(self, tracks: Iterable[Track] | None = None) -> mido.MidiFile:
        """Convert the score, or some of its tracks, to a MIDI file of type 1."""
        file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
        numerator, denominator = self.metre
        metre = mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)
        tempi = [
            (beat, 1, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm)))
            for beat, bpm in self._tempo_steps()
        ]
        file.tracks.append(_timed([(-LEAD_IN, 0, metre), *tempi], name=self.title))
        file.tracks += [track.midi() for track in (self.tracks if tracks is None else tracks)]
        return file

    def save(self, path: Path) -> None:
        """Write the score as a MIDI file."""
        self.midi().save(path)

    def _tempo_steps(self) -> list[tuple[float, float]]:
        """Sample the tempo curve every half beat; equal neighbours are merged."""
        beats, values = np.array(self.tempo, dtype=float).T
        grid = np.arange(beats[0], beats[-1] + 0.25, 0.5)
        steps = [(-LEAD_IN, float(values[0]))]
        for beat, bpm in zip(grid, np.interp(grid, beats, values), strict=True):
            if abs(bpm - steps[-1][1]) > 0.1:
                steps.append((float(beat), float(bpm)))
        return steps


def _timed(events: Sequence[tuple[float, int, mido.Message]], *, name: str) -> mido.MidiTrack:
    """MIDI track of events (beat, order at equal beats, message) that are sorted by time."""
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name, time=0)])
    now = 0
    for beat, _, message in events:
        tick = max(now, round((beat + LEAD_IN) * TICKS_PER_BEAT))
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=0))
    return track


def without_overlaps(notes: Iterable[Note]) -> list[Note]:
    """Sort notes by time and shorten each to end before the next note of its pitch.

    MIDI cannot represent two simultaneous notes of the same pitch.
    """
    ordered = sorted(notes, key=lambda note: (note.onset, note.pitch))
    latest: dict[int, int] = {}
    for index, note in enumerate(ordered):
        before = latest.get(note.pitch)
        if before is not None:
            longest = note.onset - ordered[before].onset - SHORTEST_NOTE / 2
            if longest < SHORTEST_NOTE / 2:
                raise ValueError(f"pitch {note.pitch} occurs twice at beat {note.onset:.2f}")
            ordered[before] = replace(ordered[before], length=min(ordered[before].length, longest))
        latest[note.pitch] = index
    return ordered


def pitch_number(name: str) -> int:
    """MIDI number of a pitch such as ``F#3`` (C4 is 60)."""
    sharps = name.count("#") - name[1:].count("b")
    return 12 * (int(name[-1]) + 1) + _SEMITONES[name[0]] + sharps


def at(curve: Curve, beat: float) -> float:
    """Value of a curve at a beat."""
    beats, values = zip(*curve, strict=True)
    return float(np.interp(beat, beats, values))


def play(
    text: str,
    *,
    unit: float,
    bar: int,
    dynamics: Curve,
    rng: np.random.Generator,
    pickup: int = 0,
    legato: float = 0.97,
    looseness: float = 0.012,
    delay: float = 0.0,
) -> list[Note]:
    """Perform one notated voice.

    Parameters
    ----------
    text
        Pitches joined by ``+``, or ``r`` for a rest, then ``/length`` in units; without a length
        the previous one applies. ``>`` accents. ``|`` must stand at the end of a bar.
    unit
        Length of a unit [beats].
    bar, pickup
        Length of a bar, and of the upbeat [units].
    dynamics
        Velocity over time.
    rng
        Source of the deviations in time and velocity.
    legato
        Duration of a note relative to its notated length.
    looseness
        Standard deviation of the onsets [beats].
    delay
        Delay of this voice [beats].

    Returns
    -------
    list of Note
        Notes of the voice in order of notation.
    """
    notes: list[Note] = []
    position, length = 0, 1
    for token in text.split():
        if token == "|":
            if (position - pickup) % bar:
                raise ValueError(f"bar line after {position} units in {text!r}")
            continue
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise ValueError(f"cannot read {token!r}")
        length = int(match["length"] or length)
        beat = position * unit
        for name in [] if match["pitches"] == "r" else match["pitches"].split("+"):
            # Players stress the first note of a bar slightly.
            stress = 4 * ((position - pickup) % bar == 0) + 12 * bool(match["accent"])
            velocity = at(dynamics, beat) + stress + 3 * _deviation(rng)
            onset = beat + delay + looseness * _deviation(rng)
            notes.append(Note(onset, length * unit * legato, pitch_number(name), _clip(velocity)))
        position += length
    return notes


def strike(
    pattern: str,
    pitch: int,
    *,
    rng: np.random.Generator,
    swing: float = 0.0,
    looseness: float = 0.01,
) -> list[Note]:
    """Perform the sixteenths of one drum, one character each; blanks are ignored.

    ``X`` accent, ``x`` normal, ``o`` light, ``g`` ghost note, ``.`` rest. `swing` is the delay of
    every second sixteenth, `looseness` the standard deviation of the onsets; both in beats.
    """
    levels = {"X": 114, "x": 96, "o": 72, "g": 44}
    notes = []
    for step, mark in enumerate(pattern.replace(" ", "")):
        if mark == ".":
            continue
        beat = step / 4 + swing * (step % 2) + looseness * _deviation(rng)
        notes.append(Note(beat, 0.2, pitch, _clip(levels[mark] + 5 * _deviation(rng))))
    return notes


def expression(curve: Curve) -> tuple[tuple[float, int, int], ...]:
    """Sample a curve as values of the expression controller, eight per beat."""
    beats = np.arange(curve[0][0], curve[-1][0], 1 / 8)
    return tuple((float(beat), EXPRESSION, _clip(at(curve, beat))) for beat in beats)


def pedalled(changes: Sequence[float]) -> tuple[tuple[float, int, int], ...]:
    """Controller values of the sustain pedal, lifted at each change and pressed just after it."""
    steps: list[tuple[float, int, int]] = []
    for beat in changes:
        steps += [(beat, PEDAL, 0), (beat + 0.12, PEDAL, 127)]
    return tuple(steps)


def _deviation(rng: np.random.Generator) -> float:
    """Draw a standard normal deviate, clipped to two standard deviations."""
    return float(np.clip(rng.standard_normal(), -2, 2))


def _clip(value: float) -> int:
    """Round to a MIDI value from 1 to 127."""
    return int(np.clip(round(value), 1, 127))
