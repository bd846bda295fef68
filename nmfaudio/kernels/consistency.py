"""Steps of consistent Wiener filtering. Called by `audio.consistency`.

Corrections of sources sum to zero, so those of all sources but the last determine that of the last.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.jit import kernel


@kernel
def subtract_corrections(E: np.ndarray, a: np.ndarray, weight: float, first: int) -> None:
    """Replace errors e_s by ``e_s − a_s (weight · e_s − m)``, whose subtrahends sum to zero.

    E is (error, time, 2 · freq), real and imaginary parts in turn, in the frames from `first` on of
    a (source, time, freq). It has the errors of all S sources, or of the first S − 1 if they sum to
    zero. The last source is left out.
    """
    errors, frames, _ = E.shape
    sources, _, bins = a.shape
    rest, mean, total = np.empty(2 * bins), np.empty(2 * bins), np.empty(bins)
    for t in range(frames):
        rest[:], mean[:], total[:] = 0, 0, 0
        for s in range(sources - 1):
            row, share = E[s, t], a[s, first + t]
            for f in range(bins):
                rest[2 * f] -= row[2 * f]
                rest[2 * f + 1] -= row[2 * f + 1]
                mean[2 * f] += share[f] * row[2 * f]
                mean[2 * f + 1] += share[f] * row[2 * f + 1]
                total[f] += share[f]
        if errors == sources:
            row = E[sources - 1, t]
            for i in range(2 * bins):
                rest[i] = row[i]
        share = a[sources - 1, first + t]
        for f in range(bins):
            scale = weight / (total[f] + share[f])
            mean[2 * f] = scale * (mean[2 * f] + share[f] * rest[2 * f])
            mean[2 * f + 1] = scale * (mean[2 * f + 1] + share[f] * rest[2 * f + 1])
        for s in range(sources - 1):
            row, share = E[s, t], a[s, first + t]
            for f in range(bins):
                row[2 * f] -= share[f] * (weight * row[2 * f] - mean[2 * f])
                row[2 * f + 1] -= share[f] * (weight * row[2 * f + 1] - mean[2 * f + 1])


@kernel
def inner_product(
    A: np.ndarray, B: np.ndarray, weights: np.ndarray, start: int, stop: int
) -> float:
    """Weighted inner product over the samples `start` … `stop` − 1 of all sources.

    A and B are (source, sample); the last source is included.
    """
    stop = min(stop, len(weights))
    left, right = np.zeros(stop - start, A.dtype), np.zeros(stop - start, A.dtype)
    w = weights[start:stop]
    total = 0.0
    for s in range(len(A)):
        a, b = A[s, start:stop], B[s, start:stop]
        for n in range(len(w)):
            total += np.float64(w[n] * a[n] * b[n])
            left[n] += a[n]
            right[n] += b[n]
    for n in range(len(w)):
        total += np.float64(w[n] * left[n] * right[n])
    return total


@kernel
def add_scaled(A: np.ndarray, scale: float, B: np.ndarray, start: int, stop: int) -> None:
    """``A += scale · B`` at the samples `start` … `stop` − 1 of arrays (source, sample)."""
    factor = A.dtype.type(scale)
    for s in range(len(A)):
        a, b = A[s, start:stop], B[s, start:stop]
        for n in range(len(a)):
            a[n] += factor * b[n]


@kernel
def scale_and_add(A: np.ndarray, scale: float, B: np.ndarray, start: int, stop: int) -> None:
    """``A = scale · A + B`` at the samples `start` … `stop` − 1 of arrays (source, sample)."""
    factor = A.dtype.type(scale)
    for s in range(len(A)):
        a, b = A[s, start:stop], B[s, start:stop]
        for n in range(len(a)):
            a[n] = factor * a[n] + b[n]
