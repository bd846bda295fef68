"""Simulated performances of a piano: random music with pedals, played by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))  # semitones of major and minor
_LOWEST, _HIGHEST = 22, 107  # MIDI numbers
_REPEATED = 0.08  # s, shortest time between two strokes of a key
_LEAD_IN = 0.2  # s before the first bar


@dataclass(frozen=True)
class Stroke:
    """Key pressed from `onset` to `release` in seconds; `velocity` is a MIDI value."""

    onset: float
    release: float
    pitch: int
    velocity: float


@dataclass(frozen=True)
class Performance:
    """Strokes by onset, and intervals in seconds during which the sustain pedal is down."""

    strokes: tuple[Stroke, ...]
    pedals: tuple[tuple[float, float], ...]

    def sounding(self) -> list[Stroke]:
        """Return strokes whose release is the time at which their sound ends."""
        onsets: dict[int, list[float]] = {}
        for stroke in self.strokes:
            onsets.setdefault(stroke.pitch, []).append(stroke.onset)
        result = []
        for stroke in self.strokes:
            lifts = [up for down, up in self.pedals if down <= stroke.release < up]
            later = [onset for onset in onsets[stroke.pitch] if onset > stroke.onset]
            end = min([max([stroke.release, *lifts]), *later])
            result.append(Stroke(stroke.onset, end, stroke.pitch, stroke.velocity))
        return result


class _Hands:
    """Two hands that play random figures over random chords of one key."""

    def __init__(self, rng: np.random.Generator, seconds: float) -> None:
        self.rng, self.seconds = rng, seconds
        self.beat = float(np.exp(rng.uniform(np.log(0.35), np.log(1.0))))  # s
        self.scale = _SCALES[int(rng.integers(2))]
        self.tonic = int(rng.integers(12))
        # Sounding share of a note's length: staccato, detached, or overlapping.
        kinds = (rng.uniform(0.15, 0.5), rng.uniform(0.7, 1.0), rng.uniform(1.0, 1.3))
        self.legato = float(kinds[rng.choice(3, p=[0.25, 0.45, 0.3])])
        self.loudness = float(rng.uniform(40, 95))
        self.left = str(rng.choice(["block", "broken", "bass", "none"], p=[0.35, 0.35, 0.2, 0.1]))
        self.right = str(rng.choice(["melody", "chords", "runs"], p=[0.5, 0.25, 0.25]))
        # Scale degrees of the hands' positions; 7 are an octave.
        self.low, self.high = 7 * int(rng.integers(2, 4)), 7 * int(rng.integers(4, 7))
        self.step = int(rng.integers(7))
        self.strokes: list[Stroke] = []

    def play(self) -> list[Stroke]:
        """Return the strokes of all half bars, of two beats each."""
        root = 0
        for half in range(2 * (int(self.seconds / (4 * self.beat)) + 1)):
            if half % 2 == 0 or self.rng.random() < 0.4:
                root = int(self.rng.choice([0, 3, 4, 5, 1, 2], p=[0.3, 0.2, 0.2, 0.15, 0.1, 0.05]))
            start = _LEAD_IN + 2 * half * self.beat
            self._accompany(start, root)
            self._lead(start)
        return _playable(self.strokes, self.seconds - 1)

    def _accompany(self, start: float, root: int) -> None:
        chord = [self.low + root + degree for degree in (0, 2, 4, 7)]
        if self.left == "block":
            for degree in chord[: int(self.rng.integers(2, 5))]:
                self._strike(start, 2 * self.beat, degree, -8)
        elif self.left == "broken":
            count = int(self.rng.choice([4, 8]))
            order, length = self.rng.permutation(4), 2 * self.beat / count
            for n in range(count):
                self._strike(start + n * length, length, chord[order[n % 4]], -8)
        elif self.left == "bass":
            for octave in (-7, 0)[: int(self.rng.integers(1, 3))]:
                self._strike(start, 2 * self.beat, chord[0] + octave, 0)

    def _lead(self, start: float) -> None:
        position = 0.0  # in beats
        while position < 2:
            length = min(self._length(), 2 - position)
            moves, shares = (-2, -1, 1, 2, 4, -4, 0), (0.15, 0.25, 0.25, 0.15, 0.05, 0.05, 0.1)
            self.step = int(np.clip(self.step + self.rng.choice(moves, p=shares), -5, 12))
            voices = (0, -2, -4)[: int(self.rng.integers(2, 4))] if self.right == "chords" else (0,)
            if self.rng.random() < 0.9:  # otherwise a rest
                for voice in voices:
                    onset = start + position * self.beat
                    self._strike(onset, length * self.beat, self.high + self.step + voice, 5)
            position += length

    def _length(self) -> float:
        """Length of a note of the right hand in beats."""
        if self.right == "runs":
            return float(self.rng.choice([0.25, 0.125] if self.beat > 0.6 else [0.25, 0.5]))
        return float(self.rng.choice([0.25, 0.5, 1.0, 2.0], p=[0.15, 0.4, 0.3, 0.15]))

    def _strike(self, onset: float, length: float, degree: int, louder: float) -> None:
        """Strike the key of a scale degree, a little early or late."""
        pitch = self.tonic + 12 * (degree // 7) + self.scale[degree % 7]
        begin = max(onset + float(self.rng.normal(0, 0.012)), 0.1)
        held = max(length * self.legato * float(self.rng.uniform(0.85, 1.1)), 0.05)
        velocity = self.loudness + louder + float(self.rng.normal(0, 8))
        key = int(np.clip(pitch, _LOWEST, _HIGHEST))
        self.strokes.append(Stroke(begin, begin + held, key, int(np.clip(velocity, 12, 126))))


def perform(rng: np.random.Generator, seconds: float) -> Performance:
    """Draw a performance: key, tempo, figures, articulation, loudness and pedalling."""
    hands = _Hands(rng, seconds)
    strokes = hands.play()
    pedals = [(down, up) for down, up in _pedals(rng, hands.beat, seconds) if up - down > 0.05]
    return Performance(tuple(strokes), tuple(pedals))


def _pedals(rng: np.random.Generator, beat: float, seconds: float) -> list[tuple[float, float]]:
    """Draw intervals of the pedal: none, changed with the harmony, or at random."""
    kind = rng.choice(["none", "change", "long", "random"], p=[0.2, 0.5, 0.12, 0.18])
    if kind == "none":
        return []
    pedals = []
    if kind == "random":
        time = float(rng.uniform(0, 2))
        while time < seconds:
            up = time + float(rng.exponential(1.5)) + 0.1
            pedals.append((time, up))
            time = up + float(rng.exponential(0.8)) + 0.05
        return pedals
    beats = int(rng.integers(1, 3)) if kind == "change" else int(rng.integers(4, 8))
    span, time = 2 * beats * beat, _LEAD_IN
    # Legato pedalling: the pedal rises just after the harmony changes, and falls again.
    late, gap = float(rng.uniform(0, 0.12)), float(rng.uniform(0.04, 0.3))
    while time < seconds:
        down = time + late + gap + abs(float(rng.normal(0, 0.03)))
        pedals.append((down, time + span + late + float(rng.normal(0, 0.02))))
        time += span
    return pedals


def _playable(strokes: list[Stroke], end: float) -> list[Stroke]:
    """Strokes before `end`, at most one at a time on each key."""
    last: dict[int, int] = {}
    result: list[Stroke] = []
    for stroke in sorted(strokes, key=lambda each: (each.onset, each.pitch)):
        if stroke.onset >= end:
            continue
        before = last.get(stroke.pitch)
        if before is not None:
            earlier = result[before]
            if stroke.onset - earlier.onset < _REPEATED:
                continue
            release = min(earlier.release, stroke.onset - 0.02)
            result[before] = Stroke(earlier.onset, release, earlier.pitch, earlier.velocity)
        last[stroke.pitch] = len(result)
        result.append(stroke)
    return result
