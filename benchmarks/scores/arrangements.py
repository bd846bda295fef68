"""Accompaniments made up for tunes: harmony from their notes, and textures of random kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

_TRIADS = np.array([(0, 4, 7), (2, 5, 9), (5, 9, 0), (7, 11, 2), (9, 0, 4)])  # I, ii, IV, V, vi
_USUAL = np.log([0.34, 0.08, 0.2, 0.28, 0.10])
_SCALE = np.array([1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1])
_TONIC = np.array([0.5, 0, 0, 0, 0.3, 0, 0, 0.4, 0, 0, 0, 0])  # weight beside the scale

Notes = Iterator[tuple[float, float, int]]
"""Onset and duration in quarters, and pitch."""


@dataclass(frozen=True)
class Section:
    """Notes [shape=(note, 3)] as `Notes`; bars begin at multiples of `bar`."""

    notes: np.ndarray
    beat: float
    bar: float
    compound: bool

    @property
    def beats_of_bar(self) -> int:
        """Beats of a bar."""
        return round(self.bar / self.beat)


@dataclass(frozen=True)
class _Style:
    """What stays the same while a texture lasts."""

    beat: float
    beats_of_bar: int
    thirds: bool
    often: bool
    wide: bool
    division: int
    cells: tuple[tuple[float, bool, bool], ...]  # place in a bar in beats, bass, chord

    @property
    def bar(self) -> float:
        return self.beat * self.beats_of_bar

    @property
    def parts(self) -> int:
        """Notes of a divided beat."""
        return 3 if self.thirds else 2


@dataclass(frozen=True)
class _Chord:
    bass: int
    fifth: int  # below the chord
    tones: tuple[int, int, int]


def accompanied(section: Section, rng: np.random.Generator) -> Section:
    """Add an accompaniment whose textures change after some bars."""
    notes, beat, bar = section.notes, section.beat, section.bar
    first = np.floor(notes[:, 0].min() / bar) * bar
    last = (notes[:, 0] + notes[:, 1]).max()
    half = bar / 2 if section.beats_of_bar in (2, 4) else bar
    unit = float(rng.choice([half, bar, beat], p=[0.5, 0.35, 0.15]))
    chords = _harmony(section, first, last, unit, rng)
    length, constant = bar * rng.choice([2, 4, 8]), rng.random() < 0.4
    names, odds = list(_TEXTURES), np.array([weight for weight, _ in _TEXTURES.values()])
    name = ""
    added: list[tuple[float, float, int]] = []
    for start in np.arange(first, last - 1e-6, length):
        if not name or not constant:
            name = names[rng.choice(len(names), p=odds / odds.sum())]
        style, end = _style(section, rng), min(start + length, last)
        for time in np.arange(start, end - 1e-6, beat):
            index = round(time % bar / beat)
            chord_at = partial(_chord_at, chords, first, unit)
            for onset, duration, pitch in _TEXTURES[name][1](time, index, chord_at, style):
                if onset < end - 1e-6:
                    added.append((onset, min(duration, end - onset), pitch))
    parts = [_moved(notes, rng.choice([0, 0, 12])), np.array(added).reshape(-1, 3)]
    if rng.random() < 0.25:
        parts.append(_moved(notes, rng.choice([12, -12])))  # doubled in octaves
    return Section(np.concatenate(parts), beat, bar, section.compound)


def _moved(notes: np.ndarray, semitones: int) -> np.ndarray:
    return notes + np.array([0, 0, semitones])


def _style(section: Section, rng: np.random.Generator) -> _Style:
    parts = 3 if section.compound else 2
    cells = [(0.0, True, bool(rng.random() < 0.5))]
    for place in range(1, section.beats_of_bar * parts):
        bass, chord = (0.35, 0.5) if place % parts == 0 else (0.2, 0.4)
        cells.append((place / parts, bool(rng.random() < bass), bool(rng.random() < chord)))
    often, wide = rng.random(2) < 0.5
    return _Style(
        section.beat,
        section.beats_of_bar,
        section.compound,
        bool(often),
        bool(wide),
        int(rng.choice([2, 3, 4])),
        tuple(cells),
    )


def _harmony(
    section: Section, first: float, last: float, unit: float, rng: np.random.Generator
) -> list[_Chord]:
    """The most probable triad of each stretch of a length, by the notes of the tune."""
    onsets, durations, pitches = section.notes.T
    weights = np.bincount(pitches.astype(int) % 12, durations, 12)
    key = int(np.argmax([np.roll(_SCALE + _TONIC, k) @ weights for k in range(12)]))
    count = int(np.ceil((last - first) / unit))
    fits = np.zeros((count, len(_TRIADS)))
    member = np.where((np.arange(12)[:, None, None] == _TRIADS).any(axis=2), 1.0, -1.2)
    edges = first + unit * np.arange(count + 1)
    for onset, duration, pitch in zip(onsets, durations, pitches, strict=True):
        shared = np.minimum(onset + duration, edges[1:]) - np.maximum(onset, edges[:-1])
        begins = np.abs(edges[:-1] - onset) < 1e-6
        share = np.maximum(0, shared) / unit * np.where(begins, 1.5, 1.0)
        fits += share[:, None] * member[int(pitch - key) % 12]
    fits = fits * rng.uniform(1.5, 3) + _USUAL
    stay = rng.uniform(0.3, 2.5)
    total, origins = fits[0], []
    for n in range(1, count):
        cost = stay * (0.3 if edges[n] % section.bar < 1e-6 else 1.6)
        reach = total[:, None] - cost * (1 - np.eye(len(_TRIADS)))
        origins.append(reach.argmax(axis=0))
        total = reach.max(axis=0) + fits[n]
    path = [int(total.argmax())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    low, middle = int(rng.integers(40, 50)), int(rng.integers(54, 62))
    return [_placed((_TRIADS[n] + key) % 12, low, middle) for n in reversed(path)]


def _placed(classes: np.ndarray, low: int, middle: int) -> _Chord:
    def near(number: int, place: int) -> int:
        return int(place + (number - place + 6) % 12 - 6)

    a, b, c = (near(number, middle) for number in classes)
    return _Chord(near(classes[0], low), near(classes[2], low), (a, b, c))


def _chord_at(chords: list[_Chord], first: float, unit: float, time: float) -> _Chord:
    return chords[min(len(chords) - 1, max(0, int((time - first) / unit + 1e-6)))]


ChordAt = Callable[[float], _Chord]


def _block(t: float, i: int, chord_at: ChordAt, s: _Style) -> Notes:
    for pitch in (chord_at(t).bass, *chord_at(t).tones):
        yield t, 0.9 * s.beat, pitch


def _sustained(t: float, i: int, chord_at: ChordAt, s: _Style) -> Notes:
    if i == 0 or chord_at(t) != chord_at(t - s.beat / 2):
        for pitch in (chord_at(t).bass, *chord_at(t).tones):
            yield t, (s.beats_of_bar - i) * s.beat, pitch


def _half_bars(t: float, i: int, chord_at: ChordAt, s: _Style) -> Notes:
    odd = s.beats_of_bar == 3
    if i == 0 or (i % 2 == 0 and not odd):
        for pitch in (chord_at(t).bass, *chord_at(t).tones):
            yield t, s.bar if odd else 2 * s.beat, pitch


def _bass_and_chords(t: float, i: int, chord_at: ChordAt, s: _Style) -> Notes:
    chord = chord_at(t)
    bass = chord.bass if i % 2 == 0 else chord.fifth
    if s.thirds:
        yield t, s.beat / 3, bass if s.often else chord.bass
        for place in (2,) if s.often else (1, 2):
            for pitch in chord.tones[:2]:
                yield t + place * s.beat / 3, s.beat / 3, pitch
    elif s.beats_of_bar == 2 or (s.beats_of_bar == 4 and s.often):
        yield t, s.beat / 2, bass
        for pitch in chord.tones:
            yield t + s.beat / 2, s.beat / 2, pitch
    elif i == 0 or (i == 2 and s.beats_of_bar == 4):
        yield t, s.beat, chord.bass if i == 0 else chord.fifth
    else:
        for pitch in chord.tones:
            yield t, 0.8 * s.beat, pitch


def _broken_chords(t: float, i: int, chord_at: ChordAt, s: _Style) -> Notes:
    low, middle, high = chord_at(t).tones
    if s.thirds:
        pattern = [low, middle, high]
    elif s.often:
        pattern = [low, high] if i % 2 == 0 else [middle, high]
    else:
        pattern = [low, high, middle, high]
    for k, pitch in enumerate(pattern):
        yield t + k * s.beat / len(pattern), s.beat / len(pattern), pitch


def _repeated(t: float, i: int, chord_at: ChordAt, s: _Style) -> Notes:
    chord = chord_at(t)
    for k in range(s.parts):
        for pitch in chord.tones if s.wide or k == 0 else chord.tones[:2]:
            yield t + k * s.beat / s.parts, 0.9 * s.beat / s.parts, pitch
    if i == 0 or s.often:
        yield t, s.beat / s.parts if s.often else s.bar / 2, chord.bass


def _fast(t: float, i: int, chord_at: ChordAt, s: _Style) -> Notes:
    chord, count = chord_at(t), 2 * s.parts
    for k in range(count):
        yield t + k * s.beat / count, s.beat / count, chord.tones[1 if s.often else k % 3]
    yield t, s.beat, chord.bass


def _bass(t: float, i: int, chord_at: ChordAt, s: _Style) -> Notes:
    yield t, s.beat, chord_at(t).bass if i % 2 == 0 else chord_at(t).fifth


def _moving_bass(t: float, i: int, chord_at: ChordAt, s: _Style) -> Notes:
    for k in range(s.parts):
        step = (2 * k if s.often else -2 * k) + (1 if s.wide and k else 0)
        yield t + k * s.beat / s.parts, s.beat / s.parts, chord_at(t).bass + step


def _after_beats(t: float, i: int, chord_at: ChordAt, s: _Style) -> Notes:
    if i == 0:
        yield t, s.beat / 2, chord_at(t).bass
    for pitch in chord_at(t).tones:
        yield t + (s.parts - 1) * s.beat / s.parts, 0.9 * s.beat / s.parts, pitch


def _arpeggio(t: float, i: int, chord_at: ChordAt, s: _Style) -> Notes:
    chord = chord_at(t)
    count = (6 if s.often else 3) if s.thirds else s.division
    tones = sorted([chord.bass, *chord.tones, *(pitch + 12 for pitch in chord.tones)])
    span = 2 * len(tones) - 2 if s.wide else max(count, 3)
    for k in range(count):
        step = (i * count * s.wide + k) % span
        pitch = tones[step] if step < len(tones) else tones[span - step]
        yield t + k * s.beat / count, s.beat / count, pitch
    if s.wide and i == 0:
        yield t, s.bar / 2, chord.bass - 12


def _driven(t: float, i: int, chord_at: ChordAt, s: _Style) -> Notes:
    for k in range(s.parts):
        yield t + k * s.beat / s.parts, 0.9 * s.beat / s.parts, chord_at(t).bass
    if i % 2 == s.often:
        for pitch in chord_at(t).tones:
            yield t, 0.8 * s.beat, pitch


def _syncopated(t: float, i: int, chord_at: ChordAt, s: _Style) -> Notes:
    for place, bass, chord in s.cells:
        if i <= place < i + 1:
            onset = t + (place - i) * s.beat
            for pitch in chord_at(onset).tones if chord else ():
                yield onset, 0.8 * s.beat, pitch
            if bass:
                yield onset, 0.9 * s.beat, chord_at(onset).bass


_TEXTURES: dict[str, tuple[float, Callable[[float, int, ChordAt, _Style], Notes]]] = {
    "block": (0.09, _block),
    "sustained": (0.1, _sustained),
    "half bars": (0.05, _half_bars),
    "bass and chords": (0.12, _bass_and_chords),
    "broken chords": (0.11, _broken_chords),
    "repeated": (0.13, _repeated),
    "fast": (0.06, _fast),
    "bass": (0.07, _bass),
    "moving bass": (0.04, _moving_bass),
    "after beats": (0.03, _after_beats),
    "arpeggio": (0.1, _arpeggio),
    "driven": (0.05, _driven),
    "syncopated": (0.09, _syncopated),
    "none": (0.06, lambda t, i, chord_at, s: iter(())),
}
