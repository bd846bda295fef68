"""Gliding harmonic model of the sounds of a score."""

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

# Values chosen on renderings of four-part chorales with vibrato, uneven tuning and timing.
GLIDE = np.arange(-12, 13) / 20  # states of a sound: deviations from its pitch in semitones
_GLIDE_DEVIATION = 0.3  # standard deviation of the initial weights of the states in semitones
_PARTIALS = 30
_FALL = 1.5  # initial strength of partial h is h ** -_FALL


@dataclass(frozen=True)
class _Voice:
    """Notes of one sound in one stem, with the states (components) of the sound."""

    stem: str
    sound: int
    pitch: float | None
    notes: list[Note]
    states: range


def fit_score(
    inputs: SeparationInput,
    notes: Sequence[Note],
    names: Sequence[str],
    *,
    tolerance: float,
    n_free: int,
    max_iter: int,
    tol: float,
) -> GroupedDecomposition:
    """Fit the sounds of a score to a recording.

    Parameters
    ----------
    inputs : SeparationInput
        The recording.
    notes : sequence of Note
        Notes at the times of the recording.
    names : sequence of str
        Name of each note's stem.
    tolerance : float
        Seconds by which a note may begin earlier; it may end later by twice as much.
    n_free : int
        Number of sounds of any spectrum, which make the stem ``rest``.
    max_iter, tol
        As in `decompose`.

    Returns
    -------
    GroupedDecomposition
        Each state with activations is a component.

    Notes
    -----
    A sound has one vector of partial strengths A[·, s] for all its states. State k of sound s has
    the template ∑ₕ A[h, s] P[f, h, k], where P places partial h at h times the state's pitch, and
    activations that are zero outside the notes of the score.
    """
    voices = _voices(notes, names, n_free)
    H = _initial_activations(voices, inputs, tolerance)
    structure = _structure(voices, inputs.transform, H)
    strengths = _initial_strengths(structure, voices, generator(inputs.rng))
    H *= inputs.V.mean(dtype=np.float64)  # to the level of the recording
    found = decompose(
        inputs.V,
        [Factor(strengths, name="strengths"), Factor(H, name="activations")],
        structure=structure,
        solver="mu",
        max_iter=max_iter,
        tol=tol,
        callback=inputs.callback,
    )
    return _as_components(found, voices)


def _voices(notes: Sequence[Note], names: Sequence[str], n_free: int) -> list[_Voice]:
    """Divide the notes by stem and sound, and number the states of all voices."""
    sounds: dict[tuple[str, int, int, float], int] = {}
    notes_of: dict[tuple[str, int], list[Note]] = {}
    for note, name in zip(notes, names, strict=True):
        key = (note.track, note.program, note.channel, note.pitch)
        notes_of.setdefault((name, sounds.setdefault(key, len(sounds))), []).append(note)
    voices: list[_Voice] = []
    end = 0
    for (name, sound), members in notes_of.items():
        # Drums have no partials: one state of any spectrum.
        pitch = None if members[0].channel == DRUM_CHANNEL else members[0].pitch
        states = range(end, end + (1 if pitch is None else len(GLIDE)))
        voices.append(_Voice(name, sound, pitch, members, states))
        end = states.stop
    for sound in range(len(sounds), len(sounds) + n_free):
        voices.append(_Voice(REST, sound, None, [], range(end, end + 1)))
        end += 1
    return voices


def _initial_activations(
    voices: Sequence[_Voice], inputs: SeparationInput, tolerance: float
) -> np.ndarray:
    """Initial activations, which are exactly 0 outside the notes [shape=(state, time)]."""
    V, per_second = inputs.V, inputs.sr / inputs.transform.hop
    H = np.zeros((voices[-1].states.stop, V.shape[1]), V.dtype)
    near = np.exp(-0.5 * (GLIDE / _GLIDE_DEVIATION) ** 2)
    for voice in voices:
        if voice.stem == REST:
            H[voice.states] = 1
        gate = np.zeros(V.shape[1])
        for note in voice.notes:
            if note.onset >= inputs.y.shape[1] / inputs.sr:
                continue  # after the end of the recording
            first = max(0, int((note.onset - tolerance) * per_second))
            last = int(np.ceil((note.offset + 2 * tolerance) * per_second))
            # In proportion to the velocity, but above zero for velocity 0.
            gate[first : last + 1] = np.maximum(gate[first : last + 1], 0.1 + note.velocity)
        spread = near if len(voice.states) > 1 else np.ones(1)
        H[voice.states] += (spread[:, None] * gate).astype(V.dtype)
    return H


def _structure(voices: Sequence[_Voice], stft: Stft, H: np.ndarray) -> Gliding:
    """Structure of all voices: partials of pitched states, all bins of the others."""
    n_bins = len(stft.frequencies)
    pitches = [  # MIDI pitch and number of each pitched state
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
    unpitched = np.array([v.states.start for v in voices if v.pitch is None], int)
    both = zip(partials, whole_entries(unpitched, n_bins), strict=True)
    entries = Entries(*(np.concatenate(pair) for pair in both))
    owners = np.array([voice.sound for voice in voices for _ in voice.states])
    # Blocks of frames in which a state is zero throughout are skipped.
    blocks = range(0, H.shape[1], BLOCK)
    active = np.stack([H[:, b : b + BLOCK].any(axis=1) for b in blocks], axis=1)
    return Gliding(n_bins, entries, owners, active)


def _initial_strengths(
    structure: Gliding, voices: Sequence[_Voice], rng: np.random.Generator
) -> np.ndarray:
    """Initial strengths: falling partials, or noise without a pitch [shape=(part, sound)]."""
    parts = int(structure.entries.parts.max(initial=0)) + 1
    falling = np.arange(1.0, min(parts, _PARTIALS) + 1) ** -_FALL
    # Column s holds the strengths of sound s: its partials, or all bins of a sound without pitch.
    A = np.zeros((parts, int(structure.owners.max()) + 1))
    for voice in voices:
        if voice.pitch is None:
            A[:, voice.sound] = 0.5 + rng.random(parts)
        else:
            A[: len(falling), voice.sound] = falling
    normed: np.ndarray = A / A.sum(axis=0)
    return normed


def _as_components(found: Decomposition, voices: Sequence[_Voice]) -> GroupedDecomposition:
    """Convert the states to components of plain NMF, without those that are never active."""
    active: np.ndarray = found.factors[1].max(axis=1) > 0
    for voice in voices:  # every stem needs at least one component
        active[voice.states.start] = True
    groups: dict[str, list[int]] = {}
    index = np.cumsum(active) - 1  # component of each active state
    for voice in voices:
        groups.setdefault(voice.stem, []).extend(int(index[s]) for s in voice.states if active[s])
    W, H = found.W[:, active], found.factors[1][active]
    return GroupedDecomposition(replace(found, factors=(W, H), structure=Product()), groups)
