"""How strongly each pitch is heard, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Salience:
    """How strongly each pitch is heard, frame by frame.

    Attributes
    ----------
    values : np.ndarray [shape=(pitch, time)]
        ≥ 0.
    pitches : np.ndarray [shape=(pitch,)]
        MIDI numbers, ascending.
    times : np.ndarray [shape=(time,)]
        Centre of each frame in seconds.
    """

    values: np.ndarray
    pitches: np.ndarray
    times: np.ndarray
