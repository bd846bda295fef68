"""Thresholds of onsets that depend on the pitch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_BASS, _TREBLE = 38.0, 65.0  # MIDI numbers between which thresholds do not depend on the pitch
_OCTAVE = 12


def threshold_factors(
    pitches: Sequence[float] | np.ndarray, *, bass: float = 0.0, treble: float = 0.0
) -> np.ndarray:
    """Compute the factor of the threshold of each pitch.

    What is left of the partials of other notes rises at high pitches, noise and thumps of hammers
    at low ones. Pitches in the middle register have few false onsets, and most of the soft notes of
    an accompaniment.

    Parameters
    ----------
    pitches : sequence of float [shape=(pitch,)]
        MIDI numbers.
    bass, treble : float
        Increase of the threshold in octaves (factors of 2) for each octave below 38 and above 65.

    Returns
    -------
    np.ndarray [shape=(pitch,)]
        float64, ≥ 1 for increases ≥ 0.

    Examples
    --------
    >>> threshold_factors([26, 50, 89], bass=2, treble=0.5).tolist()
    [4.0, 1.0, 2.0]
    """
    keys = np.asarray(pitches, np.float64)
    below = bass * np.maximum(_BASS - keys, 0)
    above = treble * np.maximum(keys - _TREBLE, 0)
    return np.asarray(np.exp2((below + above) / _OCTAVE))
