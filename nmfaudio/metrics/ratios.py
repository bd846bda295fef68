"""The ratios of BSS-eval, out of the energies that they compare."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

_BEYOND = 1e-28  # of the numerator: a smaller denominator is rounding, and the ratio infinite


class Scores(NamedTuple):
    """Ratios in dB [shape=(source,), or (source, frame)]."""

    sdr: np.ndarray
    """Filtered target to all that it is not: the SDR of bss_eval_sources."""
    isr: np.ndarray
    """Target to what filtering has changed in it."""
    sir: np.ndarray
    """Filtered target to what comes from other sources."""
    sar: np.ndarray
    """What comes from any of the sources to what comes from none."""
    image_sdr: np.ndarray
    """Target to all that it is not, filtering included: the SDR of bss_eval_images."""


class Energies(NamedTuple):
    """What an estimate is made of; P₁ projects on its source and P on all sources, filtered."""

    target: float
    """|s|²"""
    change: float
    """|P₁e − s|²"""
    filtered: float
    """|P₁e|²"""
    distortion: float
    """|e − P₁e|²"""
    interference: float
    """|Pe − P₁e|²"""
    sources: float
    """|Pe|²"""
    artefacts: float
    """|e − Pe|²"""
    error: float
    """|e − s|²"""

    def ratios(self) -> tuple[float, ...]:
        """The fields of `Scores`, NaN where the source is silent."""
        if self.target == 0:
            return (math.nan,) * len(Scores._fields)
        return (
            decibels(self.filtered, self.distortion),
            decibels(self.target, self.change),
            decibels(self.filtered, self.interference),
            decibels(self.sources, self.artefacts),
            decibels(self.target, self.error),
        )


def decibels(wanted: float, unwanted: float) -> float:
    """A ratio of energies; minus infinity where nothing is wanted, even if nothing is unwanted."""
    if wanted <= 0:
        return -math.inf
    if unwanted <= _BEYOND * wanted:
        return math.inf
    return 10 * math.log10(wanted / unwanted)
