"""Suitability of a recording for a dictionary of notes or drums."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nmfaudio.dictionaries.drum_detection import LOWEST_EXPLAINED
from nmfaudio.transcription.salience import Salience

_FAINT = 0.1  # share of the strongest pitch of a frame below which a pitch is ignored
_FRAMES = 8192  # at a time
_LOWEST_DECAY = 0.6  # 66 recordings of pianos are at 0.626 at least, 78 of 88 others below it


@dataclass(frozen=True)
class Suitability:
    """Measure of whether a recording is of the kind that the dictionary is for.

    Parameters
    ----------
    value : float
        From 0 to 1; higher suits better. NaN where there is no sound.
    limit : float or None
        Value that recordings of that kind exceed; None where it is not known.

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.transcription.Suitability(0.4, 0.6).suits
    False
    """

    value: float
    limit: float | None

    @property
    def suits(self) -> bool:
        """False if the value is below the limit."""
        return self.limit is None or not self.value < self.limit


def piano_suitability(salience: Salience, *, is_piano: bool) -> Suitability:
    """Suitability of a recording for a dictionary of notes, by the share of salience that decays.

    Parameters
    ----------
    salience : Salience
    is_piano : bool
        Whether the dictionary is that of a piano, so that the limit holds.

    Returns
    -------
    Suitability
        Its value is the `decaying_share`.
    """
    return Suitability(decaying_share(salience), _LOWEST_DECAY if is_piano else None)


def decaying_share(salience: Salience) -> float:
    """Share of the salience that decays at a pitch stronger than its neighbours.

    Notes of a struck or plucked string rise at once and decay for the rest of their time. Voices,
    bowed and blown instruments are steady; drums, speech and noise are spread over neighbouring
    semitones. Divergences do not tell them apart, because templates adapt to any recording.

    Parameters
    ----------
    salience : Salience

    Returns
    -------
    float
        From 0 to 1; NaN where there is no sound.

    Examples
    --------
    >>> import numpy as np
    >>> decay, steady = np.exp(-np.arange(50) / 20), np.ones(50)
    >>> pitches, times = np.array([60.0]), np.arange(50) * 0.02
    >>> [decaying_share(Salience(row[None], pitches, times)) for row in (decay, steady)]
    [1.0, 0.0]
    """
    values, pitches = np.asarray(salience.values), np.asarray(salience.pitches)
    total = decaying = 0.0
    for first in range(0, max(values.shape[1] - 1, 1), _FRAMES):
        block = values[:, first : first + _FRAMES + 1].astype(np.float64)
        now, following = block[:, :-1], block[:, 1:]
        counted = np.where(now >= _FAINT * now.max(axis=0, initial=0), now, 0)
        total += float(counted.sum())
        above_neighbours = now > _strongest_neighbour(now, pitches)
        decaying += float(counted[above_neighbours & (following < now)].sum())
    return decaying / total if total > 0 else math.nan


def drum_suitability(loss: float, V: np.ndarray, *, is_shipped: bool) -> Suitability:
    """Share of a spectrogram that the model of a drum kit explains.

    Parameters
    ----------
    loss : float
        Kullback–Leibler divergence of the model from `V`.
    V : np.ndarray [shape=(freq, time)]
        Spectrogram.
    is_shipped : bool
        Whether the kit is the one that ships with the package, so that the limit holds: kits of
        fewer parts explain less.

    Returns
    -------
    Suitability
        Its value is 1 − D(V | model) / ∑ V.

    Examples
    --------
    >>> drum_suitability(1.0, np.ones((2, 5)), is_shipped=True).value
    0.9
    """
    total = float(V.sum(dtype=np.float64))
    value = 1 - loss / total if total > 0 else math.nan
    return Suitability(value, LOWEST_EXPLAINED if is_shipped else None)


def _strongest_neighbour(values: np.ndarray, pitches: np.ndarray) -> np.ndarray:
    """Value of the stronger of the two neighbouring semitones [shape=(pitch, time)]."""
    adjacent = (np.diff(pitches) < 1.5)[:, None]
    stronger = np.zeros_like(values)
    stronger[1:] = np.where(adjacent, values[:-1], 0)
    stronger[:-1] = np.maximum(stronger[:-1], np.where(adjacent, values[1:], 0))
    return stronger
