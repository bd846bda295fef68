"""The sounds that a score says there are: where they may lie, and how they are fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio._common.pitch import midi_to_hz
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.engine import decompose, generator
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.structures.gliding import (
    BLOCK,
    Entries,
    Gliding,
    partial_entries,
    whole_entries,
)
from nmfaudio.factorisation.structures.product import Product
from nmfaudio.separators.pipeline import GroupedDecomposition, SeparationInput
from nmfaudio.stems import REST
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note

if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Stft

# Chosen on renderings of four-part chorales with vibrato, uneven tuning and timing.
GLIDE = np.arange(-12, 13) / 20  # semitones about its pitch at which a sound may be found
_GLIDING = 0.3  # semitones: standard deviation of where it starts from
_PARTIALS = 30
_FALL = 1.5  # how fast the strengths of partials fall at the start, as a power of their number


@dataclass(frozen=True)
class _Voice:
    """A sound of the score as part of one stem: its notes, and the states that it may be in."""

    stem: str
    sound: int
    pitch: float | None
    notes: list[Note]
    states: range


def fit(
    inputs: SeparationInput,
    notes: Sequence[Note],
    names: Sequence[str],
    *,
    tolerance: float,
    free: int,
    max_iter: int,
    tol: float,
) -> GroupedDecomposition:
    """Fit the sounds of a score to a inputs.

    Parameters
    ----------
    inputs : Scene
    notes : sequence of Note
        In the recording's time.
    names : sequence of str
        The stem of each note.
    tolerance : float
        Seconds by which a note may begin earlier; it may end twice as much later.
    free : int
        How many sounds of any spectrum make up the stem ``rest``.
    max_iter, tol
        As in `decompose`.

    Returns
    -------
    Model
        Each state that may sound is a component.
    """
    voices = _voices(notes, names, free)
    H = _gates(voices, inputs, tolerance)
    structure = _structure(voices, inputs.transform, H)
    strengths = _first_strengths(structure, voices, generator(inputs.rng))
    H *= inputs.V.mean(dtype=np.float64)
    found = decompose(
        inputs.V,
        [Factor(strengths, name="strengths"), Factor(H, name="activations")],
        structure=structure,
        solver="mu",
        max_iter=max_iter,
        tol=tol,
        callback=inputs.callback,
    )
    return _model(found, voices)


def _voices(notes: Sequence[Note], names: Sequence[str], free: int) -> list[_Voice]:
    sounds: dict[tuple[str, int, int, float], int] = {}
    mine: dict[tuple[str, int], list[Note]] = {}
    for note, name in zip(notes, names, strict=True):
        key = (note.track, note.program, note.channel, note.pitch)
        mine.setdefault((name, sounds.setdefault(key, len(sounds))), []).append(note)
    voices: list[_Voice] = []
    end = 0
    for (name, sound), several in mine.items():
        pitch = None if several[0].channel == DRUM_CHANNEL else several[0].pitch
        states = range(end, end + (1 if pitch is None else len(GLIDE)))
        voices.append(_Voice(name, sound, pitch, several, states))
        end = states.stop
    for sound in range(len(sounds), len(sounds) + free):
        voices.append(_Voice(REST, sound, None, [], range(end, end + 1)))
        end += 1
    return voices


def _gates(voices: Sequence[_Voice], inputs: SeparationInput, tolerance: float) -> np.ndarray:
    """Where the states start from: exactly 0 outside the score's notes [shape=(state, time)]."""
    V, per_second = inputs.V, inputs.sr / inputs.transform.hop
    H = np.zeros((voices[-1].states.stop, V.shape[1]), V.dtype)
    near = np.exp(-0.5 * (GLIDE / _GLIDING) ** 2)
    for voice in voices:
        if voice.stem == REST:
            H[voice.states] = 1
        gate = np.zeros(V.shape[1])
        for note in voice.notes:
            if note.onset >= inputs.y.shape[1] / inputs.sr:
                continue
            first = max(0, int((note.onset - tolerance) * per_second))
            last = int(np.ceil((note.offset + 2 * tolerance) * per_second))
            gate[first : last + 1] = np.maximum(gate[first : last + 1], 0.1 + note.velocity)
        spread = near if len(voice.states) > 1 else np.ones(1)
        H[voice.states] += (spread[:, None] * gate).astype(V.dtype)
    return H


def _structure(voices: Sequence[_Voice], stft: Stft, H: np.ndarray) -> Gliding:
    n_bins = len(stft.frequencies)
    pitches = [
        (v.pitch + g, s)
        for v in voices
        if v.pitch is not None
        for g, s in zip(GLIDE, v.states, strict=True)
    ]
    partials = partial_entries(
        np.array([midi_to_hz(pitch) for pitch, _ in pitches]) * stft.n_fft / stft.sr,
        np.array([state for _, state in pitches], int),
        n_partials=_PARTIALS,
        n_bins=n_bins,
    )
    others = np.array([v.states.start for v in voices if v.pitch is None], int)
    both = zip(partials, whole_entries(others, n_bins), strict=True)
    entries = Entries(*(np.concatenate(pair) for pair in both))
    owners = np.array([voice.sound for voice in voices for _ in voice.states])
    blocks = range(0, H.shape[1], BLOCK)
    active = np.stack([H[:, b : b + BLOCK].any(axis=1) for b in blocks], axis=1)
    return Gliding(n_bins, entries, owners, active)


def _first_strengths(
    structure: Gliding, voices: Sequence[_Voice], rng: np.random.Generator
) -> np.ndarray:
    """Partials that fall off, and noise for what has none [shape=(part, sound)]."""
    parts = int(structure.entries.parts.max(initial=0)) + 1
    falling = np.arange(1.0, min(parts, _PARTIALS) + 1) ** -_FALL
    A = np.zeros((parts, int(structure.owners.max()) + 1))
    for voice in voices:
        if voice.pitch is None:
            A[:, voice.sound] = 0.5 + rng.random(parts)
        else:
            A[: len(falling), voice.sound] = falling
    normed: np.ndarray = A / A.sum(axis=0)
    return normed


def _model(found: Decomposition, voices: Sequence[_Voice]) -> GroupedDecomposition:
    """The states as components of plain NMF, without those that never sound."""
    sounding: np.ndarray = found.factors[1].max(axis=1) > 0
    for voice in voices:  # a stem has one component at least
        sounding[voice.states.start] = True
    groups: dict[str, list[int]] = {}
    place = np.cumsum(sounding) - 1
    for voice in voices:
        groups.setdefault(voice.stem, []).extend(int(place[s]) for s in voice.states if sounding[s])
    W, H = found.W[:, sounding], found.factors[1][sounding]
    return GroupedDecomposition(replace(found, factors=(W, H), structure=Product()), groups)
