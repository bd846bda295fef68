"""Timbre of notes: their partials and how they decay, and which instrument sounds like that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from nmfaudio._common.pitch import midi_to_hz
from nmfaudio.dictionaries.perceptron import Perceptron
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.note_selection import sustain

_FILE = Path(__file__).resolve().parents[1] / "data" / "timbres.npz"
N_PARTIALS = 15
"""Number of partials that are compared."""
_HIGHEST = 5000.0  # Hz of the highest partial
_WIDTH = 0.015  # largest distance of a row from a partial, as a share of its frequency
_STAGES = ((-0.02, 0.05), (0.05, 0.25), (0.25, 1.5))  # s after the onset
_SHORTEST = 0.1  # s of a note that are taken into account at least
_SLOPE_FROM, _SLOPE_UP_TO = 0.25, 0.6  # s: of the peak after the onset; after the peak
_FEWEST = 6  # frames of a slope
_SLOPES = (-40.0, 10.0)  # dB per second
_SILENT = 1e-6  # share of the peak to which the level of a slope is limited
_SHORT = 0.02  # s that are added to durations before the logarithm
_FAINT = 1e-3  # share of a partial or a stage that is as good as none
_OCTAVE, _MIDDLE = 12, 60  # MIDI number of a pitch that is 0 to the network, and its unit


@dataclass(frozen=True, eq=False)
class TimbreClassifier:
    """Network that tells which instrument a note sounds like.

    It was trained on random music, played by SoundFonts; see ``nmfaudio/data/LICENSES.md``.

    Parameters
    ----------
    labels : tuple of str
        Names of its outputs: the instruments that ship with the package.
    network : Perceptron
    """

    labels: tuple[str, ...]
    network: Perceptron

    def probabilities(self, features: np.ndarray, labels: Sequence[str]) -> np.ndarray:
        """Return the probability of each of some instruments.

        Parameters
        ----------
        features : np.ndarray [shape=(note, feature)]
            As `timbre_features` returns them.
        labels : sequence of str
            Some of the instruments.

        Returns
        -------
        np.ndarray [shape=(note, instrument)]
            Probabilities given that it is one of them; of labels of which one is unknown all are
            alike.
        """
        if not set(labels) <= set(self.labels):
            return np.full((len(features), len(labels)), 1 / len(labels))
        columns = [self.labels.index(label) for label in labels]
        outputs = self.network(features)[:, columns]
        odds = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))


@cache
def timbre_classifier() -> TimbreClassifier:
    """Return the classifier that ships with the package.

    Returns
    -------
    TimbreClassifier
    """
    with np.load(_FILE, allow_pickle=False) as file:
        labels = tuple(file["labels"].tolist())
    return TimbreClassifier(labels, Perceptron.load(_FILE))


def partial_levels(W: np.ndarray, frequencies: np.ndarray, pitches: Sequence[float]) -> np.ndarray:
    """Sum templates near the partials of their pitches.

    Parameters
    ----------
    W : np.ndarray [shape=(freq, component) or (lag, freq, component)]
        Components beyond the number of `pitches` are ignored.
    frequencies : np.ndarray [shape=(freq,)]
        In Hz, ascending.
    pitches : sequence of float
        MIDI number of each component.

    Returns
    -------
    np.ndarray [shape=(component, partial)]
        float64, of 15 partials; 0 above 5 kHz.

    Examples
    --------
    >>> frequencies = np.arange(1000) * 2.0
    >>> W = np.isin(frequencies, [220, 440, 660])[:, None]
    >>> partial_levels(W, frequencies, [57])[0, :4].tolist()
    [1.0, 1.0, 1.0, 0.0]
    """
    spectra = np.asarray(W, np.float64)
    spectra = spectra if W.ndim == 2 else spectra.sum(axis=0)
    width = 2 * float(frequencies[1] - frequencies[0]) if len(frequencies) > 1 else 0.0
    levels = np.zeros((len(pitches), N_PARTIALS))
    keys = np.asarray(pitches, np.float64)
    for pitch in np.unique(keys):
        components = np.flatnonzero(keys == pitch)
        for n in range(N_PARTIALS):
            centre = (n + 1) * midi_to_hz(float(pitch))
            reach = max(_WIDTH * centre, width)
            first, last = np.searchsorted(
                frequencies, (centre - reach, min(centre + reach, _HIGHEST)), side="right"
            )
            levels[components, n] = spectra[first:last, components].sum(axis=0)
    return levels


def timbre_features(
    notes: Sequence[Note],
    pitches: np.ndarray,
    times: np.ndarray,
    parts: np.ndarray,
    partials: np.ndarray,
) -> np.ndarray:
    """Compute what the network decides by.

    Parameters
    ----------
    notes : sequence of Note
    pitches : np.ndarray [shape=(pitch,)]
        MIDI numbers.
    times : np.ndarray [shape=(time,)]
        Centre of each frame in seconds.
    parts : np.ndarray [shape=(instrument, pitch, time)]
        Salience of each pitch of each instrument.
    partials : np.ndarray [shape=(instrument, pitch, partial)]
        Levels of the partials of each pitch of each instrument.

    Returns
    -------
    np.ndarray [shape=(note, 22)]
        float64: logarithms of the shares of the partials and of the three stages of the note, its
        pitch in octaves, its slope in units of 10 dB per second, and logarithms of its duration and
        of its sustained level relative to the peak.
    """
    features = np.zeros((len(notes), N_PARTIALS + len(_STAGES) + 4))
    step = float(times[1] - times[0]) if len(times) > 1 else 1.0
    for note, row_of_features in zip(notes, features, strict=True):
        row = int(np.abs(pitches - note.pitch).argmin())
        end = max(note.offset, note.onset + _SHORTEST)
        stages = []  # levels of the partials
        for begin, stop in _STAGES:
            first, last = np.searchsorted(times, (note.onset + begin, min(note.onset + stop, end)))
            levels = parts[:, row, first:last].sum(axis=1, dtype=np.float64)  # (instrument,)
            stages.append((levels[:, None] * partials[:, row]).sum(axis=0))
        shares = np.array(stages)  # (stage, partial)
        shares /= shares.sum() or 1.0
        values, frame = parts[:, row].sum(axis=0), int(np.searchsorted(times, note.onset))
        row_of_features[:N_PARTIALS] = np.log(shares.sum(axis=0) + _FAINT)
        row_of_features[N_PARTIALS:-4] = np.log(shares.sum(axis=1) + 10 * _FAINT)
        row_of_features[-4:] = (
            (note.pitch - _MIDDLE) / _OCTAVE,
            _slope(values, frame, int(np.searchsorted(times, note.offset)), step) / 10,
            np.log(note.offset - note.onset + _SHORT),
            sustain(values, frame, step),
        )
    return features


def _slope(values: np.ndarray, frame: int, end: int, step: float) -> float:
    """Slope of a note after its peak in dB per second; 0 if it is too short."""
    peak = frame + int(values[frame : frame + round(_SLOPE_FROM / step)].argmax())
    end = min(end, peak + round(_SLOPE_UP_TO / step), len(values))
    if end - peak < _FEWEST:
        return 0.0
    levels = values[peak:end].astype(np.float64)
    decibels = 10 * np.log10(levels + _SILENT * levels.max())
    seconds = np.arange(len(levels)) * step
    seconds -= seconds.mean()
    slope = (seconds * decibels).sum() / (seconds**2).sum()
    return float(np.clip(slope, *_SLOPES))
