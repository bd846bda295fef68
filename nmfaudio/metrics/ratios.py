"""Ratios of BSS-eval, computed from energies."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

# A denominator below this share of the numerator is rounding, and the ratio infinite: the square of
# about 45 times the epsilon of float64.
_ROUNDING = 1e-28


class Scores(NamedTuple):
    """Ratios in dB [shape=(source,), or (source, frame)]."""

    sdr: np.ndarray
    """Filtered target to interference and artefacts: the SDR of bss_eval_sources."""
    isr: np.ndarray
    """Target to spatial (filtering) distortion."""
    sir: np.ndarray
    """Filtered target to interference."""
    sar: np.ndarray
    """Filtered sources to artefacts."""
    image_sdr: np.ndarray
    """Target to all distortion, filtering included: the SDR of bss_eval_images."""


class Energies(NamedTuple):
    """Energies of the parts of an estimate e of s.

    P₁ projects on the delayed copies of its source, P on those of all sources.
    """

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
        """Fields of `Scores`; NaN if the source is silent."""
        if self.target == 0:
            return (math.nan,) * len(Scores._fields)
        return (
            decibels(self.filtered, self.distortion),
            decibels(self.target, self.change),
            decibels(self.filtered, self.interference),
            decibels(self.sources, self.artefacts),
            decibels(self.target, self.error),
        )


def decibels(signal: float, distortion: float) -> float:
    """Ratio of two energies in dB; minus infinity for no signal, even without distortion."""
    if signal <= 0:
        return -math.inf
    if distortion <= _ROUNDING * signal:
        return math.inf
    return 10 * math.log10(signal / distortion)
