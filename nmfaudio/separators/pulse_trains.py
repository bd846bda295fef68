"""Synthesis of pulse trains of a given pitch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.kernels.threads import parallel_for

FALL = 60.0
"""Level in dB by which the partials fall off up to half the sample rate."""
_RISE = 0.02  # attack and release in seconds, about those of a voice
_SILENT = 1e-12  # gate below which it is closed; the first value of a fade is 4e-9 at 44.1 kHz
_BLOCK = 2**15  # samples that are synthesised at a time
_BATCH = 64  # blocks whose pitch is in memory at a time
_BORDER = 2**12  # samples between two at which the phase is kept


class PulseTrains(LazyAudio):
    """Sounds of one pitch in several transpositions, synthesised where they are sliced.

    The phase is a sum over all earlier samples, as is the gate. Both are kept at regular borders,
    so that any slice has the bits of the whole.

    Parameters
    ----------
    pitch_at : callable
        Maps times in seconds to the pitch in Hz and to whether there is one, as `Pitch.at`.
    count : int
        Number of samples.
    sr : int
        Sample rate in Hz.
    start : float
        Time of the first sample in seconds.
    cents : sequence of float
        Transpositions in cents: the channels.
    dtype : np.dtype
        Type of the samples, which are computed in float32.
    """

    def __init__(
        self,
        pitch_at: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
        count: int,
        sr: int,
        *,
        start: float = 0.0,
        cents: Sequence[float] = (0.0,),
        dtype: Any = np.float32,
    ) -> None:
        self.shape = len(cents), count
        self.dtype = np.dtype(dtype)
        self._pitch_at, self._sr, self._start, self._cents = pitch_at, sr, start, tuple(cents)
        self._phases, edges, steps = self._survey()
        self._gate = _Gate(edges, steps, count, sr)

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        first, stop, _ = key[1].indices(self.shape[1])
        waves = np.empty((len(self._cents), max(stop - first, 0)), np.float32)
        begins = range(first, stop, _BLOCK)

        def synthesise(numbers: range) -> None:
            for n in numbers:
                block = slice(begins[n], min(begins[n] + _BLOCK, stop))
                self._synthesise(block, waves[:, block.start - first : block.stop - first])

        parallel_for(synthesise, len(begins))
        return waves.astype(self.dtype, copy=False)

    def _survey(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Phase before each border, and the samples at which the voice begins or ends."""
        count = self.shape[1]
        phases, edges, phase, was_voiced = [0.0], [], 0.0, False
        begins = range(0, count, _BLOCK)
        sampled: dict[int, tuple[np.ndarray, np.ndarray]] = {}

        def sample(numbers: range) -> None:
            for n in numbers:
                sampled[batch[n]] = self._sampled(batch[n], min(batch[n] + _BLOCK, count))

        for first in range(0, len(begins), _BATCH):
            batch = begins[first : first + _BATCH]
            parallel_for(sample, len(batch))
            for begin in batch:
                hertz, voiced = sampled.pop(begin)
                summed = self._summed(phase, hertz)
                phase = float(summed[-1])
                phases += summed[_BORDER - 1 :: _BORDER].tolist()
                changes = np.diff(voiced.astype(np.int8), prepend=np.int8(was_voiced))
                edges += [(begin + n, changes[n]) for n in np.flatnonzero(changes).tolist()]
                was_voiced = bool(voiced[-1])
        if was_voiced:
            edges.append((count, -1))
        places, steps = np.array(edges, int).reshape(-1, 2).T
        return np.array(phases), places, steps

    def _sampled(self, first: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Pitch in Hz of some samples, and whether there is one."""
        return self._pitch_at(self._start + np.arange(first, stop) / self._sr)

    def _summed(self, phase: float, hertz: np.ndarray) -> np.ndarray:
        """Phase of samples after one with the phase `phase`."""
        # A cumulative sum adds one by one, so it can go on from any sample.
        summed: np.ndarray = np.cumsum(np.append(phase, 2 * np.pi / self._sr * hertz))[1:]
        return summed

    def _synthesise(self, block: slice, waves: np.ndarray) -> None:
        """Write some samples of all transpositions to `waves`."""
        border = block.start // _BORDER
        begin = border * _BORDER
        hertz, _ = self._sampled(begin, block.stop)
        phase = self._summed(self._phases[border], hertz)[block.start - begin :]
        hertz, gate = hertz[block.start - begin :], self._gate(block.start, block.stop)
        for wave, shift in zip(waves, self._cents, strict=True):
            ratio = 2 ** (shift / 1200)
            # Partial h has the amplitude rho**h, which is -FALL dB at h * hertz = sr / 2.
            rho = np.exp(-np.log(10) * FALL / 10 * ratio / self._sr * hertz)
            both = rho * np.cos(ratio * phase)
            # Closed form of the sum of rho**h * cos(h * phase) over all partials h ≥ 1
            wave[:] = gate * (both - rho**2) / (1 - 2 * both + rho**2)


class _Gate:
    """Gain of 1 where there is a pitch and 0 elsewhere, with edges that follow a Hann window.

    So a voice neither begins nor ends with a click.
    """

    def __init__(self, edges: np.ndarray, steps: np.ndarray, count: int, sr: int) -> None:
        fade = np.hanning(2 * int(_RISE * sr) + 3)
        self._edges, self._steps = edges, steps
        # The convolution with the window is the running sum of the window at each edge.
        self._fade = fade / fade.sum() if len(fade) < count else np.ones(1)
        self._delay = len(self._fade) // 2
        totals = [self._sum(0.0, 0, self._delay)[-1]] if self._delay else [0.0]
        for begin in range(self._delay, count + self._delay, _BORDER):
            totals.append(self._sum(totals[-1], begin, begin + _BORDER)[-1])
        self._totals = totals  # running sum before each border

    def __call__(self, first: int, stop: int) -> np.ndarray:
        """Return the gain of some samples, float64."""
        begin = first // _BORDER * _BORDER
        total = self._totals[first // _BORDER]
        summed = self._sum(total, begin + self._delay, stop + self._delay)
        gate: np.ndarray = summed[first - begin :]
        gate[gate < _SILENT] = 0  # rounding errors, where silence must be exact
        return gate

    def _sum(self, total: float, first: int, stop: int) -> np.ndarray:
        """Running sum of the windows over a range, after a sum of `total`."""
        slope = np.zeros(stop - first)
        length = len(self._fade)
        near = slice(*np.searchsorted(self._edges, [first - length + 1, stop]))
        for edge, step in zip(self._edges[near], self._steps[near], strict=True):
            low, high = max(edge, first), min(edge + length, stop)
            slope[low - first : high - first] += step * self._fade[low - edge : high - edge]
        summed: np.ndarray = np.cumsum(np.append(total, slope))[1:]
        return summed
