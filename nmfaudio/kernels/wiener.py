"""Multichannel Wiener filter, bin by bin.

Complex spectrograms are (channel, time, freq) here, masks (source, time, freq), spatial covariances
R and the quadratic forms K that sharpen the masks (source, freq, channel, channel), all
C-contiguous. Moments are sums over time: threads divide the frequencies, so that they are always
taken in one order. Called by `audio.spatial`.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels import wiener_stereo
from nmfaudio.kernels.jit import inlined_kernel, kernel
from nmfaudio.kernels.threads import parallel_for

FREQUENCIES = 64  # frequencies in one part of the work
FRAMES = 32  # frames in one part of the stereo filter, so that they stay in the cache


def apply_filter(
    Z: np.ndarray, masks: np.ndarray, R: np.ndarray, K: np.ndarray, X: np.ndarray
) -> None:
    """Write ``m_s R_s (Σ m R)⁻¹ Z`` to X [shape=(source, channel, time, freq)].

    The m are the masks divided by ``z* K_s z`` and normalised to sum to one.
    """
    if len(Z) == 2:
        _apply_stereo(Z, masks, R, K, X)
        return
    shares = _sharpened(Z, masks, K)
    no_moments, no_errors = np.empty((0, 0, 0, 0), np.complex128), np.empty(0)

    def work(parts: range) -> None:
        for part in parts:
            first = part * FREQUENCIES
            _filter(Z, shares, R, X, no_moments, no_errors, first, first + FREQUENCIES)

    parallel_for(work, -(-Z.shape[2] // FREQUENCIES))


def posterior_moments(
    Z: np.ndarray, masks: np.ndarray, R: np.ndarray, K: np.ndarray
) -> tuple[np.ndarray, float]:
    """Second moments of the sources, given Z and the current covariances.

    The prior covariance of a source is ``m_s |z|² R_s``, with m the sharpened masks as for
    `apply_filter` and |z|² the mean square of the channels.

    Returns
    -------
    np.ndarray [shape=(source, freq, channel, channel)]
        Expected outer products of the sources, summed over time.
    float
        Expected squared error of the filter.
    """
    if len(Z) == 2:
        return _stereo_moments(Z, masks, R, K)
    shares = _sharpened(Z, masks, K)
    out, errors = np.zeros(R.shape, np.complex128), np.zeros(Z.shape[2])
    no_output = np.empty((0, 0, 0, 0), Z.dtype)

    def work(parts: range) -> None:
        for part in parts:
            first = part * FREQUENCIES
            _filter(Z, shares, R, no_output, out, errors, first, first + FREQUENCIES)

    parallel_for(work, -(-Z.shape[2] // FREQUENCIES))
    return out, float(errors.sum())


def masked_moments(Z: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Outer products of Z under each mask, summed over time [(source, freq, channel, channel)]."""
    out = np.empty((len(masks), Z.shape[2], len(Z), len(Z)), np.complex128)

    def work(parts: range) -> None:
        for part in parts:
            bins = slice(part * FREQUENCIES, (part + 1) * FREQUENCIES)
            z = Z[..., bins].astype(np.complex128)
            for s, mask in enumerate(masks[..., bins].astype(np.float64)):
                for a, weighted in enumerate(mask * mask * z):
                    for b in range(len(Z)):
                        out[s, bins, a, b] = (weighted * z[b].conj()).sum(axis=0)

    parallel_for(work, -(-Z.shape[2] // FREQUENCIES))
    return out


def _apply_stereo(
    Z: np.ndarray, masks: np.ndarray, R: np.ndarray, K: np.ndarray, X: np.ndarray
) -> None:
    """`apply_filter` for two channels."""
    covariances, forms = wiener_stereo.pack(R), wiener_stereo.pack(K)
    numbers, out = Z.view(Z.real.dtype), X.view(X.real.dtype)

    def work(parts: range) -> None:
        for part in parts:
            first = part * FRAMES
            for tile, (r, k) in enumerate(zip(covariances, forms, strict=True)):
                wiener_stereo.filter_tile(numbers, masks, r, k, out, tile, first, first + FRAMES)

    parallel_for(work, -(-Z.shape[1] // FRAMES))


def _stereo_moments(
    Z: np.ndarray, masks: np.ndarray, R: np.ndarray, K: np.ndarray
) -> tuple[np.ndarray, float]:
    """`posterior_moments` for two channels."""
    covariances, forms = wiener_stereo.pack(R), wiener_stereo.pack(K)
    moments, errors = np.empty(covariances.shape), np.empty(len(covariances))
    numbers = Z.view(Z.real.dtype)

    def work(tiles: range) -> None:
        for tile in tiles:
            errors[tile] = wiener_stereo.moments_tile(
                numbers, masks, covariances[tile], forms[tile], moments[tile], tile
            )

    parallel_for(work, len(covariances))
    return wiener_stereo.unpack(moments, Z.shape[2]), float(errors.sum())


def _sharpened(Z: np.ndarray, masks: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Masks divided by ``z* K_s z`` and normalised to sum to one [shape=(source, time, freq)]."""
    shares = masks.copy()

    def work(parts: range) -> None:
        for part in parts:
            first = part * FREQUENCIES
            _sharpen(Z, shares, K, first, first + FREQUENCIES)

    parallel_for(work, -(-Z.shape[2] // FREQUENCIES))
    return shares


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
    """Filter frequencies `first` … `stop` − 1; write X and add to M and errors, unless of size 0.

    M is (source, freq, channel, channel), errors (freq,).
    """
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
            # u = S⁻¹ z with S = Σ m R = L L*: forward, then backward substitution.
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
                    # Posterior covariance m R − m R S⁻¹ m R = m R − G* G, with G = L⁻¹ m R.
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


@inlined_kernel
def _cholesky(shares: np.ndarray, R: np.ndarray, L: np.ndarray) -> None:
    """Write the lower Cholesky factor of ``Σ m_s R_s`` to L (channel, channel).

    shares is (source,), R (source, channel, channel).
    """
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
    """`_sharpened` for frequencies `first` … `stop` − 1, in place."""
    channels, frames, bins = Z.shape
    for t in range(frames):
        for f in range(first, min(stop, bins)):
            power = 0.0
            for a in range(channels):
                power += Z[a, t, f].real ** 2 + Z[a, t, f].imag ** 2
            if power == 0:
                continue  # the direction of silence is undefined
            total = 0.0
            for s in range(len(shares)):
                distance = 0.0
                for a in range(channels):
                    for b in range(channels):
                        distance += (np.conj(Z[a, t, f]) * K[s, f, a, b] * Z[b, t, f]).real
                shares[s, t, f] *= power / distance
                total += shares[s, t, f]
            for s in range(len(shares)):
                shares[s, t, f] /= total
