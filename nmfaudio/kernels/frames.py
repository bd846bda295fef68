"""Frames of spectrograms: magnitudes, and overlap-add. Called by `audio.transforms`."""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.jit import kernel


def magnitudes(Z: np.ndarray) -> np.ndarray:
    """Root mean square over the channels of Z (channel, time, freq), without overflow."""
    if len(Z) > 1 and Z.dtype == np.complex64:
        rows = np.empty(Z.shape[1:], np.float32)
        _root_mean_square(np.ascontiguousarray(Z).view(np.float32), rows)
        return rows
    rows = np.asarray(np.abs(Z[0], order="C"))
    for channel in Z[1:]:
        np.hypot(rows, np.abs(channel), out=rows)
    if len(Z) > 1:
        rows /= np.sqrt(len(Z))
    return rows


@kernel
def _root_mean_square(Z: np.ndarray, out: np.ndarray) -> None:
    """Write the root mean square over the channels of Z to `out` (time, freq).

    Z is (channel, time, 2 · freq), real and imaginary parts in turn. Sums are float64: no float32
    overflows or underflows there.
    """
    channels, frames, _ = Z.shape
    bins = out.shape[1]
    energy, share = np.empty(bins), 1 / channels
    for t in range(frames):
        energy[:] = 0
        for channel in range(channels):
            row = Z[channel, t]
            for f in range(bins):
                real, imaginary = np.float64(row[2 * f]), np.float64(row[2 * f + 1])
                energy[f] += real * real + imaginary * imaginary
        target = out[t]
        for f in range(bins):
            target[f] = np.sqrt(share * energy[f])


@kernel
def add_frames(frames: np.ndarray, window: np.ndarray, hop: int, sums: np.ndarray) -> None:
    """Add windowed frames (time, sample), one after another, to sums that begin with the first.

    A product has the precision of the frames, whatever that of the sums.
    """
    for t in range(len(frames)):
        frame, target = frames[t], sums[t * hop :]
        for n in range(len(window)):
            target[n] += frame[n] * window[n]
