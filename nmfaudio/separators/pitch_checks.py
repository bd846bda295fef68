"""Comparison of pitch tracks with the recording that they belong to."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio._common.pitch import midi_to_hz
from nmfaudio.errors import AudioWarning, ContentError
from nmfaudio.separators.pitch_track import Pitch

if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Stft
    from nmfaudio.separators.inputs import SeparationInput

_PARTIALS = np.arange(1, 9)
_HIGHEST_NUMBER = 127  # of a MIDI note
# Difference of harmonic contrast above which a reading as MIDI numbers is the right one: 0.38 to
# 0.91 for 11 tables of notes, at most -0.08 for basses and low voices in Hz.
_CLEARLY = 0.15
_GRID = 0.001  # s between the times at which tracks are looked up; their rows are further apart
_TIMES = 2**16  # of the grid that are in memory at a time
_COVERED = 0.2  # share of a recording with a pitch; annotated voices have 0.48 to 0.92


def check_pitches(
    pitches: Sequence[Pitch], inputs: SeparationInput, V: np.ndarray, times: np.ndarray
) -> None:
    """Refuse pitch tracks that cannot belong to a recording, and warn of those that hardly do.

    Parameters
    ----------
    pitches : sequence of Pitch
        Pitch tracks of all voices.
    inputs : SeparationInput
        The recording.
    V : np.ndarray [shape=(freq, frame)]
        Frames of its spectrogram by which the unit of the pitches is checked.
    times : np.ndarray [shape=(frame,)]
        Times of these frames in seconds.

    Raises
    ------
    ContentError
        A pitch is too high for the sample rate, no voice has a pitch within the recording, or the
        values are MIDI note numbers.
    """
    sr = inputs.sr
    highest = max(pitch.hertz.max() for pitch in pitches)
    if highest >= sr / 2:
        raise ContentError(
            f"a pitch is {highest:g} Hz; all must be below half the sample rate, {sr / 2:g} Hz"
        )
    start = inputs.start
    voiced = _voiced_share(pitches, inputs)
    if voiced == 0:
        raise ContentError(
            f"no voice has a pitch from {start:.3g} to {start + inputs.duration:.3g} s of the "
            "recording; give times in seconds from the beginning of its file and pitches in Hz"
        )
    for pitch in pitches:
        if looks_like_midi(pitch, V, times, inputs.transform):
            raise ContentError(
                f"the pitches, {pitch.hertz[pitch.hertz > 0].min():g} to {highest:g}, look like "
                "MIDI note numbers; give Hz, or --pitch-unit midi"
            )
    _warn_of_coverage(pitches, voiced, inputs)


def looks_like_midi(pitch: Pitch, V: np.ndarray, times: np.ndarray, transform: Stft) -> bool:
    """Decide whether values are MIDI note numbers, which fit the recording better than Hz.

    Parameters
    ----------
    pitch : Pitch
        Pitch track with the values as Hz.
    V : np.ndarray [shape=(freq, frame)]
        Frames of the spectrogram of the recording.
    times : np.ndarray [shape=(frame,)]
        Their times in seconds.
    transform : Stft
        Transform of the spectrogram.

    Returns
    -------
    bool
        Whether the recording has clearly stronger partials at the pitches of the note numbers.
    """
    if pitch.hertz.max() > _HIGHEST_NUMBER:
        return False
    notes = Pitch(pitch.times, np.where(pitch.hertz > 0, midi_to_hz(pitch.hertz), 0))
    contrast = harmonic_contrast(notes, V, times, transform)
    return contrast > harmonic_contrast(pitch, V, times, transform) + _CLEARLY


def harmonic_contrast(pitch: Pitch, V: np.ndarray, times: np.ndarray, transform: Stft) -> float:
    """Measure how much stronger a recording is at the partials of a pitch than between them.

    Parameters
    ----------
    pitch : Pitch
        Pitch track.
    V : np.ndarray [shape=(freq, frame)]
        Frames of the spectrogram of the recording.
    times : np.ndarray [shape=(frame,)]
        Their times in seconds.
    transform : Stft
        Transform of the spectrogram.

    Returns
    -------
    float
        From -1 to 1: the difference of the levels at and half-way between the first eight
        partials, over their sum; 0 without any level there.
    """
    hertz, voiced = pitch.at(times)
    frames = np.flatnonzero(voiced)

    def level(multiples: np.ndarray) -> float:
        bins = multiples[:, None] * hertz[frames] * transform.n_fft / transform.sr
        inside = bins < len(V) - 1
        below = np.where(inside, bins, 0).astype(int)
        above = np.minimum(below + 1, len(V) - 1)
        share = np.where(inside, bins - below, 0)
        values = (1 - share) * V[below, frames] + share * V[above, frames]
        return float(np.sum(values * inside))

    on, between = level(_PARTIALS), level(_PARTIALS + 0.5)
    return (on - between) / (on + between) if on + between > 0 else 0.0


def _voiced_share(pitches: Sequence[Pitch], inputs: SeparationInput) -> float:
    """Share of a recording in which any voice has a pitch."""
    grid = np.arange(0, inputs.duration, _GRID)
    voiced = 0
    for first in range(0, len(grid), _TIMES):
        times = inputs.start + grid[first : first + _TIMES]
        voiced += int(np.any([pitch.at(times)[1] for pitch in pitches], axis=0).sum())
    return voiced / len(grid)


def _warn_of_coverage(pitches: Sequence[Pitch], voiced: float, inputs: SeparationInput) -> None:
    """Warn of tracks that have a pitch in little of the recording, or go on after its file."""
    duration = inputs.file_duration
    beyond = max(float(pitch.times[pitch.hertz > 0].max(initial=0)) for pitch in pitches)
    problem = ""
    if beyond > 1.05 * duration + 1:
        problem = f"the pitch goes on until {beyond:.1f} s, the recording ends at {duration:.1f} s"
    elif voiced < _COVERED:
        problem = (
            f"the voice has a pitch in {voiced:.0%} of the recording, the rest is accompaniment"
        )
    if problem:
        warnings.warn(
            f"{problem}; check that the times count in seconds from the beginning of this file",
            AudioWarning,
            stacklevel=2,
        )
