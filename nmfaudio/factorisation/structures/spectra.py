"""Spectra of pitches, voices and filters on the frequencies of a transform."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmfaudio._common.pitch import erb_rate, midi_to_hz
from nmfaudio._common.validation import as_count, as_number
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.kernels.products import product


def harmonic_atoms(
    frequencies: Any,
    pitches: Any,
    *,
    n_bands: int = 8,
    n_partials: int | None = None,
    decay: float = 0.0,
    inharmonicity: Any = 0.0,
    width: float | None = None,
    power: float = 1.0,
) -> np.ndarray:
    """Return bands of neighbouring partials of known pitches, for `Harmonic`.

    Bands overlap by half and are spaced evenly on the scale of auditory bandwidths (ERB), from the
    fundamental of each pitch to the highest frequency. The sum of all atoms of a pitch has all its
    partials. Where bands are narrower than the distance of partials, atoms may be empty, which is
    harmless.

    Parameters
    ----------
    frequencies : np.ndarray [shape=(freq,)]
        Frequencies of the bins in Hz, ascending, e.g. ``stft.frequencies``.
    pitches : np.ndarray [shape=(component,)]
        MIDI numbers, not necessarily integers; 69 is 440 Hz.
    n_bands : int
        Number of atoms per pitch, at least 2.
    n_partials : int, optional
        Maximum number of partials of a pitch; by default all up to the highest frequency.
    decay : float
        ≥ 0: the magnitude of partial h is ``h^-decay``. By default all partials are equal.
    inharmonicity : float or np.ndarray [shape=(component,)]
        Inharmonicity coefficient B ≥ 0 of stiff strings: partial h is at ``h·f0·sqrt(1 + B·h²)``.
        About 0.0004 for middle C of a piano.
    width : float, optional
        Distance from the peak of a partial to the first zero of its main lobe, in Hz. By default
        two bins, as for a Hann window of the length of the transform.
    power : float
        Exponent of the magnitudes: `power` of the transform.

    Returns
    -------
    np.ndarray [shape=(freq, atom, component)]
        Atoms, float64, at most about 1.

    Raises
    ------
    ParameterError, ShapeError
        An argument is out of range, or a pitch is above the highest frequency.

    References
    ----------
    E. Vincent, N. Bertin and R. Badeau, "Adaptive harmonic spectral decomposition for multiple
    pitch estimation", IEEE Trans. Audio, Speech, and Language Processing 18(3), 2010,
    doi:10.1109/TASL.2009.2034186.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> frequencies = np.arange(513) * (8000 / 1024)
    >>> P = na.structures.harmonic_atoms(frequencies, [57, 69], n_bands=6)
    >>> P.shape
    (513, 6, 2)
    >>> frequencies[P[:, 0].argmax(axis=0)].tolist()  # near 220 and 440 Hz
    [218.75, 437.5]
    """
    f, fundamentals = _grid(frequencies, pitches)
    n_bands = as_count(n_bands, "n_bands", low=2)
    limit = np.inf if n_partials is None else as_count(n_partials, "n_partials", low=1)
    decay = as_number(decay, "decay", low=0)
    atoms = np.empty((len(f), n_bands, len(fundamentals)))
    stiffness = _stiffness(inharmonicity, len(fundamentals))
    for k, f0 in enumerate(fundamentals):
        h = np.arange(1, int(min(limit, f[-1] / f0)) + 1)
        partials = h * f0 * np.sqrt(1 + stiffness[k] * h**2)
        h, partials = h[partials <= f[-1]], partials[partials <= f[-1]]
        bands = _bumps(erb_rate(partials), erb_rate(f0), erb_rate(f[-1]), n_bands)
        bands *= h[:, None] ** (-decay * power)  # (partial, band)
        atoms[:, :, k] = product(_lobes(f, partials, width, power), bands)
    return atoms


def glottal_sources(
    frequencies: Any,
    pitches: Any,
    *,
    open_quotient: float = 0.25,
    width: float | None = None,
    power: float = 2.0,
) -> np.ndarray:
    """Return spectra of the glottal source of a voice at known pitches, for `SourceFilter`.

    They have the partials of the flow derivative of the glottal pulse ``x²(1 − x)``, with x from 0
    to 1 while the glottis is open (model KLGLOTT88). The strongest partial is 1.

    Parameters
    ----------
    frequencies : np.ndarray [shape=(freq,)]
        Frequencies of the bins in Hz, ascending, e.g. ``stft.frequencies``.
    pitches : np.ndarray [shape=(pitch,)]
        MIDI numbers, e.g. ``np.arange(45, 80, 0.25)``, finer than semitones to follow a voice.
    open_quotient : float
        Open phase of the glottis as a fraction of the period, above 0, at most 1.
    width : float, optional
        Distance from the peak of a partial to the first zero of its main lobe, in Hz, as in
        `harmonic_atoms`.
    power : float
        Exponent of the magnitudes; `SourceFilter` models powers, 2.

    Returns
    -------
    np.ndarray [shape=(freq, pitch)]
        Spectra, float64.

    Raises
    ------
    ParameterError, ShapeError
        An argument is out of range, or a pitch is above the highest frequency.

    References
    ----------
    D. H. Klatt and L. C. Klatt, "Analysis, synthesis, and perception of voice quality variations
    among female and male talkers", JASA 87(2), 1990, doi:10.1121/1.398894.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> W0 = na.structures.glottal_sources(np.arange(513) * (8000 / 1024), np.arange(48, 72, 0.5))
    >>> W0.shape
    (513, 48)
    """
    f, fundamentals = _grid(frequencies, pitches)
    if as_number(open_quotient, "open_quotient", above=0) > 1:
        raise ParameterError(f"open_quotient is {open_quotient!r}; it must be at most 1")
    sources = np.empty((len(f), len(fundamentals)))
    for k, f0 in enumerate(fundamentals):
        h = np.arange(1, int(f[-1] / f0) + 1)
        strength = _pulse(2 * np.pi * h * open_quotient)
        gains = (strength / strength.max()) ** power
        sources[:, k] = (_lobes(f, h * f0, width, power) * gains).sum(1)
    return sources


def filter_bumps(frequencies: Any, n: int) -> np.ndarray:
    """Return overlapping Hann bumps over frequency, elementary filters for `SourceFilter`.

    Their non-negative sums are smooth filters.

    Parameters
    ----------
    frequencies : np.ndarray [shape=(freq,)]
        Frequencies of the bins in Hz, ascending, e.g. ``stft.frequencies``.
    n : int
        Number of bumps, at least 2, evenly spaced from the lowest frequency to the highest.

    Returns
    -------
    np.ndarray [shape=(freq, n)]
        Bumps, float64; they sum to 1 in every bin.

    Raises
    ------
    ParameterError, ShapeError
        An argument is out of range.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> na.structures.filter_bumps(np.arange(5) * 100.0, 3).round(2).tolist()
    [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]]
    """
    f = _ascending(frequencies)
    return _bumps(f, f[0], f[-1], as_count(n, "n", low=2))


def _ascending(frequencies: Any) -> np.ndarray:
    """Return validated frequencies, float64."""
    f = np.asarray(frequencies, np.float64)
    if f.ndim != 1 or len(f) < 2:
        raise ShapeError(f"frequencies have shape {f.shape}; need (freq,) with at least two bins")
    if not (np.isfinite(f).all() and f[0] >= 0 and (np.diff(f) > 0).all()):
        raise ParameterError("frequencies must be finite, ≥ 0 and ascending, in Hz")
    return f


def _grid(frequencies: Any, pitches: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the frequencies of the bins and of the pitches, in Hz."""
    f, midi = _ascending(frequencies), np.asarray(pitches, np.float64)
    if midi.ndim != 1 or len(midi) == 0:
        raise ShapeError(f"pitches have shape {midi.shape}; need (component,), MIDI numbers")
    fundamentals = midi_to_hz(midi)
    if not (fundamentals < f[-1]).all():
        raise ParameterError(
            f"pitches go from {midi.min():g} to {midi.max():g}; all must be MIDI numbers of "
            f"fundamentals below the highest frequency, {f[-1]:g} Hz"
        )
    return f, fundamentals


def _stiffness(inharmonicity: Any, count: int) -> np.ndarray:
    """Return the inharmonicity of each pitch [shape=(component,)]."""
    values = np.asarray(inharmonicity, np.float64)
    if values.shape not in ((), (count,)):
        raise ShapeError(
            f"inharmonicity has shape {values.shape}; give a number, or one per pitch ({count})"
        )
    for value in values.flat:
        as_number(value, "inharmonicity", low=0)
    return np.broadcast_to(values, count)


def _lobes(f: np.ndarray, partials: np.ndarray, width: float | None, power: float) -> np.ndarray:
    """Return the main lobe of a Hann window at each partial, to a power [shape=(freq, partial)]."""
    power = as_number(power, "power", above=0)
    reach = 2 * (f[1] - f[0]) if width is None else as_number(width, "width", above=0)
    return hann_lobe(2 * np.abs(f[:, None] - partials) / reach) ** power


def hann_lobe(x: np.ndarray) -> np.ndarray:
    """Return the main lobe of the spectrum of a Hann window at x bins from its peak.

    It is sinc(x) / (1 − x²) for x < 2, and 0 from there on.
    """
    x = np.where(np.abs(x - 1) < 1e-6, 1 - 1e-6, x)  # 0 / 0 at x = 1
    lobes = np.zeros(x.shape)
    inside = x < 2
    lobes[inside] = np.maximum(np.sinc(x[inside]) / (1 - x[inside] ** 2), 0.0)
    return lobes


def _bumps(x: np.ndarray, low: float, high: float, n: int) -> np.ndarray:
    """Return Hann bumps around `n` even points from low to high, at x [shape=(x, n)]; sum 1."""
    position = np.clip((x - low) * ((n - 1) / (high - low)), 0, n - 1)
    distance = np.minimum(np.abs(position[:, None] - np.arange(n)), 1.0)
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * distance))


def _pulse(omega: np.ndarray) -> np.ndarray:
    """Return the magnitude spectrum of the flow derivative, ``|∫₀¹ (2x − 3x²)·exp(−iωx) dx|``."""
    s = 1j * omega
    decay = np.exp(-s)
    first = 2 * (1 - (1 + s) * decay) / s**2  # of 2x
    second = 3 * (2 - (s**2 + 2 * s + 2) * decay) / s**3  # of 3x²
    return np.asarray(np.abs(first - second))
