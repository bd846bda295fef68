"""BSS-eval, versions 3 and 4: decomposition of estimates into target, interference and artefacts.

P₁e is the projection of an estimate e of a source s on the span of delayed copies of s, Pe that on
the span of delayed copies of all sources (delays 0 to 511). The estimate is the sum of the source
s, its filtering distortion P₁e − s, interference Pe − P₁e and artefacts e − Pe, and the measures
are ratios of their energies. In version 3 the projections are
orthogonal, so inner products suffice to compute the energies.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from nmfaudio.metrics.projection import TAPS, Subspace, correlate
from nmfaudio.metrics.ratios import Energies, Scores, decibels

_ROUNDING = 1e-12  # share of an energy below which a difference counts as 0


class _Match(NamedTuple):
    """Estimate split into a multiple of its source and a remainder, in the scale of the source."""

    gain: float
    """Factor of the nearest multiple of the source."""
    rest: float
    """Energy of the remainder."""
    products: np.ndarray
    """Inner products of the remainder with the delayed sources [shape=(signal, tap, channel)]."""


class _Filters(NamedTuple):
    """Spectra of the filters of both projections [shape=(signal, freq, channel)]."""

    alone: np.ndarray
    """On the source itself, P₁."""
    every: np.ndarray
    """On all sources, P."""


class BssEval:
    """BSS-eval of any number of estimates of the same sources.

    Quantities that depend on the true sources alone are computed once. Computation is in float64.

    Parameters
    ----------
    references : np.ndarray [shape=(source, channel, sample)]
        True sources. The scores of a silent source are NaN; it does not affect those of others.

    References
    ----------
    E. Vincent, R. Gribonval, C. Févotte, "Performance measurement in blind audio source
    separation", IEEE Transactions on Audio, Speech, and Language Processing 14(4), 2006,
    doi:10.1109/TSA.2005.858005; for several channels E. Vincent et al., "The signal separation
    evaluation campaign (2007–2010): achievements and remaining challenges", Signal Processing 92,
    2012, doi:10.1016/j.sigpro.2011.10.007.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> sources = np.random.default_rng(0).standard_normal((2, 1, 8000))
    >>> scores = na.metrics.BssEval(sources).scores(sources + 0.1 * sources[::-1])
    >>> scores.sir.round().tolist()
    [20.0, 20.0]
    """

    def __init__(self, references: np.ndarray) -> None:
        # Scaled to a norm near 1, so that quiet sources survive beside loud ones; powers of two are
        # exact.
        self._exponents = [_exponent(s) for s in references]
        self._sources = np.stack(
            [np.ldexp(s, -k) for s, k in zip(references, self._exponents, strict=True)]
        )
        channels = references.shape[1]
        firsts = range(0, len(references) * channels, channels)
        self._signals = [slice(first, first + channels) for first in firsts]  # among all channels
        self._active = [j for j, s in enumerate(self._sources) if s.any()]
        correlations = correlate(self._sources, self._sources)
        self._every = Subspace(correlations)
        self._alone = [Subspace(correlations[own, own]) for own in self._signals]

    def scores(self, estimates: np.ndarray) -> Scores:
        """Compute BSS-eval version 3 of one estimate per source.

        Parameters
        ----------
        estimates : np.ndarray [shape=(source, channel, sample)]

        Returns
        -------
        Scores
            Infinity for a denominator of 0, minus infinity for a numerator of 0 (SDR, SIR and SAR
            of a silent estimate), NaN for a silent source.
        """
        rows = [self._energies(j, estimate).ratios() for j, estimate in enumerate(estimates)]
        return Scores(*np.array(rows).T)

    def sir(self, estimates: np.ndarray) -> np.ndarray:
        """Compute the source-to-interference ratios of all pairs of source and estimate.

        Parameters
        ----------
        estimates : np.ndarray [shape=(estimate, channel, sample)]

        Returns
        -------
        np.ndarray [shape=(source, estimate)]
            In dB; minus infinity if either is silent.
        """
        ratios = np.empty((len(self._sources), len(estimates)))
        for i, estimate in enumerate(estimates):
            products = self._products(np.ldexp(estimate, -_exponent(estimate)))
            every = self._every.energy(products)
            for j, own in enumerate(self._signals):
                target = self._alone[j].energy(products[own])
                ratios[j, i] = decibels(target, _less(every, target))
        return ratios

    def frames(self, estimates: np.ndarray, *, window: int, hop: int) -> Scores:
        """Compute BSS-eval version 4: filters of whole signals, ratios of each frame.

        Parameters
        ----------
        estimates : np.ndarray [shape=(source, channel, sample)]
        window, hop : int
            In samples. An incomplete window at the end is ignored, unless it is the only one.

        Returns
        -------
        Scores
            Arrays of shape (source, frame). NaN for all sources in frames where one of them or its
            estimate is silent, as in museval; sources silent in all frames are ignored in this.

        References
        ----------
        F.-R. Stöter, A. Liutkus, N. Ito, "The 2018 signal separation evaluation campaign",
        LVA/ICA 2018, doi:10.1007/978-3-319-93764-9_28.
        """
        from scipy.fft import next_fast_len

        length = self._sources.shape[-1]
        size = next_fast_len(min(window, length) + TAPS - 1, real=True)
        filters = [self._filters(j, estimate, size) for j, estimate in enumerate(estimates)]
        starts = range(0, max(length - window, 0) + 1, hop)
        frames = [
            self._frame(slice(start, start + window), estimates, filters, size) for start in starts
        ]
        return Scores(*np.array(frames).transpose(2, 1, 0))

    def _energies(self, j: int, estimate: np.ndarray) -> Energies:
        """Energies of the parts of an estimate of source `j`.

        With e = g s + r and P₁s = Ps = s, the projections are g s + P₁r and g s + Pr. Their
        energies follow from those of s and r, since r is orthogonal to s.
        """
        gain, rest, products = self._match(j, estimate)
        target = self._target(j)
        alone = self._alone[j].energy(products[self._signals[j]])
        every = self._every.energy(products)
        return Energies(
            target=target,
            change=(gain - 1) ** 2 * target + alone,
            filtered=gain**2 * target + alone,
            distortion=_less(rest, alone),
            interference=_less(every, alone),
            sources=gain**2 * target + every,
            artefacts=_less(rest, every),
            error=(gain - 1) ** 2 * target + rest,
        )

    def _match(self, j: int, estimate: np.ndarray) -> _Match:
        """Split an estimate into the nearest multiple of source `j` and a remainder."""
        source, target = self._sources[j].astype(np.float64), self._target(j)
        e = self._in_units_of(j, estimate)
        gain = float(np.vdot(source, e)) / target if target > 0 else 0.0
        # Good estimates are nearly equal to the source: projecting the remainder alone avoids
        # cancellation.
        e -= gain * source
        return _Match(gain, _energy(e), self._products(e))

    def _filters(self, j: int, estimate: np.ndarray, size: int) -> _Filters:
        """Spectra of `size` samples of the filters that project an estimate of source `j`."""
        from scipy.fft import rfft

        own = self._signals[j]
        gain, _, products = self._match(j, estimate)
        alone = self._alone[j].filters(products[own])
        every = self._every.filters(products)
        each = np.arange(alone.shape[0])
        alone[each, 0, each] += gain  # the multiple of the source that `_match` subtracted
        every[own][each, 0, each] += gain
        return _Filters(rfft(alone, size, axis=1), rfft(every, size, axis=1))

    def _frame(
        self, span: slice, estimates: np.ndarray, filters: list[_Filters], size: int
    ) -> list[tuple[float, ...]]:
        """Ratios of each source in one frame."""
        from scipy.fft import rfft

        sources, parts = self._sources[..., span], estimates[..., span]
        if not all(sources[j].any() and parts[j].any() for j in self._active):
            return [(math.nan,) * len(Scores._fields)] * len(sources)
        spectra = rfft(sources.astype(np.float64), size)
        signals = spectra.reshape(-1, spectra.shape[-1])  # (source · channel, freq)
        ratios = []
        for j, (S, filter) in enumerate(zip(spectra, filters, strict=True)):
            E = rfft(self._in_units_of(j, parts[j]), size)
            alone = np.einsum("sfc,sf->cf", filter.alone, S)
            every = np.einsum("sfc,sf->cf", filter.every, signals)
            differences = (S, alone - S, alone, E - alone, every - alone, every, E - every, E - S)
            ratios.append(Energies(*(_spectral_energy(X, size) for X in differences)).ratios())
        return ratios

    def _in_units_of(self, j: int, estimate: np.ndarray) -> np.ndarray:
        """Estimate in float64, scaled like source `j`."""
        scaled: np.ndarray = np.ldexp(estimate.astype(np.float64), -self._exponents[j])
        return scaled

    def _target(self, j: int) -> float:
        """Energy of source `j`."""
        return _energy(self._sources[j])

    def _products(self, y: np.ndarray) -> np.ndarray:
        """Inner products of `y` with the delayed sources [shape=(signal, tap, channel)]."""
        return correlate(self._sources, y)[:, :, TAPS - 1 :].transpose(0, 2, 1)


def _energy(y: np.ndarray) -> float:
    return float(np.sum(np.square(y, dtype=np.float64)))


def _exponent(y: np.ndarray) -> int:
    """Exponent of the smallest power of two above the norm of `y`."""
    peak = float(np.abs(y).max())
    return math.frexp(peak * math.sqrt(_energy(y / peak)))[1] if peak > 0 else 0


def _less(total: float, part: float) -> float:
    """Difference of two energies, or 0 where it may be rounding."""
    rest = total - part
    return rest if rest > _ROUNDING * total else 0.0


def _spectral_energy(X: np.ndarray, size: int) -> float:
    """Energy of signals of `size` samples, from their spectra by Parseval's theorem."""
    power = np.square(X.real) + np.square(X.imag)
    # Bins of a real FFT stand for two conjugate ones each, apart from 0 Hz and Nyquist.
    once = power[..., 0] + (power[..., -1] if size % 2 == 0 else 0)
    return float(np.sum(2 * power.sum(axis=-1) - once)) / size
