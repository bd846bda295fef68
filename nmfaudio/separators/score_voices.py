"""Sounds and states of the notes of a score, and the frames in which they may be active.

A *sound* is the combination of track, program, channel and pitch of a note; all its notes share a
timbre. Its *states* are the components that model the sound at slightly different pitches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio._common.pitch import midi_to_hz
from nmfaudio.factorisation.structures.gliding import (
    BLOCK,
    Gliding,
    joined_entries,
    partial_entries,
    whole_entries,
)
from nmfaudio.separators.inputs import SeparationInput
from nmfaudio.stems import REST
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note

if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Stft

# Values tuned on synthesised four-part chorales with vibrato and uneven tuning and timing.
GLIDE = np.arange(-12, 13) / 20  # deviation of each state from the notated pitch, in semitones
_GLIDE_DEVIATION = 0.3  # standard deviation in semitones of the states' initial weights
N_PARTIALS = 30
"""Number of partials of a sound."""


@dataclass(frozen=True)
class Voice:
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
    return group_voices(notes, names, n_free)[-1].states.stop


def group_voices(notes: Sequence[Note], names: Sequence[str], n_free: int) -> list[Voice]:
    """Group the notes by stem and sound, append free sounds, and number all states.

    Parameters
    ----------
    notes, names, n_free
        As for `count_states`.

    Returns
    -------
    list of Voice
    """
    sounds: dict[tuple[str, int, int, float], int] = {}
    notes_of: dict[tuple[str, int], list[Note]] = {}
    for note, name in zip(notes, names, strict=True):
        key = (note.track, note.program, note.channel, note.pitch)
        notes_of.setdefault((name, sounds.setdefault(key, len(sounds))), []).append(note)
    voices: list[Voice] = []
    end = 0  # number of states so far
    for (name, sound), members in notes_of.items():
        # Drums have no harmonic partials: a single state of any spectrum.
        pitch = None if members[0].channel == DRUM_CHANNEL else members[0].pitch
        states = range(end, end + (1 if pitch is None else len(GLIDE)))
        voices.append(Voice(name, sound, pitch, members, states))
        end = states.stop
    for sound in range(len(sounds), len(sounds) + n_free):
        voices.append(Voice(REST, sound, None, [], range(end, end + 1)))
        end += 1
    return voices


def initial_activations(
    voices: Sequence[Voice], inputs: SeparationInput, frames: np.ndarray, tolerance: float
) -> np.ndarray:
    """Compute initial activations, which are exactly 0 outside the notes.

    Parameters
    ----------
    voices : sequence of Voice
    inputs : SeparationInput
        The recording.
    frames : np.ndarray [shape=(frame,)]
        Ascending indices of the frames.
    tolerance : float
        Seconds by which a note may begin before its notated onset; it may end up to twice as many
        seconds after its notated offset.

    Returns
    -------
    np.ndarray [shape=(state, frame)]
    """
    dtype, rate = inputs.y.dtype, inputs.sr / inputs.transform.hop
    H = np.zeros((voices[-1].states.stop, len(frames)), dtype)
    state_weights = np.exp(-0.5 * (GLIDE / _GLIDE_DEVIATION) ** 2)  # (state,)
    for voice in voices:
        if not voice.notes:  # free sounds; a track may be called rest too
            H[voice.states] = 1
        gate = np.zeros(len(frames))
        for note in notes_within(voice, inputs):
            first = max(0, int((note.onset - tolerance) * rate))
            last = int(np.ceil((note.offset + 2 * tolerance) * rate))
            near = slice(*np.searchsorted(frames, [first, last + 1]))
            # Grows with the velocity, and is above zero for a velocity of 0, so that the note can
            # become active.
            gate[near] = np.maximum(gate[near], 0.1 + note.velocity)
        weights = state_weights if len(voice.states) > 1 else np.ones(1)
        H[voice.states] += (weights[:, None] * gate).astype(dtype)
    return H


def notes_within(voice: Voice, inputs: SeparationInput) -> Iterator[Note]:
    """Iterate over the notes of a voice that begin before the end of the recording.

    Parameters
    ----------
    voice : Voice
    inputs : SeparationInput
        The recording.

    Yields
    ------
    Note
    """
    return (note for note in voice.notes if note.onset < inputs.duration)


def frames_of_sounds(voices: Sequence[Voice], inputs: SeparationInput) -> list[np.ndarray]:
    """Return the frames during the notes of each sound.

    Parameters
    ----------
    voices : sequence of Voice
    inputs : SeparationInput
        The recording.

    Returns
    -------
    list of np.ndarray [shape=(frame,)]
        Ascending indices of the frames of each sound with notes.
    """
    rate, total = inputs.sr / inputs.transform.hop, inputs.n_frames
    spans: dict[int, list[np.ndarray]] = {}
    for voice in voices:
        for note in notes_within(voice, inputs):
            first, last = round(note.onset * rate), round(note.offset * rate)
            frames = np.arange(min(first, total - 1), min(last + 1, total))
            spans.setdefault(voice.sound, []).append(frames)
    return [np.unique(np.concatenate(each)) for each in spans.values()]


def gliding_structure(voices: Sequence[Voice], stft: Stft, H: np.ndarray) -> Gliding:
    """Return the model of voices: partials of pitched states, free spectra of unpitched states.

    Parameters
    ----------
    voices : sequence of Voice
        Their states are numbered from 0.
    stft : Stft
        Transform of the spectrogram.
    H : np.ndarray [shape=(state, time)]
        Initial activations.

    Returns
    -------
    Gliding
    """
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
        n_partials=N_PARTIALS,
        n_bins=n_bins,
    )
    unpitched = np.array([v.states.start for v in voices if v.pitch is None], int)
    entries = joined_entries(partials, whole_entries(unpitched, n_bins))
    owners = np.array([voice.sound for voice in voices for _ in voice.states])  # (state,)
    # `Gliding` skips the blocks of frames in which all activations of a state are zero.
    blocks = range(0, H.shape[1], BLOCK)
    active = np.stack([H[:, b : b + BLOCK].any(axis=1) for b in blocks], axis=1)  # (state, block)
    return Gliding(n_bins, entries, owners, active)
