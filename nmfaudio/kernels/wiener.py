"""The multichannel Wiener filter, bin by bin.

Complex spectrograms are (channel, time, freq) here, shares (source, time, freq), covariances
(source, freq, channel, channel). Bins are dealt to threads by frequency, so that sums over time are
always taken in one order.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.threads import parallel_for

STRIP = 64  # frequencies in one part of the work


def filtered(Z: np.ndarray, shares: np.ndarray, R: np.ndarray, X: np.ndarray) -> None:
    """X [shape=(source, channel, time, freq)] becomes ``m_s R_s (Σ m R)⁻¹ Z``."""
    none, nothing = np.empty((0, 0, 0, 0), np.complex128), np.empty(0)

    def work(strips: range) -> None:
        for strip in strips:
            _filter(Z, shares, R, X, none, nothing, strip * STRIP, (strip + 1) * STRIP)

    parallel_for(work, -(-Z.shape[2] // STRIP))


def moments(Z: np.ndarray, shares: np.ndarray, R: np.ndarray) -> tuple[np.ndarray, float]:
    """What is expected of the sources, given Z and what R is so far.

    A source has the covariance ``m_s |z|² R_s``, with |z|² the mean square of the channels.

    Returns
    -------
    np.ndarray [shape=(source, freq, channel, channel)]
        Sums over time of their outer products.
    float
        The squared error that the filter is expected to leave.
    """
    out, errors = np.zeros(R.shape, np.complex128), np.zeros(Z.shape[2])
    none = np.empty((0, 0, 0, 0), Z.dtype)

    def work(strips: range) -> None:
        for strip in strips:
            _filter(Z, shares, R, none, out, errors, strip * STRIP, (strip + 1) * STRIP)

    parallel_for(work, -(-Z.shape[2] // STRIP))
    return out, float(errors.sum())


def sharpen(Z: np.ndarray, shares: np.ndarray, K: np.ndarray) -> None:
    """Divide shares in place by ``z* K_s z``, and let them sum to one again."""

    def work(strips: range) -> None:
        for strip in strips:
            _sharpen(Z, shares, K, strip * STRIP, (strip + 1) * STRIP)

    parallel_for(work, -(-Z.shape[2] // STRIP))


@kernel
def _filter(
    Z: np.ndarray,
    shares: np.ndarray,
    R: np.ndarray,
    X: np.ndarray,
    M: np.ndarray,
    errors: np.ndarray,
    first: int,
    stop: int,
) -> None:
    """Fill X where it has any size, add to M and errors where they have."""
    channels, frames, bins = Z.shape
    L = np.empty((channels, channels), np.complex128)  # Cholesky factor of the mixture's covariance
    G = np.empty((channels, channels), np.complex128)
    u = np.empty(channels, np.complex128)
    x = np.empty(channels, np.complex128)
    for t in range(frames):
        for f in range(first, min(stop, bins)):
            power = 0.0
            for a in range(channels):
                u[a] = Z[a, t, f]
                power += (u[a].real ** 2 + u[a].imag ** 2) / channels
            _cholesky(shares[:, t, f], R[:, f], L)
            for a in range(channels):
                for b in range(a):
                    u[a] -= L[a, b] * u[b]
                u[a] /= L[a, a].real
            for a in range(channels - 1, -1, -1):
                for b in range(a + 1, channels):
                    u[a] -= np.conj(L[b, a]) * u[b]
                u[a] /= L[a, a].real
            for s in range(len(shares)):
                share = shares[s, t, f]
                for a in range(channels):
                    x[a] = 0
                    for b in range(channels):
                        x[a] += share * R[s, f, a, b] * u[b]
                if X.size > 0:
                    for a in range(channels):
                        X[s, a, t, f] = x[a]
                if M.size > 0:
                    # What x leaves open: m R − m R S⁻¹ m R = m R − G* G.
                    for a in range(channels):
                        for b in range(channels):
                            G[a, b] = share * R[s, f, a, b]
                            for k in range(a):
                                G[a, b] -= L[a, k] * G[k, b]
                            G[a, b] /= L[a, a].real
                    for a in range(channels):
                        for b in range(channels):
                            rest = share * R[s, f, a, b]
                            for k in range(channels):
                                rest -= np.conj(G[k, a]) * G[k, b]
                            M[s, f, a, b] += x[a] * np.conj(x[b]) + power * rest
                            if a == b:
                                errors[f] += power * rest.real


@kernel
def _cholesky(shares: np.ndarray, R: np.ndarray, L: np.ndarray) -> None:
    """L becomes the lower Cholesky factor of ``Σ m_s R_s``."""
    channels = len(L)
    for a in range(channels):
        for b in range(a + 1):
            rest = 0j
            for s in range(len(shares)):
                rest += shares[s] * R[s, a, b]
            for k in range(b):
                rest -= L[a, k] * np.conj(L[b, k])
            L[a, b] = np.sqrt(rest.real) if a == b else rest / L[b, b].real


@kernel
def _sharpen(Z: np.ndarray, shares: np.ndarray, K: np.ndarray, first: int, stop: int) -> None:
    channels, frames, bins = Z.shape
    for t in range(frames):
        for f in range(first, min(stop, bins)):
            power = 0.0
            for a in range(channels):
                power += Z[a, t, f].real ** 2 + Z[a, t, f].imag ** 2
            if power == 0:
                continue  # silence comes from nowhere
            total = 0.0
            for s in range(len(shares)):
                far = 0.0
                for a in range(channels):
                    for b in range(channels):
                        far += (np.conj(Z[a, t, f]) * K[s, f, a, b] * Z[b, t, f]).real
                shares[s, t, f] *= power / far
                total += shares[s, t, f]
            for s in range(len(shares)):
                shares[s, t, f] /= total
