"""Synthesis of pulse trains of a given pitch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nmfaudio.kernels.threads import parallel_for

FALL = 60.0
"""Level in dB by which the partials fall off up to half the sample rate."""
_RISE = 0.02  # attack and release in seconds, about those of a voice
_SILENT = 1e-12  # gate below which it is closed; the first value of a fade is 4e-9 at 44.1 kHz
_BLOCK = 2**15  # samples that are synthesised at a time


def pulse_trains(
    pitch_at: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    count: int,
    sr: int,
    *,
    start: float = 0.0,
    cents: Sequence[float] = (0.0,),
) -> np.ndarray:
    """Synthesise sounds of one pitch in several transpositions.

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
        Transpositions in cents.

    Returns
    -------
    np.ndarray [shape=(transposition, count)]
        Samples in float32, with partials up to half the sample rate, see `FALL`.
    """
    hertz, voiced = np.empty(count), np.empty(count, bool)
    blocks = [slice(n, min(n + _BLOCK, count)) for n in range(0, count, _BLOCK)]

    def sample(numbers: range) -> None:
        for block in (blocks[n] for n in numbers):
            times = start + np.arange(block.start, block.stop) / sr
            hertz[block], voiced[block] = pitch_at(times)

    parallel_for(sample, len(blocks))
    phase, gate = np.cumsum(2 * np.pi / sr * hertz), _gate(voiced, sr)
    waves = np.empty((len(cents), count), np.float32)

    def synthesise(numbers: range) -> None:
        for block in (blocks[n] for n in numbers):
            for wave, shift in zip(waves, cents, strict=True):
                ratio = 2 ** (shift / 1200)
                # Partial h has the amplitude rho**h, which is -FALL dB at h * hertz = sr / 2.
                rho = np.exp(-np.log(10) * FALL / 10 * ratio / sr * hertz[block])
                both = rho * np.cos(ratio * phase[block])
                # Closed form of the sum of rho**h * cos(h * phase) over all partials h ≥ 1
                wave[block] = gate[block] * (both - rho**2) / (1 - 2 * both + rho**2)

    parallel_for(synthesise, len(blocks))
    return waves


def _gate(voiced: np.ndarray, sr: int) -> np.ndarray:
    """Return 1 where there is a pitch and 0 elsewhere, with edges that follow a Hann window.

    So a voice neither begins nor ends with a click.
    """
    fade = np.hanning(2 * int(_RISE * sr) + 3)
    if len(fade) >= len(voiced):
        return voiced.astype(np.float64)
    fade /= fade.sum()
    # The convolution with the window is the running sum of the window at each edge.
    slope = np.zeros(len(voiced) + len(fade))
    steps = np.diff(voiced.astype(np.int8), prepend=0, append=0)
    for edge in np.flatnonzero(steps):
        slope[edge : edge + len(fade)] += steps[edge] * fade
    first = len(fade) // 2
    gate: np.ndarray = np.cumsum(slope)[first : first + len(voiced)]
    gate[gate < _SILENT] = 0  # rounding errors, where silence must be exact
    return gate
