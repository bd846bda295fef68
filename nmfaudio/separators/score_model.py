"""Score-informed decomposition: harmonic templates with gliding pitch for the notes of a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.engine import decompose, generator
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.structures.gliding import Gliding
from nmfaudio.factorisation.structures.product import Product
from nmfaudio.separators.blockwise import BLOCK, Block, Learned, described_groups
from nmfaudio.separators.frame_choice import covering_frames
from nmfaudio.separators.inputs import GroupedDecomposition, SeparationInput
from nmfaudio.separators.masked_fit import frame_levels
from nmfaudio.separators.score_voices import (
    N_PARTIALS,
    Voice,
    frames_of_sounds,
    gliding_structure,
    group_voices,
    initial_activations,
    notes_within,
)
from nmfaudio.symbolic.note import Note

_PARTIAL_DECAY = 1.5  # initial strength of partial h is h ** -_PARTIAL_DECAY
_LEAST = 2.0  # s of each sound of a long recording from which its strengths are learned


class ScoreSettings(NamedTuple):
    """Settings of the decomposition.

    Parameters
    ----------
    tolerance : float
        Seconds by which a note may begin before its notated onset. It may end up to twice as many
        seconds after its notated offset.
    n_free : int
        Number of components with unconstrained spectrum and activations, which form the stem
        ``rest``.
    max_iter : int
        Maximum number of iterations.
    tol : float
        As in `decompose`.
    """

    tolerance: float
    n_free: int
    max_iter: int
    tol: float


def fit_score(
    inputs: SeparationInput, notes: Sequence[Note], names: Sequence[str], settings: ScoreSettings
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
    settings : ScoreSettings

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
    voices = group_voices(notes, names, settings.n_free)
    fitted = _fitted(inputs, inputs.V, np.arange(inputs.n_frames), voices, settings)
    active: np.ndarray = fitted.factors[1].max(axis=1) > 0
    chosen = _with_first_states(active, voices)
    return GroupedDecomposition(_as_product(fitted, chosen), _members(voices, chosen))


def learn_score(
    inputs: SeparationInput,
    notes: Sequence[Note],
    names: Sequence[str],
    settings: ScoreSettings,
    count: int,
) -> Learned:
    """Learn the partials of all sounds from some frames of a long recording.

    Parameters
    ----------
    inputs, notes, names, settings
        As for `fit_score`.
    count : int
        Number of frames; more where that is less than two seconds of each sound.

    Returns
    -------
    Learned
        Components are the states of the sounds that have notes in the recording.
    """
    voices = group_voices(notes, names, settings.n_free)
    least = int(np.ceil(_LEAST * inputs.sr / inputs.transform.hop))
    sounds = frames_of_sounds(voices, inputs)
    frames = covering_frames(sounds, inputs.n_frames, count, least=least)
    V = inputs.V if len(frames) == inputs.n_frames else inputs.frames_at(frames)
    fitted = _fitted(inputs, V, frames, voices, settings)
    chosen = _states_within(voices, inputs)
    fit = ScoreFit(
        tuple(map(note_values, notes)),
        tuple(names),
        settings.n_free,
        settings.tolerance,
        settings.max_iter,
        _partials(voices, fitted.factors[0]),
    )
    learned = _as_product(fitted, chosen)
    groups = described_groups(learned, fit, _members(voices, chosen), inputs)
    return Learned(learned, groups, fit)


@dataclass(frozen=True)
class ScoreFit:
    """Fit of the activations of known sounds during their notes.

    Parameters
    ----------
    notes : tuple of tuple
        Onset, offset, pitch, velocity, track, program and channel of each note.
    names : tuple of str
        Name of each note's stem.
    n_free : int
        As in `ScoreSettings`.
    tolerance : float
        As in `ScoreSettings`.
    max_iter : int
        Number of updates.
    partials : tuple of tuple of float
        Strengths of the partials of each sound; none for unpitched ones.
    """

    kind: ClassVar[str] = "score"
    halo: ClassVar[int] = 0

    notes: tuple[tuple[Any, ...], ...]
    names: tuple[str, ...]
    n_free: int
    tolerance: float
    max_iter: int
    partials: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        for name in ("notes", "partials"):
            object.__setattr__(self, name, tuple(map(tuple, getattr(self, name))))
        object.__setattr__(self, "names", tuple(self.names))

    @cached_property
    def _voices(self) -> list[Voice]:
        """Notes and states of all sounds."""
        return group_voices([Note(*note) for note in self.notes], self.names, self.n_free)

    def __call__(self, learned: Decomposition, block: Block) -> Decomposition:
        """Return the model of all frames of a block."""
        chosen = _states_within(self._voices, block.inputs)
        strengths = self._strengths(learned.W, chosen)
        pieces = []
        for first in range(0, block.V.shape[1], BLOCK):  # takes less memory than all at once
            part = slice(first, first + BLOCK)
            V, indices = block.V[:, part], block.indices[part]
            pieces.append(self._activations(strengths, V, block.inputs, indices))
        H = np.concatenate(pieces, axis=1)[chosen]
        return replace(learned, factors=(learned.W, H), fitted=(), weights=None)

    def _activations(
        self, strengths: np.ndarray, V: np.ndarray, inputs: SeparationInput, indices: np.ndarray
    ) -> np.ndarray:
        """Activations of all states in some frames."""
        voices = self._voices
        H = initial_activations(voices, inputs, indices, self.tolerance)
        sounding = [voice for voice in voices if H[voice.states].any()]
        if sounding:
            states = np.concatenate([voice.states for voice in sounding])
            initial = (H[states] * frame_levels(V)).astype(V.dtype)
            structure = gliding_structure(_renumbered(sounding), inputs.transform, initial)
            H[states] = decompose(
                V,
                [Factor(strengths, False), Factor(initial)],
                structure=structure,
                solver="mu",
                max_iter=self.max_iter,
                tol=0,
                check_every=max(self.max_iter, 1),
            ).factors[1]
        return H

    def _strengths(self, W: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Strengths of all sounds [shape=(part, sound)], of which those of bins are templates."""
        A = np.zeros((max(len(W), N_PARTIALS), len(self.partials)), W.dtype)
        index = np.cumsum(chosen) - 1
        for voice in self._voices:
            if voice.pitch is None:
                A[: len(W), voice.sound] = W[:, index[voice.states.start]]
            else:
                A[:N_PARTIALS, voice.sound] = self.partials[voice.sound]
        return A


def note_values(note: Note) -> tuple[Any, ...]:
    """Return the fields of a note in the order of its class, as plain numbers and text.

    Parameters
    ----------
    note : Note

    Returns
    -------
    tuple
        JSON-serialisable.
    """
    times = float(note.onset), float(note.offset)
    sound = note.track, int(note.program), int(note.channel)
    return *times, float(note.pitch), float(note.velocity), *sound


def _partials(voices: Sequence[Voice], strengths: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """Strengths of the partials of each sound; none for unpitched ones."""
    partials: list[tuple[float, ...]] = [()] * strengths.shape[1]
    padded = np.zeros(N_PARTIALS)
    for voice in voices:
        if voice.pitch is not None:
            known = strengths[:N_PARTIALS, voice.sound]
            padded[: len(known)] = known
            partials[voice.sound] = tuple(padded.tolist())
    return tuple(partials)


def _states_within(voices: Sequence[Voice], inputs: SeparationInput) -> np.ndarray:
    """Return the states of sounds with notes in a recording, and the first of all others."""
    used = np.zeros(voices[-1].states.stop, bool)
    for voice in voices:
        used[voice.states] = not voice.notes or any(True for _ in notes_within(voice, inputs))
    return _with_first_states(used, voices)


def _fitted(
    inputs: SeparationInput,
    V: np.ndarray,
    frames: np.ndarray,
    voices: Sequence[Voice],
    settings: ScoreSettings,
) -> Decomposition:
    """Fit strengths and activations of all voices to some frames."""
    H = initial_activations(voices, inputs, frames, settings.tolerance)
    structure = gliding_structure(voices, inputs.transform, H)
    strengths = _initial_strengths(structure, voices, generator(inputs.rng))
    H *= V.mean(dtype=np.float64)  # match the level of the recording
    return decompose(
        V,
        [Factor(strengths, name="strengths"), Factor(H, name="activations")],
        structure=structure,
        solver="mu",
        max_iter=settings.max_iter,
        tol=settings.tol,
        callback=inputs.callback,
    )


def _initial_strengths(
    structure: Gliding, voices: Sequence[Voice], rng: np.random.Generator
) -> np.ndarray:
    """Initial strengths A: decaying partials, or noise if unpitched [shape=(part, sound)]."""
    parts = int(structure.entries.parts.max(initial=0)) + 1
    decaying = np.arange(1.0, min(parts, N_PARTIALS) + 1) ** -_PARTIAL_DECAY
    # The parts of a pitched sound are its partials, those of an unpitched sound all bins.
    A = np.zeros((parts, int(structure.owners.max()) + 1))
    for voice in voices:
        if voice.pitch is None:
            A[:, voice.sound] = 0.5 + rng.random(parts)
        else:
            A[: len(decaying), voice.sound] = decaying
    normalised: np.ndarray = A / A.sum(axis=0)
    return normalised


def _renumbered(voices: Sequence[Voice]) -> list[Voice]:
    """Return voices with states that are numbered from 0."""
    renumbered, end = [], 0
    for voice in voices:
        states = range(end, end + len(voice.states))
        renumbered.append(replace(voice, states=states))
        end = states.stop
    return renumbered


def _with_first_states(active: np.ndarray, voices: Sequence[Voice]) -> np.ndarray:
    """Return the states to keep: the active ones and, since no stem may be empty, the first."""
    chosen = active.copy()
    for voice in voices:
        chosen[voice.states.start] = True
    return chosen


def _members(voices: Sequence[Voice], chosen: np.ndarray) -> dict[str, list[int]]:
    """Components of each stem, which are the chosen states."""
    groups: dict[str, list[int]] = {}
    index = np.cumsum(chosen) - 1  # component of each chosen state
    for voice in voices:
        groups.setdefault(voice.stem, []).extend(int(index[s]) for s in voice.states if chosen[s])
    return groups


def _as_product(fitted: Decomposition, chosen: np.ndarray) -> Decomposition:
    """Convert the chosen states to components of plain NMF."""
    W, H = fitted.W[:, chosen], fitted.factors[1][chosen]
    return replace(fitted, factors=(W, H), structure=Product())
