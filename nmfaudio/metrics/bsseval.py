"""BSS-eval, versions 3 and 4: how much of an estimate is target, interference and artefacts.

An estimate e of a true source s is projected on what filters of 512 taps can make of s alone, P₁e,
and of all true sources, Pe. Then P₁e − s is a change that a filter explains, Pe − P₁e interference,
e − Pe artefacts, and the measures are ratios of energies. In version 3 the projections are
orthogonal, so that inner products are enough for the energies.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from nmfaudio.metrics.projection import TAPS, Subspace, correlate
from nmfaudio.metrics.ratios import Energies, Scores, decibels

_ROUNDING = 1e-12  # of an energy: a difference of less is not told from none


class _Match(NamedTuple):
    """An estimate beside the source that it is for, in the units of that source."""

    gain: float
    """Of the multiple of the source that is nearest."""
    rest: float
    """Energy of what that multiple leaves over."""
    products: np.ndarray
    """Of what is left over with the delayed sources [shape=(signal, tap, channel)]."""


class _Filters(NamedTuple):
    """Spectra of the filters that come nearest to an estimate [shape=(signal, freq, channel)]."""

    alone: np.ndarray
    every: np.ndarray


class BssEval:
    """Judges any number of estimates of the same sources.

    What depends on the true sources alone is computed once. All is computed in float64.

    Parameters
    ----------
    references : np.ndarray [shape=(source, channel, sample)]
        The true sources. A silent one adds nothing to the others, and its own scores are NaN.

    References
    ----------
    E. Vincent, R. Gribonval, C. Févotte, "Performance measurement in blind audio source
    separation", IEEE Transactions on Audio, Speech, and Language Processing 14(4), 2006,
    doi:10.1109/TSA.2005.858005; for several channels E. Vincent et al., "The signal separation
    evaluation campaign (2007–2010): achievements and remaining challenges", Signal Processing 92,
    2012, doi:10.1016/j.sigpro.2011.10.007.

    Examples
    --------
    >>> sources = np.random.default_rng(0).standard_normal((2, 1, 8000))
    >>> scores = BssEval(sources).scores(sources + 0.1 * sources[::-1])
    >>> scores.sir.round().tolist()
    [20.0, 20.0]
    """

    def __init__(self, references: np.ndarray) -> None:
        # Near norm 1, so that a quiet source is not lost beside a loud one; by a power of two,
        # so that no bit is lost.
        self._exponents = [_exponent(s) for s in references]
        self._sources = np.stack(
            [np.ldexp(s, -k) for s, k in zip(references, self._exponents, strict=True)]
        )
        channels = references.shape[1]
        firsts = range(0, len(references) * channels, channels)
        self._signals = [slice(first, first + channels) for first in firsts]  # among all channels
        self._heard = [j for j, s in enumerate(self._sources) if s.any()]
        correlations = correlate(self._sources, self._sources)
        self._every = Subspace(correlations)
        self._alone = [Subspace(correlations[mine, mine]) for mine in self._signals]

    def scores(self, estimates: np.ndarray) -> Scores:
        """BSS-eval version 3 of one estimate for each source.

        Parameters
        ----------
        estimates : np.ndarray [shape=(source, channel, sample)]

        Returns
        -------
        Scores
            Infinity where a ratio is to nothing, minus infinity where it is of nothing (SDR, SIR
            and SAR of a silent estimate), NaN where the source is silent.
        """
        rows = [self._energies(j, estimate).ratios() for j, estimate in enumerate(estimates)]
        return Scores(*np.array(rows).T)

    def sir(self, estimates: np.ndarray) -> np.ndarray:
        """Source-to-interference ratios of all pairs, by which estimates find their sources.

        Parameters
        ----------
        estimates : np.ndarray [shape=(estimate, channel, sample)]

        Returns
        -------
        np.ndarray [shape=(source, estimate)]
            In dB; minus infinity where either is silent.
        """
        ratios = np.empty((len(self._sources), len(estimates)))
        for i, estimate in enumerate(estimates):
            products = self._products(np.ldexp(estimate, -_exponent(estimate)))
            every = self._every.energy(products)
            for j, mine in enumerate(self._signals):
                target = self._alone[j].energy(products[mine])
                ratios[j, i] = decibels(target, _less(every, target))
        return ratios

    def frames(self, estimates: np.ndarray, *, window: int, hop: int) -> Scores:
        """BSS-eval version 4: the filters of the whole signals, the ratios of each frame.

        Parameters
        ----------
        estimates : np.ndarray [shape=(source, channel, sample)]
        window, hop : int
            In samples. Samples at the end that fill no window have no say, unless they are all.

        Returns
        -------
        Scores
            Arrays of shape (source, frame). NaN for all sources in frames where one of them or its
            estimate is silent; a source that is silent throughout has no say in that.

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
        source, target = self._sources[j].astype(np.float64), self._target(j)
        e = self._in_units_of(j, estimate)
        gain = float(np.vdot(source, e)) / target if target > 0 else 0.0
        # A good estimate is nearly all of it the source: without that, rounding has no say.
        e -= gain * source
        return _Match(gain, _energy(e), self._products(e))

    def _filters(self, j: int, estimate: np.ndarray, size: int) -> _Filters:
        from scipy.fft import rfft

        mine = self._signals[j]
        gain, _, products = self._match(j, estimate)
        alone = self._alone[j].filters(products[mine])
        every = self._every.filters(products)
        each = np.arange(alone.shape[0])
        alone[each, 0, each] += gain  # the multiple of the source that was taken away
        every[mine][each, 0, each] += gain
        return _Filters(rfft(alone, size, axis=1), rfft(every, size, axis=1))

    def _frame(
        self, there: slice, estimates: np.ndarray, filters: list[_Filters], size: int
    ) -> list[tuple[float, ...]]:
        """The ratios of each source in one frame."""
        from scipy.fft import rfft

        sources, parts = self._sources[..., there], estimates[..., there]
        if not all(sources[j].any() and parts[j].any() for j in self._heard):
            return [(math.nan,) * len(Scores._fields)] * len(sources)
        spectra = rfft(sources.astype(np.float64), size)
        signals = spectra.reshape(-1, spectra.shape[-1])
        ratios = []
        for j, (S, filter) in enumerate(zip(spectra, filters, strict=True)):
            E = rfft(self._in_units_of(j, parts[j]), size)
            alone = np.einsum("sfc,sf->cf", filter.alone, S)
            every = np.einsum("sfc,sf->cf", filter.every, signals)
            differences = (S, alone - S, alone, E - alone, every - alone, every, E - every, E - S)
            ratios.append(Energies(*(_spectral_energy(X, size) for X in differences)).ratios())
        return ratios

    def _in_units_of(self, j: int, estimate: np.ndarray) -> np.ndarray:
        """An estimate in float64, scaled as source `j` was."""
        scaled: np.ndarray = np.ldexp(estimate.astype(np.float64), -self._exponents[j])
        return scaled

    def _target(self, j: int) -> float:
        return _energy(self._sources[j])

    def _products(self, y: np.ndarray) -> np.ndarray:
        """Inner products with the delayed sources [shape=(signal, tap, channel)]."""
        return correlate(self._sources, y)[:, :, TAPS - 1 :].transpose(0, 2, 1)


def _energy(y: np.ndarray) -> float:
    return float(np.sum(np.square(y, dtype=np.float64)))


def _exponent(y: np.ndarray) -> int:
    """The power of two that scales audio to a norm near 1."""
    peak = float(np.abs(y).max())
    return math.frexp(peak * math.sqrt(_energy(y / peak)))[1] if peak > 0 else 0


def _less(whole: float, part: float) -> float:
    """`whole` without `part`, or 0 where rounding may be all of it."""
    rest = whole - part
    return rest if rest > _ROUNDING * whole else 0.0


def _spectral_energy(X: np.ndarray, size: int) -> float:
    """Of signals of `size` samples, from their spectra (Parseval)."""
    power = np.square(X.real) + np.square(X.imag)
    once = power[..., 0] + (power[..., -1] if size % 2 == 0 else 0)
    return float(np.sum(2 * power.sum(axis=-1) - once)) / size
