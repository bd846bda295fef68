"""Frequency scales: MIDI numbers and the ERB-rate scale."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

T = TypeVar("T", float, np.ndarray)

A4_HZ = 440.0
A4_MIDI = 69.0

# Glasberg & Moore (1990), eq. 3: ERB(f) = 24.7 (0.00437 f + 1), with f and ERB in Hz.
_ERB_AT_ZERO = 24.7  # Hz
_ERB_SLOPE = 0.00437  # per Hz


def midi_to_hz(midi: T) -> T:
    """Fundamental frequency in Hz of MIDI numbers, in equal temperament with A4 = 440 Hz.

    Parameters
    ----------
    midi : float or np.ndarray
        Fractions of a semitone are kept.

    Returns
    -------
    float or np.ndarray
        In Hz.

    Examples
    --------
    >>> midi_to_hz(57)
    220.0
    """
    hertz: T = A4_HZ * 2.0 ** ((midi - A4_MIDI) / 12.0)
    return hertz


def hz_to_midi(hertz: np.ndarray) -> np.ndarray:
    """MIDI numbers of frequencies in Hz, not rounded.

    Parameters
    ----------
    hertz : np.ndarray

    Returns
    -------
    np.ndarray
        Minus infinity for 0, NaN below.

    Examples
    --------
    >>> float(hz_to_midi(np.array(220.0)))
    57.0
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        midi: np.ndarray = A4_MIDI + 12 * np.log2(hertz / A4_HZ)
    return midi


def erb_rate(hertz: Any) -> Any:
    """Number of equivalent rectangular bandwidths below a frequency.

    Parameters
    ----------
    hertz : array_like
        Frequencies in Hz.

    Returns
    -------
    np.ndarray
        On the ERB-rate scale, of the shape of `hertz`.

    References
    ----------
    B. R. Glasberg, B. C. J. Moore, "Derivation of auditory filter shapes from notched-noise data",
    Hearing Research 47, 1990, eq. 4, doi:10.1016/0378-5955(90)90170-T.

    Examples
    --------
    >>> float(erb_rate(1000.0).round(2))
    15.62
    """
    return 21.4 * np.log10(1 + _ERB_SLOPE * np.asarray(hertz))


def erb_width(hertz: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """`scale` times the equivalent rectangular bandwidth in Hz at frequencies in Hz.

    Parameters
    ----------
    hertz : np.ndarray
    scale : float

    Returns
    -------
    np.ndarray

    Examples
    --------
    >>> float(erb_width(np.array(1000.0)).round(1))
    132.6
    """
    return scale * _ERB_AT_ZERO * (_ERB_SLOPE * hertz + 1)


def erb_spaced(low: float, high: float, count: int) -> np.ndarray:
    """Frequencies evenly spaced on the ERB-rate scale.

    Parameters
    ----------
    low, high : float
        First and last frequency in Hz.
    count : int
        Number of frequencies.

    Returns
    -------
    np.ndarray [shape=(count,)]
        In Hz, float64.

    Examples
    --------
    >>> erb_spaced(50.0, 8000.0, 3).round()
    array([  50., 1286., 8000.])
    """
    # The base of the logarithm cancels out; log1p and expm1 are accurate near 0 Hz.
    ends = np.log1p(_ERB_SLOPE * low), np.log1p(_ERB_SLOPE * high)
    return np.asarray(np.expm1(np.linspace(*ends, count)) / _ERB_SLOPE)
