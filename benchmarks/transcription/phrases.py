"""Phrases in the range of an instrument, and ensembles of instruments, played by SoundFonts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.transcription.sound import SR, Instrument
from nmfaudio.symbolic.note import Note

_SCALE = np.array([0, 2, 4, 5, 7, 9, 11])
_LENGTHS = (0.5, 0.5, 1.0, 1.0, 1.5, 2.0)  # beats of a note
_LEAPS = (-3, -2, -1, -1, -1, 0, 1, 1, 1, 2, 3)  # steps of the scale between notes
_ARTICULATION = 0.9  # share of its length that a note sounds
_REST = 0.1  # share of rests
_LEVEL = 0.05  # root mean square of each part of an ensemble


@dataclass(frozen=True)
class Part:
    """Instrument of an ensemble: its program, its range, and how many notes it plays at once."""

    label: str
    program: int
    low: int
    high: int
    voices: int = 1


def phrase(part: Part, seconds: float, seed: int) -> tuple[Note, ...]:
    """Random notes in a key: as many simultaneous melodies as the part has voices."""
    rng = np.random.default_rng([seed, part.program])
    shared = np.random.default_rng(seed)  # key and tempo are those of the ensemble
    key, beat = int(shared.integers(12)), 60 / shared.uniform(80, 130)
    keys = np.arange(part.low, part.high + 1)
    keys = keys[np.isin((keys - key) % 12, _SCALE)]
    notes: list[Note] = []
    for voice in np.array_split(keys, part.voices):
        notes += _melody(voice, seconds, beat, rng, part)
    return tuple(sorted(notes, key=lambda note: (note.onset, note.pitch)))


def ensemble(
    font: Path, parts: Sequence[Part], seconds: float, seed: int
) -> tuple[np.ndarray, tuple[Note, ...]]:
    """Sum of the parts at equal levels [shape=(sample,)] at `SR`, and all notes."""
    scores = [phrase(part, seconds, seed) for part in parts]
    y = np.zeros(round((seconds + 2) * SR), np.float32)
    for part, notes in zip(parts, scores, strict=True):
        sound = Instrument(part.label, font, part.program).play(notes)[: len(y)]
        y[: len(sound)] += _LEVEL * sound / np.sqrt(np.mean(sound**2))
    return y, tuple(note for notes in scores for note in notes)


def _melody(
    keys: np.ndarray, seconds: float, beat: float, rng: np.random.Generator, part: Part
) -> Iterator[Note]:
    time, step = 0.2 + beat * 0.25 * rng.integers(4), int(rng.integers(len(keys)))
    while time < seconds:
        length, leap = beat * float(rng.choice(_LENGTHS)), int(rng.choice(_LEAPS))
        step += leap if 0 <= step + leap < len(keys) else -leap
        if rng.random() > _REST:
            # Fingers are a few milliseconds early or late.
            onset = time + float(rng.normal(0, 0.008))
            end = onset + _ARTICULATION * length
            velocity = float(rng.uniform(0.45, 0.9))
            yield Note(onset, end, int(keys[step]), velocity, part.label, part.program)
        time += length
