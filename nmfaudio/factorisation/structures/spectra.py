"""Atoms and templates made of nothing but the frequencies of a transform's bins."""

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
    """Groups of neighbouring partials of known pitches, for `Harmonic`.

    The bands overlap by half and are spaced evenly, on the scale of auditory bandwidths (ERB), from
    each pitch's fundamental to the highest frequency. All atoms of a pitch with gain 1 make the
    pitch with all its partials. Where bands are narrower than partials lie apart, some
    atoms are empty, which does no harm.

    Parameters
    ----------
    frequencies : np.ndarray [shape=(freq,)]
        Of the bins in Hz, ascending, e.g. ``stft.frequencies``.
    pitches : np.ndarray [shape=(component,)]
        MIDI numbers, which need not be whole; 69 is 440 Hz.
    n_bands : int
        Atoms per pitch, at least 2.
    n_partials : int, optional
        How many partials a pitch has at most; by default all up to the highest frequency.
    decay : float
        ≥ 0: the magnitude of partial h is ``h^-decay``, the same for all by default.
    inharmonicity : float or np.ndarray [shape=(component,)]
        B ≥ 0 of stiff strings: partial h lies at ``h·f0·sqrt(1 + B·h²)``; 0.0004 about middle C of
        a piano.
    width : float, optional
        From a partial's peak to the first zero of its main lobe, in Hz. By default two bins, as a
        Hann window as long as the transform has it.
    power : float
        The atoms are of magnitudes to this power: the transform's `power`.

    Returns
    -------
    np.ndarray [shape=(freq, atom, component)]
        float64, at most about 1.

    Raises
    ------
    ParameterError, ShapeError
        An argument is out of range, or a pitch above the highest frequency.

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
    most = np.inf if n_partials is None else as_count(n_partials, "n_partials", low=1)
    decay = as_number(decay, "decay", low=0)
    atoms = np.empty((len(f), n_bands, len(fundamentals)))
    stiff = _stiffness(inharmonicity, len(fundamentals))
    for k, f0 in enumerate(fundamentals):
        h = np.arange(1, int(min(most, f[-1] / f0)) + 1)
        partials = h * f0 * np.sqrt(1 + stiff[k] * h**2)
        heard = partials <= f[-1]
        bands = _bumps(erb_rate(partials[heard]), erb_rate(f0), erb_rate(f[-1]), n_bands)
        bands *= h[heard, None] ** (-decay * power)
        atoms[:, :, k] = product(_lobes(f, partials[heard], width, power), bands)
    return atoms


def glottal_sources(
    frequencies: Any,
    pitches: Any,
    *,
    open_quotient: float = 0.25,
    width: float | None = None,
    power: float = 2.0,
) -> np.ndarray:
    """Spectra of a voice's source at known pitches, before the vocal tract; for `SourceFilter`.

    The partials of the flow derivative of the glottal pulse ``x²(1 − x)``, with x from 0 to 1 while
    the glottis is open; the strongest partial is 1.

    Parameters
    ----------
    frequencies : np.ndarray [shape=(freq,)]
        Of the bins in Hz, ascending, e.g. ``stft.frequencies``.
    pitches : np.ndarray [shape=(pitch,)]
        MIDI numbers, e.g. ``np.arange(45, 80, 0.25)``: a voice is seldom on a semitone.
    open_quotient : float
        Share of a period in which the glottis is open, above 0, at most 1.
    width : float, optional
        As in `harmonic_atoms`.
    power : float
        The spectra are of magnitudes to this power; `SourceFilter` models power, 2.

    Returns
    -------
    np.ndarray [shape=(freq, pitch)]
        float64.

    Raises
    ------
    ParameterError, ShapeError
        An argument is out of range, or a pitch above the highest frequency.

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
    """Overlapping Hann bumps over frequency, of which smooth filters are sums; for `SourceFilter`.

    Parameters
    ----------
    frequencies : np.ndarray [shape=(freq,)]
        Of the bins in Hz, ascending, e.g. ``stft.frequencies``.
    n : int
        How many, at least 2, evenly spaced from the lowest frequency to the highest.

    Returns
    -------
    np.ndarray [shape=(freq, n)]
        float64; they sum to 1 in every bin.

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
    f = np.asarray(frequencies, np.float64)
    if f.ndim != 1 or len(f) < 2:
        raise ShapeError(f"frequencies have shape {f.shape}; need (freq,) with at least two bins")
    if not (np.isfinite(f).all() and f[0] >= 0 and (np.diff(f) > 0).all()):
        raise ParameterError("frequencies must be finite, ≥ 0 and ascending, in Hz")
    return f


def _grid(frequencies: Any, pitches: Any) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies of bins and of the pitches, in Hz."""
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
    """The inharmonicity of each pitch [shape=(component,)]."""
    values = np.asarray(inharmonicity, np.float64)
    if values.shape not in ((), (count,)):
        raise ShapeError(
            f"inharmonicity has shape {values.shape}; give one number, or one for each of the "
            f"{count} pitches"
        )
    for value in values.flat:
        as_number(value, "inharmonicity", low=0)
    return np.broadcast_to(values, count)


def _lobes(f: np.ndarray, partials: np.ndarray, width: float | None, power: float) -> np.ndarray:
    """The main lobe of a Hann window at each partial [shape=(freq, partial)], to a power."""
    power = as_number(power, "power", above=0)
    reach = 2 * (f[1] - f[0]) if width is None else as_number(width, "width", above=0)
    return hann_lobe(2 * np.abs(f[:, None] - partials) / reach) ** power


def hann_lobe(x: np.ndarray) -> np.ndarray:
    """The main lobe of a Hann window's spectrum, x bins from its peak; 0 from 2 bins on."""
    x = np.where(np.abs(x - 1) < 1e-6, 1 - 1e-6, x)  # 0 / 0 at 1
    lobes = np.zeros(x.shape)
    inside = x < 2
    lobes[inside] = np.maximum(np.sinc(x[inside]) / (1 - x[inside] ** 2), 0.0)
    return lobes


def _bumps(x: np.ndarray, low: float, high: float, n: int) -> np.ndarray:
    """Hann bumps around `n` even points from low to high, at x [shape=(x, n)]; they sum to 1."""
    place = np.clip((x - low) * ((n - 1) / (high - low)), 0, n - 1)
    away = np.minimum(np.abs(place[:, None] - np.arange(n)), 1.0)
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * away))


def _pulse(omega: np.ndarray) -> np.ndarray:
    """``|∫ (2x − 3x²)·exp(−iωx) dx|`` over x from 0 to 1."""
    s = 1j * omega
    fall = np.exp(-s)
    first = 2 * (1 - (1 + s) * fall) / s**2
    second = 3 * (2 - (s**2 + 2 * s + 2) * fall) / s**3
    return np.asarray(np.abs(first - second))
