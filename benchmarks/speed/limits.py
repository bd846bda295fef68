"""Peak arithmetic and memory bandwidth on all threads that the factorisation would use."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numba
import numpy as np

from nmfaudio.kernels.lanes import Lanes
from nmfaudio.kernels.layout import aligned_zeros
from nmfaudio.kernels.threads import get_threads
from nmfaudio.kernels.vectors import MODEL_WIDE, elementwise, load, store

CHAIN = 8  # dependent multiply-adds of each register and round
PRODUCT = "NumPy product"
BIG = 1 << 28  # bytes, far larger than any cache


@elementwise
def chain_of_multiply_adds(x: Lanes, a: Lanes, b: Lanes) -> Lanes:
    """``x ← a·x + b``, CHAIN times."""
    for _ in range(CHAIN):
        x = x.times_plus(a, b)
    return x


@numba.njit(nogil=True)
def _multiply_add(A: np.ndarray, a: float, b: float, rounds: int) -> None:
    """Run multiply-adds on a tile that stays in the registers; A (row, column) only keeps it.

    Its vectors are as wide as the registers. LLVM makes those of plain loops half as wide with
    AVX-512.
    """
    x = load(MODEL_WIDE, A, 0, 0)
    for _ in range(rounds):
        x = chain_of_multiply_adds(x, a, b)
    store(x, A, 0, 0)


@numba.njit(nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _total(x: np.ndarray) -> float:
    """Sum of all elements, which reads each of them once."""
    total = x.dtype.type(0)
    for j in range(x.size):
        total += x[j]
    return total


def _best_seconds(work: Callable[[int], object], tries: int) -> float:
    """Minimum time over `tries` in which every thread i runs ``work(i)`` concurrently."""
    threads = get_threads()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
        taken = []
        for _ in range(tries):
            begun = time.perf_counter()
            list(pool.map(work, range(threads)))
            taken.append(time.perf_counter() - begun)
    return min(taken)


def fma_peak(dtype: str, rounds: int = 400_000, tries: int = 20) -> float:
    """Floating-point operations per second of multiply-adds on full-width vector registers."""
    columns = MODEL_WIDE.vectors * MODEL_WIDE.size // np.dtype(dtype).itemsize
    shape = MODEL_WIDE.rows, columns
    tiles = [aligned_zeros(shape, np.dtype(dtype)) for _ in range(get_threads())]
    half = np.dtype(dtype).type(0.5)
    seconds = _best_seconds(lambda i: _multiply_add(tiles[i], half, half, rounds), tries)
    return 2.0 * CHAIN * tiles[0].size * rounds * get_threads() / seconds


def gemm(m: int, n: int, k: int, dtype: str, tries: int = 8) -> float:
    """Floating-point operations per second of NumPy's (m, k) by (k, n) product."""
    rng = np.random.default_rng(0)
    A, B = rng.random((m, k), dtype), rng.random((k, n), dtype)
    out, taken = np.empty((m, n), dtype), []
    for _ in range(tries):
        begun = time.perf_counter()
        np.matmul(A, B, out=out)
        taken.append(time.perf_counter() - begun)
    return 2.0 * m * n * k / min(taken)


def bandwidth(tries: int = 6) -> dict[str, float]:
    """Bytes per second of reading and of copying (bytes read plus written) large arrays."""
    source, target = np.ones(BIG // 4, np.float32), np.zeros(BIG // 4, np.float32)
    edges = np.linspace(0, BIG // 4, get_threads() + 1).astype(int)
    parts = [slice(*pair) for pair in pairwise(edges)]
    read = _best_seconds(lambda i: _total(source[parts[i]]), tries)
    copy = _best_seconds(lambda i: np.copyto(target[parts[i]], source[parts[i]]), tries)
    return {"read": BIG / read, "copy": 2 * BIG / copy}


def measure(shape: tuple[int, int]) -> dict[str, float]:
    """All limits by name, in operations or bytes per second."""
    limits: dict[str, float] = {}
    for dtype in ("float32", "float64"):
        limits[f"FMA peak, {dtype}"] = fma_peak(dtype)
        limits[f"{PRODUCT} 2048³, {dtype}"] = gemm(2048, 2048, 2048, dtype)
        for rank in (8, 32, 128):
            name = f"{PRODUCT} {shape[0]} × {shape[1]}, r = {rank}, {dtype}"
            limits[name] = gemm(*shape, rank, dtype)
    return limits | {f"memory, {name}": value for name, value in bandwidth().items()}


def flops(beta: float, shape: tuple[int, int], rank: int, lags: int = 1) -> float:
    """Operations of the matrix products of one iteration with standard multiplicative updates.

    The updates of W and H each need the model W H and one product for each part of the gradient;
    for β = 1 one of the parts is a sum. Savings of a solver are not counted, so the share of the
    peak is relative to the cost of the standard updates.
    """
    # 2 F T r operations a product; 2 (β = 1) or 3 products for each of W and H.
    return (8 if beta == 1 else 12) * float(np.prod(shape)) * rank * lags
