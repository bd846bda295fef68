"""Conversion to decibels, shared by all figures of spectrograms."""

from __future__ import annotations

import numpy as np

COLOUR_MAP = "magma"
RANGE_DB = 80.0

_FLOOR = 1e-12  # of the reference; keeps the logarithm finite, far below any range shown


def to_decibels(
    values: np.ndarray, reference: float | np.ndarray, *, power: float = 1.0
) -> np.ndarray:
    """Level of magnitudes to the given power, relative to a reference, in dB."""
    levels: np.ndarray = 20 / power * np.log10(np.maximum(values / reference, _FLOOR))
    return levels
