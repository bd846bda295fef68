"""Where factors start.

A start is an array, or a function of (V, weights, rng) that makes one; see `nmfaudio.Factor`. A
start that makes W and H together is a function here and an entry of `STARTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nmfaudio.kernels.products import accumulate, product

# Of a factor's mean; multiplicative updates would keep an exact zero.
LEAST = 1e-3
# Of the mean loudness; frames much quieter than this count as quiet, not as sounds of their own.
PAUSE = 0.01


@dataclass(frozen=True)
class Random:
    """Absolute values of normal numbers around `gain`, times the mean of V if `loud`.

    W not loud and H loud, each with ``gain = terms^(−½)``, make a model about as loud as V, where
    `terms` is how many products the model sums per bin.
    """

    shape: tuple[int, ...]
    gain: float = 1.0
    loud: bool = False

    def __call__(
        self, V: np.ndarray, weights: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        level = self.gain * (weighted_mean(V, weights) if self.loud else 1.0)
        return np.asarray(level * np.abs(rng.standard_normal(self.shape)))


def random_factors(
    W_shape: tuple[int, ...], H_shape: tuple[int, ...], W: np.ndarray | None, H: np.ndarray | None
) -> tuple[np.ndarray | Random, np.ndarray | Random]:
    """W and H as given, and random starts of the fitting scale for those that are None."""
    terms = int(np.prod(H_shape[:1] + W_shape[:-2]))
    half = terms**-0.5
    if W is None:
        if H is None:
            return Random(W_shape, half), Random(H_shape, half, loud=True)
        return Random(W_shape, 1 / (terms * _level(H)), loud=True), H
    return W, Random(H_shape, 1 / (terms * _level(W)), loud=True) if H is None else H


def nndsvdar(
    V: np.ndarray, rank: int, *, weights: np.ndarray | None = None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """W and H from the leading singular vectors of V, zeros filled with small random numbers.

    Bins of weight 0 count as 0. Components beyond the min(freq, time) singular vectors are all
    fill. H takes the loudness of V.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
    rank : int
    weights : np.ndarray [shape=(freq, time)], optional
    rng : np.random.Generator

    Returns
    -------
    W : np.ndarray [shape=(freq, rank)]
    H : np.ndarray [shape=(rank, time)]

    References
    ----------
    C. Boutsidis and E. Gallopoulos, "SVD based initialization: A head start for nonnegative matrix
    factorization", Pattern Recognition 41(4), 2008, doi:10.1016/j.patcog.2007.09.010.
    """
    frames, loudness = _frames(V, weights)
    U, S, Vt = _leading_singular_vectors(frames, rank, rng)
    W, H = np.zeros((len(V), rank)), np.zeros((rank, V.shape[1]))
    for k in range(len(S)):
        u, v = U[:, k], Vt[k]
        if np.maximum(u, 0) @ np.maximum(u, 0) * (np.maximum(v, 0) @ np.maximum(v, 0)) < (
            np.minimum(u, 0) @ np.minimum(u, 0) * (np.minimum(v, 0) @ np.minimum(v, 0))
        ):
            u, v = -u, -v
        u, v = np.maximum(u, 0), np.maximum(v, 0)
        size = np.sqrt(S[k])
        norms = np.linalg.norm(u), np.linalg.norm(v)
        gain = size * np.sqrt(norms[0] * norms[1])
        W[:, k] = gain * u / (norms[0] or 1.0)
        H[k] = gain * v / (norms[1] or 1.0)
    fill = 0.01 * np.sqrt(weighted_mean(frames.T, weights) / rank)
    for F in (W, H):
        small = F < 1e-6 * F.max(initial=0)
        F[small] = np.abs(fill * rng.standard_normal(np.count_nonzero(small)))
    return W, H * loudness


def spa(
    V: np.ndarray, rank: int, *, weights: np.ndarray | None = None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """W from the frames of V that are least like one another, by successive projections.

    At equal loudness, each template is the frame that is farthest from what those before it span.
    H shares each bin out in proportion to the templates. No chance is in it, save that templates
    beyond the number of frames that differ start at random. Bins of weight 0 count as 0.
    Parameters and results are as for `nndsvdar`.

    References
    ----------
    N. Gillis and S. A. Vavasis, "Fast and robust recursive algorithms for separable nonnegative
    matrix factorization", IEEE TPAMI 36(4), 2014, doi:10.1109/TPAMI.2013.226.
    """
    frames, loudness = _frames(V, weights)
    chosen = _extreme_frames(frames, rank)
    rest = np.abs(rng.standard_normal((rank - len(chosen), len(V))))
    W = np.concatenate([frames[chosen], rest])
    W = W / W.mean(1, keepdims=True) + LEAST
    H = product((W / W.sum(0)).astype(V.dtype), frames.T).astype(np.float64)
    if weights is None:
        H /= W.sum(1, keepdims=True)
    else:  # a frame of which little is heard is not for that a quiet one
        heard = product(W.astype(V.dtype), (weights > 0).astype(V.dtype))
        H = np.divide(H, heard, out=np.zeros(H.shape), where=heard > 0)
    return W.T, (H + LEAST * H.mean()) * loudness


STARTS: dict[str, Callable[..., tuple[np.ndarray, np.ndarray]]] = {"nndsvdar": nndsvdar, "spa": spa}
"""What makes W and H together, as a function of (V, rank, weights=…, rng=…)."""

INITS = ("random", *STARTS)


def weighted_mean(V: np.ndarray, weights: np.ndarray | None) -> float:
    """Mean of V over the bins that have a say."""
    if weights is None:
        return float(V.mean(dtype=np.float64))
    said = weights > 0
    return float(V.mean(dtype=np.float64, where=said)) if said.any() else 0.0


def power_of_two(level: float) -> float:
    """The power of two nearest to a positive number, 1 for 0: scaling by it loses no bits."""
    return float(2.0 ** round(np.log2(level))) if level > 0 else 1.0


def _level(F: np.ndarray) -> float:
    return float(np.mean(np.abs(F, order="C"), dtype=np.float64)) or 1.0


def _frames(V: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, float]:
    """V as (time, freq), divided to be near 1 and 0 where its weight is; and the divisor."""
    heard = V if weights is None else np.where(weights > 0, V, V.dtype.type(0))
    frames = np.ascontiguousarray(heard.T)
    loudness = power_of_two(weighted_mean(frames.T, weights))
    return frames / V.dtype.type(loudness), loudness


def _extreme_frames(frames: np.ndarray, most: int) -> list[int]:
    """Up to `most` frames (time, freq), each the farthest from the span of those before it."""
    loud = frames.sum(1, dtype=np.float64)
    gain = 1 / (loud + PAUSE * loud.mean()) if loud.any() else loud
    left = gain**2 * np.einsum("tf,tf->t", frames, frames, dtype=np.float64)
    least = 64 * np.finfo(frames.dtype).eps * left.max()
    chosen: list[int] = []
    basis: list[np.ndarray] = []
    while len(chosen) < most:
        farthest = int(np.argmax(left))
        axis = frames[farthest].astype(np.float64)
        for _ in range(2):  # once loses digits
            for b in basis:
                axis -= (axis * b).sum() * b
        size = np.sqrt((axis**2).sum())
        if (gain[farthest] * size) ** 2 <= least:
            break
        chosen.append(farthest)
        basis.append(axis / size)
        left -= (gain * product(basis[-1][None].astype(frames.dtype), frames.T)[0]) ** 2
    return chosen


def _leading_singular_vectors(
    frames: np.ndarray, rank: int, rng: np.random.Generator, sweeps: int = 3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """U, S, Vt of V = framesᵀ (Halko, Martinsson & Tropp 2011, doi:10.1137/090771806, § 4.5).

    Only small matrices go to LAPACK, the large products are this package's own: their bits do not
    depend on the number of threads.
    """

    def images(of: np.ndarray) -> np.ndarray:
        """``frames @ of``, without the copy that a product stored the other way round takes."""
        out = np.zeros((len(frames), of.shape[1]), frames.dtype)
        accumulate(frames, np.ascontiguousarray(of), out)
        return out

    width = min(rank + 10, *frames.shape)
    basis = rng.standard_normal((len(frames), width)).astype(frames.dtype)
    for _ in range(sweeps):
        image = _orthonormal(product(frames.T, basis)).astype(frames.dtype)
        basis = _orthonormal(images(image)).astype(frames.dtype)
    image, basis = product(frames.T, basis).astype(np.float64), basis.astype(np.float64)
    values, vectors = np.linalg.eigh(product(image.T, image))
    order = np.argsort(values)[::-1][:rank]
    S = np.sqrt(np.maximum(values[order], 0.0))
    U = product(image, vectors[:, order]) / np.where(S > 0, S, 1.0)
    return U, S, product(basis, vectors[:, order]).T


def _orthonormal(A: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the columns of A in float64, twice over since once loses digits."""
    A = A.astype(np.float64)
    for _ in range(2):
        values, vectors = np.linalg.eigh(product(A.T, A))
        kept = values > values[-1] * 1e-14
        if not kept.any():
            return A[:, :1] * 0
        A = product(A, vectors[:, kept] / np.sqrt(values[kept]))
    return A
