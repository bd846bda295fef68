"""Initial values of factors.

Initial values are an array or a function of (V, weights, rng) that returns one, see
`nmfaudio.Factor`. Methods that initialise W and H together are functions listed in `STARTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.sums import add_shards
from nmfaudio.kernels.layout import SHARD
from nmfaudio.kernels.products import accumulate, product

# Floor of initial values relative to the mean: multiplicative updates cannot leave an exact zero.
RELATIVE_FLOOR = 1e-3
# Relative to the mean sum of frames; frames below it are damped in SPA, which normalises frames and
# would otherwise select background noise.
PAUSE_LEVEL = 0.01


@dataclass(frozen=True)
class Random:
    """Absolute values of normal numbers times `gain`, and times the mean of V if `data_scale`.

    W without and H with `data_scale`, each with ``gain = terms^(−½)``, make a model of about the
    mean of V, where `terms` is the number of products that the model sums per bin.
    """

    shape: tuple[int, ...]
    gain: float = 1.0
    data_scale: bool = False

    def __call__(
        self, V: np.ndarray, weights: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        mean = weighted_mean(V, weights) if self.data_scale else 1.0
        return self.draw(mean, self.shape, rng)

    def draw(self, mean: float, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Values of a part of the array, given the mean of V; parts follow in C order."""
        level = self.gain * (mean if self.data_scale else 1.0)
        return np.asarray(level * np.abs(rng.standard_normal(shape)))


def random_factors(
    W_shape: tuple[int, ...], H_shape: tuple[int, ...], W: np.ndarray | None, H: np.ndarray | None
) -> tuple[np.ndarray | Random, np.ndarray | Random]:
    """Return W and H, with random values of the matching scale in place of None."""
    terms = int(np.prod(H_shape[:1] + W_shape[:-2]))
    gain = terms**-0.5
    if W is None:
        if H is None:
            return Random(W_shape, gain), Random(H_shape, gain, data_scale=True)
        return Random(W_shape, 1 / (terms * _level(H)), data_scale=True), H
    return W, Random(H_shape, 1 / (terms * _level(W)), data_scale=True) if H is None else H


def nndsvdar(
    V: np.ndarray, n_components: int, *, weights: np.ndarray | None = None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Initialise W and H by singular vectors, with small random numbers in place of zeros.

    Bins of weight 0 count as 0. Components beyond the min(freq, time) singular vectors are random.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
    n_components : int
        Number of components.
    weights : np.ndarray [shape=(freq, time)], optional
    rng : np.random.Generator

    Returns
    -------
    W : np.ndarray [shape=(freq, component)]
    H : np.ndarray [shape=(component, time)]
        At the scale of V.

    References
    ----------
    C. Boutsidis and E. Gallopoulos, "SVD based initialization: A head start for nonnegative matrix
    factorization", Pattern Recognition 41(4), 2008, doi:10.1016/j.patcog.2007.09.010.
    """
    frames, scale = _frames(V, weights)
    U, S, Vt = _leading_singular_vectors(frames, n_components, rng)
    # Of u vᵀ = (−u)(−v)ᵀ keep the pair of positive parts with the larger product of norms.
    positive = _energy(np.maximum(U, 0).T) * _energy(np.maximum(Vt, 0))
    negative = _energy(np.minimum(U, 0).T) * _energy(np.minimum(Vt, 0))
    signs = np.where(positive < negative, -1.0, 1.0)
    u, v = np.maximum(signs * U, 0), np.maximum(signs[:, None] * Vt, 0)
    norms = np.sqrt(_energy(u.T)), np.sqrt(_energy(v))
    gains = np.sqrt(S * norms[0] * norms[1])
    W, H = np.zeros((len(V), n_components)), np.zeros((n_components, V.shape[1]))
    W[:, : len(S)] = u * (gains / np.where(norms[0] > 0, norms[0], 1.0))
    H[: len(S)] = v * (gains / np.where(norms[1] > 0, norms[1], 1.0))[:, None]
    # The "ar" of NNDSVDar: random values around 1 % of those of a model of V's mean.
    fill = 0.01 * np.sqrt(weighted_mean(frames.T, weights) / n_components)
    for F in (W, H):
        small = F < 1e-6 * F.max(initial=0)
        F[small] = np.abs(fill * rng.standard_normal(np.count_nonzero(small)))
    return W, H * scale


def spa(
    V: np.ndarray, n_components: int, *, weights: np.ndarray | None = None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Initialise W by extreme frames of V, found by the successive projection algorithm.

    Each template is the normalised frame farthest from the span of the templates before it. H
    distributes each bin in proportion to the templates. The result is deterministic, except that
    templates beyond the number of distinct frames are random. Bins of weight 0 count as 0.
    Parameters and results are those of `nndsvdar`.

    References
    ----------
    N. Gillis and S. A. Vavasis, "Fast and robust recursive algorithms for separable nonnegative
    matrix factorization", IEEE TPAMI 36(4), 2014, doi:10.1109/TPAMI.2013.226.
    """
    frames, scale = _frames(V, weights)
    chosen = _extreme_frames(frames, n_components)
    random = np.abs(rng.standard_normal((n_components - len(chosen), len(V))))
    W = np.concatenate([frames[chosen], random])  # (component, freq)
    W = W / W.mean(1, keepdims=True) + RELATIVE_FLOOR
    H = product((W / W.sum(0)).astype(V.dtype), frames.T).astype(np.float64)
    if weights is None:
        H /= W.sum(1, keepdims=True)
    else:  # divide by the sum over valid bins only, or frames with missing bins would be too small
        valid = product(W.astype(V.dtype), (weights > 0).astype(V.dtype))
        H = np.divide(H, valid, out=np.zeros(H.shape), where=valid > 0)
    return W.T, (H + RELATIVE_FLOOR * H.mean()) * scale


STARTS: dict[str, Callable[..., tuple[np.ndarray, np.ndarray]]] = {"nndsvdar": nndsvdar, "spa": spa}
"""Functions of (V, n_components, weights=…, rng=…) that initialise W and H together."""

INITS = ("random", *STARTS)


def weighted_mean(V: np.ndarray, weights: np.ndarray | None) -> float:
    """Mean of V over the bins of positive weight."""
    with np.errstate(over="ignore"):
        if weights is None:
            shards = (V[..., first : first + SHARD] for first in range(0, V.shape[-1], SHARD))
            mean = mean_of([float(shard.sum(dtype=np.float64)) for shard in shards], V.size)
        elif (weights > 0).any():
            mean = float(V.mean(dtype=np.float64, where=weights > 0))
        else:
            return 0.0
    if not np.isfinite(mean):
        raise ParameterError(
            f"V has values up to {V.max():g}, too large for their mean; divide it by a constant"
        )
    return mean


def mean_of(sums: Sequence[float], count: int) -> float:
    """Mean of `count` bins, from the sum of each shard of frames."""
    return float(add_shards(np.array(sums)) / count)


def power_of_two(level: float) -> float:
    """Power of two nearest to a positive number, 1 for 0; scaling by it is exact."""
    return float(2.0 ** round(np.log2(level))) if level > 0 else 1.0


def _energy(rows: np.ndarray) -> np.ndarray:
    """Sum of squares of each row."""
    return np.asarray(np.square(rows).sum(axis=1))


def _level(F: np.ndarray) -> float:
    """Mean absolute value, 1 if it is 0."""
    return float(np.mean(np.abs(F, order="C"), dtype=np.float64)) or 1.0


def _frames(V: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, float]:
    """V as (time, freq), 0 where its weight is, divided to a mean near 1; and the divisor."""
    valid = V if weights is None else np.where(weights > 0, V, V.dtype.type(0))
    frames = np.ascontiguousarray(valid.T)
    scale = power_of_two(weighted_mean(frames.T, weights))
    return frames if scale == 1 else frames / V.dtype.type(scale), scale


def _extreme_frames(frames: np.ndarray, limit: int) -> list[int]:
    """Indices of up to `limit` frames, each farthest from the span of those before it.

    `frames` has shape (time, freq). Algorithm 1 of Gillis & Vavasis 2014, with residual norms
    updated instead of residuals.
    """
    sums = frames.sum(1, dtype=np.float64)
    gain = 1 / (sums + PAUSE_LEVEL * sums.mean()) if sums.any() else sums
    residuals = gain**2 * np.einsum("tf,tf->t", frames, frames, dtype=np.float64)
    threshold = 64 * np.finfo(frames.dtype).eps * residuals.max()  # rounding of the updates
    chosen: list[int] = []
    basis: list[np.ndarray] = []
    while len(chosen) < limit:
        farthest = int(np.argmax(residuals))
        axis = frames[farthest].astype(np.float64)
        for _ in range(2):  # Gram-Schmidt, repeated for orthogonality to working precision
            for b in basis:
                axis -= (axis * b).sum() * b
        size = np.sqrt((axis**2).sum())
        if (gain[farthest] * size) ** 2 <= threshold:
            break
        chosen.append(farthest)
        basis.append(axis / size)
        residuals -= (gain * product(basis[-1][None].astype(frames.dtype), frames.T)[0]) ** 2
    return chosen


def _leading_singular_vectors(
    frames: np.ndarray, rank: int, rng: np.random.Generator, sweeps: int = 3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Randomised SVD: U, S, Vt of V = framesᵀ.

    Subspace iteration of Halko, Martinsson & Tropp 2011, doi:10.1137/090771806, section 4.5. Only
    small matrices are passed to LAPACK; large products are those of this package, whose result does
    not depend on the number of threads.
    """

    def images(of: np.ndarray) -> np.ndarray:
        """``frames @ of``, accumulated in C order to avoid a copy."""
        out = np.zeros((len(frames), of.shape[1]), frames.dtype)
        accumulate(frames, np.ascontiguousarray(of), out)
        return out

    width = min(rank + 10, *frames.shape)  # 10 columns of oversampling
    basis = rng.standard_normal((len(frames), width)).astype(frames.dtype)
    for _ in range(sweeps):
        image = _orthonormal(product(frames.T, basis)).astype(frames.dtype)
        basis = _orthonormal(images(image)).astype(frames.dtype)
    image, basis = product(frames.T, basis).astype(np.float64), basis.astype(np.float64)
    # Squared singular values and right singular vectors within the subspace.
    values, vectors = _eigh(product(image.T, image))
    order = np.argsort(values)[::-1][:rank]
    S = np.sqrt(np.maximum(values[order], 0.0))
    U = product(image, vectors[:, order]) / np.where(S > 0, S, 1.0)
    return U, S, product(basis, vectors[:, order]).T


def _orthonormal(A: np.ndarray) -> np.ndarray:
    """Orthonormal basis of the columns of A, in float64.

    Computed from the Gram matrix, whose condition number is squared: a second pass restores
    orthogonality.
    """
    A = A.astype(np.float64)
    for _ in range(2):
        values, vectors = _eigh(product(A.T, A))
        nonzero = values > values[-1] * 1e-14
        if not nonzero.any():
            return A[:, :1] * 0
        A = product(A, vectors[:, nonzero] / np.sqrt(values[nonzero]))
    return A


def _eigh(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and eigenvectors of a small symmetric matrix, in ascending order.

    The driver of NumPy uses the threads of BLAS, and so takes a hundred times as long for a matrix
    of 40 × 40 when another process needs a processor.
    """
    from scipy.linalg import eigh

    values, vectors = eigh(A, driver="evr", check_finite=False)
    return values, vectors
