"""Performances of random sections of scores, to train on: more varied than those of `material`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import nmfaudio as na
from benchmarks.scores.arrangements import Section, accompanied
from benchmarks.scores.material import Piece
from nmfaudio.symbolic.strokes import Strokes, strokes_of

_LONGEST = 40.0  # s
_NEAR, _NEAR_BEATS = 0.06, 0.12  # s, and beats, between a beat and a stroke on it
_FEWEST = 20  # notes
_INVENTED = 0.15  # share of the examples


@dataclass(frozen=True)
class Example:
    """Strokes of a performance, with what is to be learned about them.

    Parameters
    ----------
    strokes : Strokes
    on_beats : np.ndarray [shape=(stroke, 2)]
        Whether they are on beats, and on downbeats.
    period : float
        Median distance of beats in seconds.
    beats_of_bar : int
    compound : bool
    """

    strokes: Strokes
    on_beats: np.ndarray
    period: float
    beats_of_bar: int
    compound: bool


def simulate(piece: Piece, rng: np.random.Generator) -> Example | None:
    """Perform a random section of a piece, or an invented tune; None if it has too few notes."""
    is_invented = rng.random() < _INVENTED
    section = invented(rng) if is_invented else _section(piece, rng)
    if len(section.notes) < _FEWEST:
        return None
    if (is_invented or piece.parts == 1) and rng.random() < 0.85:
        section = accompanied(section, rng)
    notes, beats, downbeats = _perform(section, rng)
    first = rng.uniform(0, max(0.0, notes[-1].onset - _LONGEST))
    notes = [note for note in notes if first <= note.onset < first + _LONGEST]
    if len(notes) < _FEWEST:
        return None
    strokes = strokes_of(notes)
    period = float(np.median(np.diff(beats)))
    near = min(_NEAR, _NEAR_BEATS * period)
    on = [np.abs(strokes.times[:, None] - each).min(axis=1) < near for each in (beats, downbeats)]
    return Example(strokes, np.column_stack(on), period, section.beats_of_bar, section.compound)


def invented(rng: np.random.Generator) -> Section:
    """Make up a tune: rhythms that return every few bars, and steps in a major scale."""
    compound = bool(rng.random() < 0.3)
    beat, count = (1.5 if compound else 1.0), int(rng.choice([2, 3, 4], p=[0.25, 0.4, 0.35]))
    divisions = (
        [(1,), (2, 1), (1, 1, 1), (1,) * 6] if compound else [(1,), (1, 1), (3, 1), (1,) * 4]
    )
    odds = rng.dirichlet(np.ones(4))
    pattern = [divisions[n] for n in rng.choice(4, count * rng.choice([1, 2, 4]), p=odds)]
    onsets: list[float] = []
    for n in range(count * int(rng.integers(8, 25))):
        same = rng.random() < 0.8
        shares = np.array(pattern[n % len(pattern)] if same else divisions[rng.integers(4)])
        onsets += list(beat * (n + (np.cumsum(shares) - shares) / shares.sum()))
    leap = rng.choice([1.0, 2.0, 4.0])
    degrees = np.round(np.cumsum(rng.normal(0, leap, len(onsets)))) % 14
    pitches = 65 + 12 * (degrees // 7) + np.array([0, 2, 4, 5, 7, 9, 11])[(degrees % 7).astype(int)]
    durations = np.diff(onsets, append=onsets[-1] + beat)
    return Section(np.column_stack([onsets, durations, pitches]), beat, count * beat, compound)


def _section(piece: Piece, rng: np.random.Generator) -> Section:
    """Some bars of a piece, of which a part may be missing."""
    beat, bar = float(piece.beat), float(piece.bar)
    rows = [
        (float(note.onset - piece.pickup), float(note.duration), note.pitch, note.part)
        for note in piece.notes
    ]
    notes = np.array(rows)
    if piece.parts > 2 and rng.random() < 0.25:
        notes = notes[notes[:, 3] != rng.integers(piece.parts)]
    length = rng.uniform(40, 110) * beat * rng.uniform(0.6, 1)
    end, first = (notes[:, 0] + notes[:, 1]).max(), 0.0
    lead = notes[:, 0].min()
    if end > length and rng.random() < 0.6:
        first = np.floor(rng.uniform(0, end - 0.8 * length) / bar) * bar
        lead = -float(rng.choice([0, beat / 2, beat], p=[0.8, 0.1, 0.1]))
    inside = (notes[:, 0] >= first + lead - 1e-6) & (notes[:, 0] < first + length)
    notes = notes[inside, :3] - [first, 0, 0]
    compound = piece.denominator == 8
    if not compound and rng.random() < 0.08:
        notes = _anticipated(notes, beat, rng)
    return Section(notes, beat, bar, compound)


def _anticipated(notes: np.ndarray, beat: float, rng: np.random.Generator) -> np.ndarray:
    """Notes of which some on beats begin half a beat earlier, where none begins there."""
    onsets = notes[:, 0]
    on_beat = np.abs(onsets / beat - np.round(onsets / beat)) < 1e-6
    taken = (np.abs(onsets[:, None] - beat / 2 - onsets) < 1e-6).any(axis=1)
    moved = on_beat & ~taken & (onsets > 0) & (rng.random(len(onsets)) < 0.4)
    return notes + np.outer(moved, [-beat / 2, beat / 2, 0])


def _perform(
    section: Section, rng: np.random.Generator
) -> tuple[list[na.Note], np.ndarray, np.ndarray]:
    """Notes as played, beats and downbeats."""
    low, high = [(0, 0.2), (0.2, 1.4), (1.4, 2.2)][rng.choice(3, p=[0.15, 0.7, 0.15])]
    expression = rng.uniform(low, high)
    grid, times, seconds = _timing(section, expression, rng)
    kept = section.notes[rng.random(len(section.notes)) >= 0.06 * expression * rng.random()]
    written, durations = kept[:, 0], kept[:, 1]
    pitches = np.clip(kept[:, 2].astype(int) + rng.integers(-6, 7), 24, 104)
    count = len(kept)
    spread = rng.uniform(0.003, 0.018) * expression
    onsets = seconds(written) + rng.normal(0, 1, count) * spread
    lengths = seconds(written + durations) - seconds(written)
    lengths = lengths * (1 - expression * rng.uniform(-0.05, rng.uniform(0.2, 0.5), count))
    lost = rng.random(count) < 0.15 * expression  # ends that a transcriber loses
    lengths = np.maximum(0.05, np.where(lost, np.minimum(lengths, 0.1), lengths))
    if rng.random() < 0.1:  # detached
        lengths = np.minimum(lengths, rng.uniform(0.1, 0.4))
    on_beat = np.abs(written / section.beat - np.round(written / section.beat)) < 1e-4
    on_bar = np.abs(written / section.bar - np.round(written / section.bar)) < 1e-4
    accents = rng.uniform(0, 0.08) * (on_bar + 0.6 * on_beat) * rng.uniform(0, 1, count)
    by_pitch = rng.uniform(-0.06, 0.06) * (pitches - 60) / 12
    varied = 0 if rng.random() < 0.1 else 1
    velocities = 0.5 + varied * (accents + by_pitch + rng.normal(0, 0.08, count))
    velocities = np.clip(velocities, 0.1, 1)
    false = rng.integers(0, count, int(0.02 * expression * count))  # octaves of others
    pitches = np.append(pitches, np.minimum(108, pitches[false] + 12))
    velocities = np.append(velocities, np.full(len(false), 0.2))
    onsets, lengths = (np.append(each, each[false]) for each in (onsets, lengths))
    shift = 0.3 - onsets.min()
    onsets = onsets + shift
    notes = [
        na.Note(float(onsets[n]), float(onsets[n] + lengths[n]), int(pitches[n]), velocities[n])
        for n in np.lexsort((pitches, onsets))
    ]
    begins = np.abs(grid / section.bar - np.round(grid / section.bar)) < 1e-4
    return notes, times + shift, times[begins] + shift


def _timing(section: Section, expression: float, rng: np.random.Generator):
    """Beats in quarters and in seconds, and a function from quarters to seconds."""
    onsets, beat = section.notes[:, 0], section.beat
    first, last = onsets.min(), (onsets + section.notes[:, 1]).max()
    rate = len(np.unique(np.round(onsets, 3))) / max(last - first, 1) * beat  # strokes per beat
    slow, fast = sorted((max(45, 60 * 1.2 / rate), min(190, 60 * 9 / rate)))
    usual = rng.random() < 0.6
    tempo = 100 * np.exp(rng.normal(0, 0.3)) if usual else rng.uniform(slow, fast)
    period = 60 / float(np.clip(tempo, slow, fast))
    grid = (np.floor(first / beat) - 2 + np.arange(int((last - first) / beat) + 6)) * beat
    steps, walk = rng.normal(0, 0.02 * expression, len(grid)), np.zeros(len(grid))
    for n in range(1, len(grid)):
        walk[n] = 0.9 * walk[n - 1] + steps[n]
    phrase = 2 * (grid / section.bar / rng.choice([4, 4, 8, 2]) % 1) - 1
    local = period * np.exp(walk + rng.uniform(0, 0.12) * expression * phrase**2)
    times = np.concatenate([[0], np.cumsum(local[:-1])])
    swung = not section.compound and rng.random() < 0.06
    swing = rng.uniform(0.52, 0.67) if swung else 0.5

    def seconds(quarters: np.ndarray) -> np.ndarray:
        place = (quarters - grid[0]) / beat
        whole = np.floor(place + 1e-9)
        phase = np.interp(place - whole, [0, 0.5, 1], [0, swing, 1])
        return np.interp(whole + phase, np.arange(len(grid)), times)

    return grid, times, seconds
