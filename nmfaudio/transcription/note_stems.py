"""Each note, pitch, hand or drum of a transcription as sound of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

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
    from nmfaudio.transcription.result import Transcription

BY = ("note", "pitch", "hand", "track")
# s before its onset and after its offset that a note may be heard: on three pieces played note by
# note on a real piano, between 0.025 and 0.07, and 0.1 and 0.6, no more than 0.6 dB apart.
_LEAD, _RELEASE = 0.03, 0.3
_BLOCK = 256  # frames transformed at a time
_STRIP = 64  # frames masked at a time
_NEAR = 0.5  # semitones from a note's pitch within which components may make it
# Memory: how many times the models of a strip, and how many times a block's spectra, are held.
_MODELS, _SPECTRA = 3, 8


def note_stems(transcription: Transcription, by: str) -> Stems:
    """What each note, or group of notes, has of the recording; see `Transcription.stems`."""
    labels = _labels(transcription.notes, by)
    names = _names(labels)
    masking = Masking(power=transcription.transform.power)
    sharing = _Sharing(transcription, _owners(transcription, labels, names), masking, len(names))
    stems, groups = sharing.stems()
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


def stems_memory(transcription: Transcription, by: str) -> int:
    """How many further bytes `Transcription.stems` needs at most: the stems, and one block.

    Parameters
    ----------
    transcription : Transcription
    by : "note", "pitch", "hand" or "track"

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        `by` is something else.
    """
    y, transform, stft = transcription.mixture, transcription.transform, _stft(transcription)
    stems = len(_names(_labels(transcription.notes, by)))
    bins, bands = len(stft.frequencies), len(transform.frequencies)
    frames = _STRIP * stft.hop * transform.sr / (stft.sr * transform.hop) + 2
    each = y.nbytes + int(_MODELS * bands * frames) * y.itemsize + 8 * bins  # power in float64
    return stems * each + _SPECTRA * (1 + len(y)) * bins * _BLOCK * y.itemsize


def _labels(notes: Sequence[Note], by: str) -> list[str]:
    """The name of each note's stem."""
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
    """The names of all stems, the rest last."""
    return [*(name for name in dict.fromkeys(labels) if name != REST), REST]


def _stft(found: Transcription) -> Stft:
    """The transform's STFT, or one with frames as long at the recording's sample rate."""
    transform, sr = found.transform, found.sr
    n_fft, hop = (round(n * sr / transform.sr) for n in (transform.n_fft, transform.hop))
    return Stft(sr, n_fft, hop, transform.window)


def _owners(found: Transcription, labels: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """The stem that each component belongs to in each frame [shape=(component, time)].

    A component belongs to the last note of its pitch that has begun and not died away, else to the
    last stem, which has the rest. So components of one pitch are passed on from note to note. A
    note's pitch is that of the nearest components, where there are any near.
    """
    times = found.transform.times(found.decomposition.H.shape[-1])
    owners = np.full((len(found.pitches), len(times)), len(names) - 1, np.int32)
    places = {name: place for place, name in enumerate(names)}
    delays = found.decomposition.structure.delays(found.decomposition.factors)
    pitches = np.array([np.inf if pitch is None else pitch for pitch in found.pitches])
    for note, label in sorted(zip(found.notes, labels, strict=True), key=lambda one: one[0].onset):
        first, last = np.searchsorted(times, (note.onset - _LEAD, note.offset + _RELEASE))
        far = np.abs(pitches - note.pitch)
        for k in np.flatnonzero((far <= _NEAR) & (pitches == pitches[far.argmin()])):
            owners[k, max(first - delays[k], 0) : max(last - delays[k], 0)] = places[label]
    return owners


@dataclass(frozen=True, eq=False)
class _Sharing:
    """How a recording is shared out among stems that sound only now and then.

    Only stems that sound in a block of frames are computed there, one after another and from where
    they begin to sound to where they end: hundreds of notes are computed as fast as their durations
    sum to, and need memory for the stems themselves and one block.
    """

    found: Transcription
    owners: np.ndarray
    masking: Masking
    count: int

    @cached_property
    def stft(self) -> Stft:
        return _stft(self.found)

    def stems(self) -> tuple[np.ndarray, list[ComponentGroup]]:
        """The stems [shape=(stem, channel, sample)], and what was seen in them."""
        y = self.found.mixture
        stems = np.zeros((self.count, *y.shape), y.dtype)
        power = np.zeros((self.count, len(self.stft.frequencies)))  # under each stem's masks
        sudden = np.zeros(self.count)  # of it, what is percussive
        begin = 0
        for Z in self.stft.forward_blocks(y, _BLOCK):
            spacing, hop_seconds = self.stft.sr / self.stft.n_fft, self.stft.hop / self.stft.sr
            percussive = percussive_mask(self.stft.features(Z), spacing, hop_seconds)
            for place, frames, X in self._masked(Z, begin):
                spectrum = np.square(np.abs(X), dtype=np.float64).sum(axis=0)
                power[place] += spectrum.sum(axis=1)
                sudden[place] += (spectrum * percussive[:, frames]).sum()
                start, sound = self._local(X, begin + frames.start)
                stems[place, :, start : start + sound.shape[1]] += sound
            begin += Z.shape[-1]
        return stems, self._groups(power, sudden)

    def _masked(self, Z: np.ndarray, begin: int) -> Iterator[tuple[int, slice, np.ndarray]]:
        """A stem, frames of a block, and what it has of them: again and again, one at a time."""
        for first in range(0, Z.shape[-1], _STRIP):
            strip = Z[..., first : first + _STRIP]
            for place, mask in self._masks(begin + first, strip.shape[-1]):
                heard = np.flatnonzero(mask.any(axis=0)).tolist()
                if heard:
                    some = slice(heard[0], heard[-1] + 1)
                    frames = slice(first + some.start, first + some.stop)
                    yield place, frames, strip[..., some] * mask[:, some]

    def _masks(self, begin: int, count: int) -> Iterator[tuple[int, np.ndarray]]:
        """The stems that sound in frames of the STFT, each with its mask [shape=(bin, time)]."""
        transform, stft = self.found.transform, self.stft
        last = self.owners.shape[1] - 1
        step = stft.hop / stft.sr * transform.sr / transform.hop
        where = np.minimum(np.arange(begin, begin + count) * step, last)
        frames = slice(int(where[0]), min(int(np.ceil(where[-1])), last) + 1)
        active, parts = self._parts(frames)
        lifted = map(transform.lift, self.masking.masks(parts))
        if stft.sr == transform.sr:
            return zip(active, lifted, strict=True)
        bins = stft.frequencies * transform.n_fft / transform.sr
        by_time = (interpolate(mask, where - frames.start, axis=1) for mask in lifted)
        between = (interpolate(mask, bins, axis=0) for mask in by_time)
        return zip(active, between, strict=True)

    def _parts(self, frames: slice) -> tuple[list[int], list[np.ndarray]]:
        """Which stems sound in these frames of the model, and what each has of it."""
        structure = self.found.decomposition.structure
        factors, extra = structure.excerpt(self.found.decomposition.factors, frames)
        owners = self.owners[:, frames.start - extra : frames.stop]
        rest = self.count - 1
        active = sorted({*np.unique(owners).tolist(), rest})
        parts = []
        for place in active:
            mine = owners == place
            members = np.flatnonzero(mine.any(axis=1)).tolist()
            *others, H = structure.select(factors, members)
            part = structure.forward([*others, H * mine[members]])
            parts.append(part[..., extra:].copy(order="K"))  # a view would keep all of it
        parts[-1] = np.where(sum(parts) > 0, parts[-1], 1)  # of what no part explains
        return active, parts

    def _local(self, Z: np.ndarray, begin: int) -> tuple[int, np.ndarray]:
        """The audio of some frames while all others are silent, and the sample it starts at."""
        stft, length = self.stft, self.found.mixture.shape[1]
        reach = -(-stft.n_fft // stft.hop)
        end, total = begin + Z.shape[-1], stft.n_frames(length)
        first, last = max(0, begin - reach), min(total, end + reach)
        rows = np.zeros((len(Z), last - first, Z.shape[1]), Z.dtype)
        rows[:, begin - first : end - first] = Z.transpose(0, 2, 1)
        start = first * stft.hop
        samples = min((last - first - 1) * stft.hop, length - start)
        return start, stft.inverse(rows.transpose(0, 2, 1), samples)

    def _groups(self, power: np.ndarray, sudden: np.ndarray) -> list[ComponentGroup]:
        energy = power.sum(axis=1)
        share = safe_ratio(energy, energy.sum(), 0.0)
        centre = safe_ratio(power @ self.stft.frequencies, energy, 0.0)
        percussive = safe_ratio(sudden, energy, 0.5)
        return [
            ComponentGroup(self._members(place), float(share[place]), *map(float, facts))
            for place, facts in enumerate(zip(centre, percussive, strict=True))
        ]

    def _members(self, place: int) -> tuple[int, ...]:
        """The components of a stem, which means something on the model's own grid only."""
        if self.stft.sr != self.found.transform.sr:
            return ()
        return tuple(np.flatnonzero((self.owners == place).any(axis=1)).tolist())
