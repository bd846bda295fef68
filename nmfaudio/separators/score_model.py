"""Score-informed decomposition: harmonic templates with gliding pitch for the notes of a score.

A *sound* is the combination of track, program, channel and pitch of a note; all its notes share a
timbre. Its *states* are the components that model the sound at slightly different pitches.
"""

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
    Gliding,
    joined_entries,
    partial_entries,
    whole_entries,
)
from nmfaudio.factorisation.structures.product import Product
from nmfaudio.separators.inputs import GroupedDecomposition, SeparationInput
from nmfaudio.stems import REST
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note

if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Stft

# Values tuned on synthesised four-part chorales with vibrato and uneven tuning and timing.
GLIDE = np.arange(-12, 13) / 20  # deviation of each state from the notated pitch, in semitones
_GLIDE_DEVIATION = 0.3  # standard deviation in semitones of the states' initial weights
_N_PARTIALS = 30
_PARTIAL_DECAY = 1.5  # initial strength of partial h is h ** -_PARTIAL_DECAY


@dataclass(frozen=True)
class _Voice:
    """Notes of one sound in one stem.

    Parameters
    ----------
    stem : str
        Name of the stem.
    sound : int
        Index of the sound, a column of the strengths A.
    pitch : float or None
        MIDI number; None for drums and free sounds, which have a single state of any spectrum.
    notes : list of Note
        Notes of the voice; empty for free sounds.
    states : range
        Indices of the states, rows of H.
    """

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
    """Decompose a recording with the notes of its score.

    Parameters
    ----------
    inputs : SeparationInput
        The recording and its spectrogram.
    notes : sequence of Note
        Notes of the score, aligned with the recording.
    names : sequence of str
        Name of each note's stem.
    tolerance : float
        Seconds by which a note may begin before its notated onset. It may end up to twice as many
        seconds after its notated offset.
    n_free : int
        Number of components with unconstrained spectrum and activations, which form the stem
        ``rest``.
    max_iter, tol
        As in `decompose`.

    Returns
    -------
    GroupedDecomposition
        Components are the states that are active at any time.

    Notes
    -----
    All states of sound s share one vector of partial strengths A[·, s]. State k of sound s has the
    template

    .. math:: W_{fk} = \\sum_h P_{fhk} A_{hs}

    where P is fixed and places partial h at h times the fundamental frequency of the state (see
    `Gliding`). Its activations are zero outside the notes of the sound, with `tolerance`, and stay
    zero under multiplicative updates.
    """
    voices = _voices(notes, names, n_free)
    H = _initial_activations(voices, inputs, tolerance)
    structure = _structure(voices, inputs.transform, H)
    strengths = _initial_strengths(structure, voices, generator(inputs.rng))
    H *= inputs.V.mean(dtype=np.float64)  # match the level of the recording
    fitted = decompose(
        inputs.V,
        [Factor(strengths, name="strengths"), Factor(H, name="activations")],
        structure=structure,
        solver="mu",
        max_iter=max_iter,
        tol=tol,
        callback=inputs.callback,
    )
    return _as_components(fitted, voices)


def count_states(notes: Sequence[Note], names: Sequence[str], n_free: int) -> int:
    """Return the number of states of a score.

    Parameters
    ----------
    notes : sequence of Note
        Notes of the score; their times do not matter.
    names : sequence of str
        Name of each note's stem.
    n_free : int
        Number of components with unconstrained spectrum and activations.

    Returns
    -------
    int

    Examples
    --------
    >>> count_states([Note(0, 1, 60), Note(1, 2, 60), Note(2, 3, 62)], ["violin"] * 3, 1)
    51
    """
    return _voices(notes, names, n_free)[-1].states.stop


def _voices(notes: Sequence[Note], names: Sequence[str], n_free: int) -> list[_Voice]:
    """Group the notes by stem and sound, append `n_free` free sounds, and number all states."""
    sounds: dict[tuple[str, int, int, float], int] = {}
    notes_of: dict[tuple[str, int], list[Note]] = {}
    for note, name in zip(notes, names, strict=True):
        key = (note.track, note.program, note.channel, note.pitch)
        notes_of.setdefault((name, sounds.setdefault(key, len(sounds))), []).append(note)
    voices: list[_Voice] = []
    end = 0  # number of states so far
    for (name, sound), members in notes_of.items():
        # Drums have no harmonic partials: a single state of any spectrum.
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
    """Initial activations, exactly 0 outside the notes [shape=(state, time)]."""
    V, per_second = inputs.V, inputs.sr / inputs.transform.hop
    H = np.zeros((voices[-1].states.stop, V.shape[1]), V.dtype)
    state_weights = np.exp(-0.5 * (GLIDE / _GLIDE_DEVIATION) ** 2)  # (state,)
    for voice in voices:
        if not voice.notes:  # free sounds; a track may be called rest too
            H[voice.states] = 1
        gate = np.zeros(V.shape[1])
        for note in voice.notes:
            if note.onset >= inputs.y.shape[1] / inputs.sr:
                continue  # after the end of the recording
            first = max(0, int((note.onset - tolerance) * per_second))
            last = int(np.ceil((note.offset + 2 * tolerance) * per_second))
            # Grows with the velocity, and is above zero for a velocity of 0, so that the note can
            # become active.
            gate[first : last + 1] = np.maximum(gate[first : last + 1], 0.1 + note.velocity)
        weights = state_weights if len(voice.states) > 1 else np.ones(1)
        H[voice.states] += (weights[:, None] * gate).astype(V.dtype)
    return H


def _structure(voices: Sequence[_Voice], stft: Stft, H: np.ndarray) -> Gliding:
    """Model of all voices: partials of pitched states, free spectra of unpitched states."""
    n_bins = len(stft.frequencies)
    pitches = [  # (MIDI pitch, index) of each pitched state
        (v.pitch + g, s)
        for v in voices
        if v.pitch is not None
        for g, s in zip(GLIDE, v.states, strict=True)
    ]
    partials = partial_entries(
        np.array([midi_to_hz(pitch) for pitch, _ in pitches]) * stft.n_fft / stft.sr,
        np.array([state for _, state in pitches], int),
        n_partials=_N_PARTIALS,
        n_bins=n_bins,
    )
    unpitched = np.array([v.states.start for v in voices if v.pitch is None], int)
    entries = joined_entries(partials, whole_entries(unpitched, n_bins))
    owners = np.array([voice.sound for voice in voices for _ in voice.states])  # (state,)
    # `Gliding` skips the blocks of frames in which all activations of a state are zero.
    blocks = range(0, H.shape[1], BLOCK)
    active = np.stack([H[:, b : b + BLOCK].any(axis=1) for b in blocks], axis=1)  # (state, block)
    return Gliding(n_bins, entries, owners, active)


def _initial_strengths(
    structure: Gliding, voices: Sequence[_Voice], rng: np.random.Generator
) -> np.ndarray:
    """Initial strengths A: decaying partials, or noise if unpitched [shape=(part, sound)]."""
    parts = int(structure.entries.parts.max(initial=0)) + 1
    decaying = np.arange(1.0, min(parts, _N_PARTIALS) + 1) ** -_PARTIAL_DECAY
    # The parts of a pitched sound are its partials, those of an unpitched sound all bins.
    A = np.zeros((parts, int(structure.owners.max()) + 1))
    for voice in voices:
        if voice.pitch is None:
            A[:, voice.sound] = 0.5 + rng.random(parts)
        else:
            A[: len(decaying), voice.sound] = decaying
    normalised: np.ndarray = A / A.sum(axis=0)
    return normalised


def _as_components(fitted: Decomposition, voices: Sequence[_Voice]) -> GroupedDecomposition:
    """Convert the states to components of plain NMF; omit states that are never active."""
    active: np.ndarray = fitted.factors[1].max(axis=1) > 0
    for voice in voices:  # every stem needs at least one component
        active[voice.states.start] = True
    groups: dict[str, list[int]] = {}
    index = np.cumsum(active) - 1  # component of each active state
    for voice in voices:
        groups.setdefault(voice.stem, []).extend(int(index[s]) for s in voice.states if active[s])
    W, H = fitted.W[:, active], fitted.factors[1][active]
    return GroupedDecomposition(replace(fitted, factors=(W, H), structure=Product()), groups)
