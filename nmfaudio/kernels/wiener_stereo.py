"""Multichannel Wiener filter of two channels, in closed form.

The same operations as in `wiener`, with 2 × 2 matrices inverted by their determinants, so that the
loops over frequencies contain nothing but arithmetic. Sums and quotients are float64.

A Hermitian matrix ``[[r0, c], [c*, r1]]`` is stored as the four real numbers r0, r1, Re c and Im c.
Frequencies are divided into tiles, and whatever belongs to a tile lies in rows of WIDTH numbers of
flat arrays: LLVM makes vector code only where it can prove, or check with few comparisons, that
arrays do not overlap, and rows at constant distances count as one array. Called by `wiener`.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.jit import inlined_kernel, kernel

WIDTH = 64  # frequencies in a tile
# Rows of the workspace: the bin z (Re z0, Im z0, Re z1, Im z1), its energies |z0|² and |z1|², its
# cross term z0* z1, the inverse P of the mixture's covariance, P z, a filtered source like z, and
# sums over the sources.
_Z, _E, _CROSS, _P, _U, _X, _TOTAL, _ROWS = (WIDTH * row for row in (0, 4, 6, 8, 12, 16, 20, 21))


def pack(R: np.ndarray) -> np.ndarray:
    """Tiles (tile, source · 4 · WIDTH) of Hermitian matrices (source, freq, 2, 2)."""
    sources, bins = R.shape[:2]
    tiles = -(-bins // WIDTH)
    numbers = np.zeros((sources, 4, tiles * WIDTH))
    numbers[:, 0, :bins], numbers[:, 1, :bins] = R[..., 0, 0].real, R[..., 1, 1].real
    numbers[:, 2, :bins], numbers[:, 3, :bins] = R[..., 0, 1].real, R[..., 0, 1].imag
    tiled = numbers.reshape(sources, 4, tiles, WIDTH)
    return tiled.transpose(2, 0, 1, 3).reshape(tiles, -1)


def unpack(tiles: np.ndarray, bins: int) -> np.ndarray:
    """Hermitian matrices (source, freq, 2, 2) of tiles (tile, source · 4 · WIDTH)."""
    tiled = tiles.reshape(len(tiles), -1, 4, WIDTH).transpose(1, 2, 0, 3)
    numbers = tiled.reshape(len(tiled), 4, -1)[..., :bins]
    R = np.empty((len(numbers), bins, 2, 2), np.complex128)
    R[..., 0, 0], R[..., 1, 1] = numbers[:, 0], numbers[:, 1]
    R[..., 0, 1] = numbers[:, 2] + 1j * numbers[:, 3]
    R[..., 1, 0] = R[..., 0, 1].conj()
    return R


@kernel
def filter_tile(
    Z: np.ndarray,
    masks: np.ndarray,
    R: np.ndarray,
    K: np.ndarray,
    X: np.ndarray,
    tile: int,
    start: int,
    stop: int,
) -> None:
    """Write ``m_s R_s (Σ m R)⁻¹ Z`` with sharpened masks m to X.

    For the frequencies of a tile in the frames `start` … `stop` − 1. Z is (2, time, 2 · freq) and X
    (source, 2, time, 2 · freq), real and imaginary parts in turn; masks are (source, time, freq), R
    and K the rows (source · 4 · WIDTH) of the tile.
    """
    sources, frames, bins = masks.shape
    first = tile * WIDTH
    width = min(WIDTH, bins - first)
    work, shares = np.empty(_ROWS), np.empty(sources * WIDTH)
    for t in range(start, min(stop, frames)):
        _sharpen(Z[0, t], Z[1, t], masks, K, t, first, width, work, shares)
        _solve(R, sources, width, work, shares)
        for s in range(sources):
            _filtered(R[4 * WIDTH * s :], shares[WIDTH * s :], width, work)
            for channel in range(2):
                row, out = work[_X + 2 * WIDTH * channel :], X[s, channel, t, 2 * first :]
                for i in range(width):
                    out[2 * i], out[2 * i + 1] = row[i], row[WIDTH + i]


@kernel
def moments_tile(
    Z: np.ndarray, masks: np.ndarray, R: np.ndarray, K: np.ndarray, M: np.ndarray, tile: int
) -> float:
    """Write the posterior moments at the frequencies of a tile to M; return the squared error.

    M is like R, and the other arrays are as for `filter_tile`.
    """
    sources, frames, bins = masks.shape
    first = tile * WIDTH
    width = min(WIDTH, bins - first)
    work, shares, missed = np.empty(_ROWS), np.empty(sources * WIDTH), np.zeros(WIDTH)
    M[:] = 0
    for t in range(frames):
        _sharpen(Z[0, t], Z[1, t], masks, K, t, first, width, work, shares)
        _solve(R, sources, width, work, shares)
        for s in range(sources):
            r, m = R[4 * WIDTH * s :], shares[WIDTH * s :]
            _filtered(r, m, width, work)
            _add_moments(r, m, width, work, M[4 * WIDTH * s :], missed)
    error: float = missed.sum()
    return error


@inlined_kernel
def _sharpen(
    left: np.ndarray,
    right: np.ndarray,
    masks: np.ndarray,
    K: np.ndarray,
    t: int,
    first: int,
    width: int,
    work: np.ndarray,
    shares: np.ndarray,
) -> None:
    """Write masks divided by ``z* K_s z`` to shares, normalised to sum to one, and z to work."""
    left, right = left[2 * first :], right[2 * first :]
    for i in range(width):
        z0r, z0i = np.float64(left[2 * i]), np.float64(left[2 * i + 1])
        z1r, z1i = np.float64(right[2 * i]), np.float64(right[2 * i + 1])
        work[_Z + i], work[_Z + WIDTH + i] = z0r, z0i
        work[_Z + 2 * WIDTH + i], work[_Z + 3 * WIDTH + i] = z1r, z1i
        work[_E + i], work[_E + WIDTH + i] = z0r * z0r + z0i * z0i, z1r * z1r + z1i * z1i
        work[_CROSS + i] = z0r * z1r + z0i * z1i
        work[_CROSS + WIDTH + i] = z0r * z1i - z0i * z1r
        work[_TOTAL + i] = 0.0
    for s in range(len(masks)):
        mask = masks[s, t, first:]
        k, share = K[4 * WIDTH * s :], shares[WIDTH * s :]
        for i in range(width):
            e0, e1 = work[_E + i], work[_E + WIDTH + i]
            # z* K z with 2 Re(z0* c z1)
            cross = k[2 * WIDTH + i] * work[_CROSS + i]
            cross -= k[3 * WIDTH + i] * work[_CROSS + WIDTH + i]
            distance = k[i] * e0 + k[WIDTH + i] * e1 + 2 * cross
            # The direction of silence is undefined: there the masks stay as they are.
            silent = e0 + e1 == 0.0
            share[i] = mask[i] * ((1.0 if silent else e0 + e1) / (1.0 if silent else distance))
            work[_TOTAL + i] += share[i]
    for i in range(width):
        work[_TOTAL + i] = 1 / work[_TOTAL + i]
    for s in range(len(masks)):
        share = shares[WIDTH * s :]
        for i in range(width):
            share[i] *= work[_TOTAL + i]


@inlined_kernel
def _solve(R: np.ndarray, sources: int, width: int, work: np.ndarray, shares: np.ndarray) -> None:
    """Write ``P = (Σ m R)⁻¹`` and ``u = P z`` to work."""
    work[_P : _P + 4 * WIDTH] = 0
    for s in range(sources):
        r, m = R[4 * WIDTH * s :], shares[WIDTH * s :]
        for i in range(width):
            work[_P + i] += m[i] * r[i]
            work[_P + WIDTH + i] += m[i] * r[WIDTH + i]
            work[_P + 2 * WIDTH + i] += m[i] * r[2 * WIDTH + i]
            work[_P + 3 * WIDTH + i] += m[i] * r[3 * WIDTH + i]
    for i in range(width):
        a, d = work[_P + i], work[_P + WIDTH + i]
        br, bi = work[_P + 2 * WIDTH + i], work[_P + 3 * WIDTH + i]
        scale = 1 / (a * d - br * br - bi * bi)
        a, d, br, bi = a * scale, d * scale, br * scale, bi * scale
        z0r, z0i = work[_Z + i], work[_Z + WIDTH + i]
        z1r, z1i = work[_Z + 2 * WIDTH + i], work[_Z + 3 * WIDTH + i]
        work[_P + i], work[_P + WIDTH + i] = d, a
        work[_P + 2 * WIDTH + i], work[_P + 3 * WIDTH + i] = -br, -bi
        work[_U + i] = d * z0r - (br * z1r - bi * z1i)
        work[_U + WIDTH + i] = d * z0i - (br * z1i + bi * z1r)
        work[_U + 2 * WIDTH + i] = a * z1r - (br * z0r + bi * z0i)
        work[_U + 3 * WIDTH + i] = a * z1i - (br * z0i - bi * z0r)


@inlined_kernel
def _filtered(r: np.ndarray, m: np.ndarray, width: int, work: np.ndarray) -> None:
    """Write ``x = m R u`` of one source to work."""
    for i in range(width):
        r0, r1 = m[i] * r[i], m[i] * r[WIDTH + i]
        cr, ci = m[i] * r[2 * WIDTH + i], m[i] * r[3 * WIDTH + i]
        u0r, u0i = work[_U + i], work[_U + WIDTH + i]
        u1r, u1i = work[_U + 2 * WIDTH + i], work[_U + 3 * WIDTH + i]
        work[_X + i] = r0 * u0r + cr * u1r - ci * u1i
        work[_X + WIDTH + i] = r0 * u0i + cr * u1i + ci * u1r
        work[_X + 2 * WIDTH + i] = cr * u0r + ci * u0i + r1 * u1r
        work[_X + 3 * WIDTH + i] = cr * u0i - ci * u0r + r1 * u1i


@inlined_kernel
def _add_moments(
    r: np.ndarray,
    m: np.ndarray,
    width: int,
    work: np.ndarray,
    M: np.ndarray,
    missed: np.ndarray,
) -> None:
    """Add the second moments of one frame of a source to M, and the squared errors to missed."""
    for i in range(width):
        r0, r1 = m[i] * r[i], m[i] * r[WIDTH + i]
        cr, ci = m[i] * r[2 * WIDTH + i], m[i] * r[3 * WIDTH + i]
        x0r, x0i = work[_X + i], work[_X + WIDTH + i]
        x1r, x1i = work[_X + 2 * WIDTH + i], work[_X + 3 * WIDTH + i]
        # Posterior covariance of the source, Q − Q P Q with Q = m R:
        p0, p1 = work[_P + i], work[_P + WIDTH + i]
        pr, pi = work[_P + 2 * WIDTH + i], work[_P + 3 * WIDTH + i]
        size, cross = cr * cr + ci * ci, 2 * (pr * cr + pi * ci)
        rest0 = r0 - (r0 * r0 * p0 + r0 * cross + size * p1)
        rest1 = r1 - (size * p0 + r1 * cross + r1 * r1 * p1)
        # (Q P Q)01 = c (r0 P00 + r1 P11) + r0 r1 P01 + c² P01*
        straight, both = r0 * p0 + r1 * p1, r0 * r1
        c2r, c2i = cr * cr - ci * ci, 2 * cr * ci
        rest_r = cr - (cr * straight + both * pr + c2r * pr + c2i * pi)
        rest_i = ci - (ci * straight + both * pi + c2i * pr - c2r * pi)
        power = (work[_E + i] + work[_E + WIDTH + i]) / 2
        M[i] += x0r * x0r + x0i * x0i + power * rest0
        M[WIDTH + i] += x1r * x1r + x1i * x1i + power * rest1
        M[2 * WIDTH + i] += x0r * x1r + x0i * x1i + power * rest_r
        M[3 * WIDTH + i] += x0i * x1r - x0r * x1i + power * rest_i
        missed[i] += power * (rest0 + rest1)
