"""Stems of the notes, pitches, hands or drums of a transcription."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nmfaudio._common.validation import as_choice
from nmfaudio.audio.interpolation import interpolate
from nmfaudio.audio.masking import Masking
from nmfaudio.audio.transforms import Stft
from nmfaudio.stems import REST
from nmfaudio.stems.grouping import ComponentGroup
from nmfaudio.stems.percussiveness import percussive_mask, safe_ratio
from nmfaudio.stems.stems import Stems
from nmfaudio.symbolic.names import cents_suffix, name_parts, sound_name
from nmfaudio.symbolic.note import Note

if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Transform
    from nmfaudio.factorisation.decomposition import Decomposition

BY = ("note", "pitch", "hand", "track")
# s before its onset and after its offset that a note may sound. On three pieces recorded note by
# note from a real piano, values from 0.025 to 0.07 and from 0.1 to 0.6 differed by at most 0.6 dB.
_LEAD, _RELEASE = 0.03, 0.3
_BLOCK = 256  # frames transformed at a time
_STRIP = 64  # frames masked at a time
_NEAR = 0.5  # semitones between a note and the pitch of its components, at most
# Memory: arrays of the size of a strip's model, and of a block's spectrum, that exist at once.
_MODELS, _SPECTRA = 3, 8


class TranscribedRecording(Protocol):
    """Attributes of a `Transcription` that its stems are computed from."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """Notes, by onset."""

    @property
    def mixture(self) -> np.ndarray:
        """Recording [shape=(channel, sample)]."""

    @property
    def sr(self) -> int:
        """Sample rate of the recording in Hz."""

    @property
    def decomposition(self) -> Decomposition:
        """Model of the recording."""

    @property
    def transform(self) -> Transform:
        """Transform that was decomposed."""

    @property
    def pitches(self) -> tuple[float | None, ...]:
        """MIDI number of each component, None for unknown ones."""

    @property
    def labels(self) -> tuple[str | None, ...]:
        """Instrument of each component; empty where there is only one."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of the transcriber."""


def note_stems(transcription: TranscribedRecording, by: str) -> Stems:
    """Separate a recording by its notes; see `Transcription.stems`.

    Parameters
    ----------
    transcription : Transcription
    by : "note", "pitch", "hand" or "track"

    Returns
    -------
    Stems

    Raises
    ------
    ParameterError
        `by` is not one of these.
    """
    labels = _labels(transcription.notes, by)
    names = _names(labels)
    masking = Masking(power=transcription.transform.power)
    assignment = _assign_components(transcription, labels, names)
    stems, groups = _Separation(transcription, assignment, masking, len(names)).run()
    return Stems(
        dict(zip(names, stems, strict=True)),
        transcription.mixture,
        transcription.sr,
        transcription.decomposition,
        transcription.transform,
        dict(zip(names, groups, strict=True)),
        masking,
        dict(transcription.settings) | {"by": by},
        transcription.notes,
    )


def stems_memory(transcription: TranscribedRecording, by: str) -> int:
    """Estimate how many further bytes `Transcription.stems` needs at most.

    Parameters
    ----------
    transcription : Transcription
    by : "note", "pitch", "hand" or "track"

    Returns
    -------
    int
        Size of the stems and of the arrays of one block.

    Raises
    ------
    ParameterError
        `by` is not one of these.
    """
    y, transform, stft = transcription.mixture, transcription.transform, _stft(transcription)
    n_stems = len(_names(_labels(transcription.notes, by)))
    bins, bands = len(stft.frequencies), len(transform.frequencies)
    frames = _STRIP * stft.hop * transform.sr / (stft.sr * transform.hop) + 2
    # Of each stem: samples, its model of a strip, and its power spectrum in float64.
    per_stem = y.nbytes + int(_MODELS * bands * frames) * y.itemsize + 8 * bins
    return n_stems * per_stem + _SPECTRA * (1 + len(y)) * bins * _BLOCK * y.itemsize


def _labels(notes: Sequence[Note], by: str) -> list[str]:
    """Name of the stem that each note belongs to."""
    as_choice(by, "by", BY)
    if by == "pitch":
        return [sound_name(note) for note in notes]
    if by == "track":
        return [note.track or "notes" for note in notes]
    named = name_parts(notes, by)
    if by == "note":
        return [name + cents_suffix(note) for name, note in zip(named, notes, strict=True)]
    return named


def _names(labels: Sequence[str]) -> list[str]:
    """Distinct names of the stems, with the rest last."""
    return [*(name for name in dict.fromkeys(labels) if name != REST), REST]


def _stft(transcription: TranscribedRecording) -> Stft:
    """STFT of the transform, with the same durations in s at the recording's sample rate."""
    transform, sr = transcription.transform, transcription.sr
    n_fft, hop = (round(n * sr / transform.sr) for n in (transform.n_fft, transform.hop))
    return Stft(sr, n_fft, hop, transform.window)


def _assign_components(
    transcription: TranscribedRecording, labels: Sequence[str], names: Sequence[str]
) -> np.ndarray:
    """Index of the stem of each component in each frame [shape=(component, time)].

    A component belongs to the stem of the latest note of its pitch that has begun and has not died
    away, otherwise to the last stem, the rest. The components of a note are those of the nearest
    pitch, if it is within half a semitone, and of the instrument that is the note's track; of a
    note with a contour, those of all pitches that it comes that near.
    """
    decomposition = transcription.decomposition
    times = transcription.transform.times(decomposition.H.shape[-1])
    assignment = np.full((len(transcription.pitches), len(times)), len(names) - 1, np.int32)
    indices = {name: index for index, name in enumerate(names)}
    # Activations precede the sound by the delay of their template, e.g. its attack.
    delays = decomposition.structure.delays(decomposition.factors)
    pitches = np.array([np.inf if pitch is None else pitch for pitch in transcription.pitches])
    instruments = np.array(transcription.labels)
    labelled = zip(transcription.notes, labels, strict=True)
    for note, label in sorted(labelled, key=lambda pair: pair[0].onset):
        first, last = np.searchsorted(times, (note.onset - _LEAD, note.offset + _RELEASE))
        own = pitches
        if instruments.size:
            own = np.where(instruments == note.track, pitches, np.inf)
        for k in np.flatnonzero(_is_of(note, own)):
            frames = slice(max(first - delays[k], 0), max(last - delays[k], 0))
            assignment[k, frames] = indices[label]
    return assignment


def _is_of(note: Note, pitches: np.ndarray) -> np.ndarray:
    """Return which of the components' pitches are those of a note."""
    if note.contour:
        bends = [semitones for _, semitones in note.contour]
        above = pitches - note.pitch
        within: np.ndarray = (above >= min(bends) - _NEAR) & (above <= max(bends) + _NEAR)
        return within
    distance = np.abs(pitches - note.pitch)
    nearest: np.ndarray = (distance <= _NEAR) & (pitches == pitches[distance.argmin()])
    return nearest


@dataclass(frozen=True, eq=False)
class _Separation:
    """Wiener filtering of a recording into many stems, each of which is short.

    In a strip of frames only its active stems are computed, one after another, and
    inverted from their first to their last frame. The time is proportional to the sum of their
    durations, and the memory is that of the stems and one block.

    Parameters
    ----------
    transcription : Transcription
    assignment : np.ndarray [shape=(component, time)]
        Index of the stem of each component in each frame.
    masking : Masking
    n_stems : int
        Number of stems; the last one is the rest.
    """

    transcription: TranscribedRecording
    assignment: np.ndarray
    masking: Masking
    n_stems: int

    @cached_property
    def stft(self) -> Stft:
        """STFT that the masks are applied in."""
        return _stft(self.transcription)

    def run(self) -> tuple[np.ndarray, list[ComponentGroup]]:
        """Return the stems [shape=(stem, channel, sample)] and the description of each."""
        y = self.transcription.mixture
        stems = np.zeros((self.n_stems, *y.shape), y.dtype)
        power = np.zeros((self.n_stems, len(self.stft.frequencies)))  # spectrum of each stem
        percussive_power = np.zeros(self.n_stems)
        begin = 0
        for Z in self.stft.forward_blocks(y, _BLOCK):
            spacing, hop_seconds = self.stft.sr / self.stft.n_fft, self.stft.hop / self.stft.sr
            percussive = percussive_mask(self.stft.features(Z), spacing, hop_seconds)
            for stem, frames, masked in self._masked(Z, begin):
                spectrum = np.square(np.abs(masked), dtype=np.float64).sum(axis=0)
                power[stem] += spectrum.sum(axis=1)
                percussive_power[stem] += (spectrum * percussive[:, frames]).sum()
                start, samples = self._invert(masked, begin + frames.start)
                stems[stem, :, start : start + samples.shape[1]] += samples
            begin += Z.shape[-1]
        return stems, self._groups(power, percussive_power)

    def _masked(self, Z: np.ndarray, begin: int) -> Iterator[tuple[int, slice, np.ndarray]]:
        """Stem, frames within the block, and masked spectrogram, for each strip and stem."""
        for first in range(0, Z.shape[-1], _STRIP):
            strip = Z[..., first : first + _STRIP]
            for stem, mask in self._masks(begin + first, strip.shape[-1]):
                active = np.flatnonzero(mask.any(axis=0)).tolist()
                if active:
                    span = slice(active[0], active[-1] + 1)
                    frames = slice(first + span.start, first + span.stop)
                    yield stem, frames, strip[..., span] * mask[:, span]

    def _masks(self, begin: int, count: int) -> Iterator[tuple[int, np.ndarray]]:
        """Active stems in frames of the STFT, each with its mask [shape=(bin, time)]."""
        transform, stft = self.transcription.transform, self.stft
        last = self.assignment.shape[1] - 1
        # Positions of the STFT's frames among those of the model, fractional at another rate.
        step = stft.hop / stft.sr * transform.sr / transform.hop
        positions = np.minimum(np.arange(begin, begin + count) * step, last)
        frames = slice(int(positions[0]), min(int(np.ceil(positions[-1])), last) + 1)
        active, parts = self._parts(frames)
        lifted = map(transform.lift, self.masking.masks(parts))
        if stft.sr == transform.sr:
            return zip(active, lifted, strict=True)
        # Interpolate over time, then over frequency: all masks alike, so that they still sum to 1.
        bins = stft.frequencies * transform.n_fft / transform.sr
        by_time = (interpolate(mask, positions - frames.start, axis=1) for mask in lifted)
        resampled = (interpolate(mask, bins, axis=0) for mask in by_time)
        return zip(active, resampled, strict=True)

    def _parts(self, frames: slice) -> tuple[list[int], list[np.ndarray]]:
        """Active stems in frames of the model, each with its part of the model."""
        decomposition = self.transcription.decomposition
        structure = decomposition.structure
        # `extra` frames before, whose activations reach into these frames.
        factors, extra = structure.excerpt(decomposition.factors, frames)
        assignment = self.assignment[:, frames.start - extra : frames.stop]
        rest = self.n_stems - 1
        active = sorted({*np.unique(assignment).tolist(), rest})
        parts = []
        for stem in active:
            assigned = assignment == stem
            members = np.flatnonzero(assigned.any(axis=1)).tolist()
            *templates, H = structure.select(factors, members)
            part = structure.forward([*templates, H * assigned[members]])
            parts.append(part[..., extra:].copy(order="K"))  # a view would keep all of `part`
        parts[-1] = np.where(sum(parts) > 0, parts[-1], 1)  # bins without a model are the rest
        return active, parts

    def _invert(self, Z: np.ndarray, begin: int) -> tuple[int, np.ndarray]:
        """Inverse STFT of a few frames from `begin` on, and the sample that it starts at."""
        stft, length = self.stft, self.transcription.mixture.shape[1]
        margin = -(-stft.n_fft // stft.hop)  # silent frames whose windows overlap with these
        end, total = begin + Z.shape[-1], stft.n_frames(length)
        first, last = max(0, begin - margin), min(total, end + margin)
        rows = np.zeros((len(Z), last - first, Z.shape[1]), Z.dtype)  # (channel, time, bin)
        rows[:, begin - first : end - first] = Z.transpose(0, 2, 1)
        start = first * stft.hop
        samples = min((last - first - 1) * stft.hop, length - start)
        return start, stft.inverse(rows.transpose(0, 2, 1), samples)

    def _groups(self, power: np.ndarray, percussive_power: np.ndarray) -> list[ComponentGroup]:
        """Describe each stem by its power spectrum."""
        energy = power.sum(axis=1)
        share = safe_ratio(energy, energy.sum(), 0.0)
        centre = safe_ratio(power @ self.stft.frequencies, energy, 0.0)
        percussive = safe_ratio(percussive_power, energy, 0.5)
        return [
            ComponentGroup(self._members(stem), float(share[stem]), *map(float, facts))
            for stem, facts in enumerate(zip(centre, percussive, strict=True))
        ]

    def _members(self, stem: int) -> tuple[int, ...]:
        """Components of a stem; none if the recording is not on the grid of the model."""
        if self.stft.sr != self.transcription.transform.sr:
            return ()
        return tuple(np.flatnonzero((self.assignment == stem).any(axis=1)).tolist())
