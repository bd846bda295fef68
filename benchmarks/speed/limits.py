"""What this machine can do at most, measured on all threads that the factorisation would use."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numba
import numpy as np

from nmfaudio.kernels.threads import get_threads

CHAIN = 16  # dependent multiply-adds per element; many elements are under way at once
LANES = 512  # elements of one thread: they stay in the first-level cache
PRODUCT = "NumPy product"
BIG = 1 << 28  # bytes, far more than any cache holds


@numba.njit(nogil=True, fastmath={"contract"})
def _multiply_add(x: np.ndarray, a: float, b: float, rounds: int) -> None:
    """CHAIN fused multiply-adds per element and round; LLVM unrolls the chain into vectors."""
    for _ in range(rounds):
        for j in range(x.size):
            y = x[j]
            for _ in range(CHAIN):
                y = y * a + b
            x[j] = y


@numba.njit(nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _total(x: np.ndarray) -> float:
    total = x.dtype.type(0)
    for j in range(x.size):
        total += x[j]
    return total


def _best_seconds(work: Callable[[int], object], tries: int) -> float:
    """The fastest of some tries of ``work(i)`` done by every thread i at once."""
    threads = get_threads()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
        taken = []
        for _ in range(tries):
            begun = time.perf_counter()
            list(pool.map(work, range(threads)))
            taken.append(time.perf_counter() - begun)
    return min(taken)


def fma_peak(dtype: str, rounds: int = 20_000, tries: int = 8) -> float:
    """Floating-point operations per second of multiply-adds that need no memory."""
    lanes = [np.ones(LANES, dtype) for _ in range(get_threads())]
    a, b = lanes[0].dtype.type(0.5), lanes[0].dtype.type(0.5)
    seconds = _best_seconds(lambda i: _multiply_add(lanes[i], a, b, rounds), tries)
    return 2.0 * CHAIN * LANES * rounds * get_threads() / seconds


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
    """Bytes per second of reading, and of copying (each byte read and written), big arrays."""
    source, target = np.ones(BIG // 4, np.float32), np.zeros(BIG // 4, np.float32)
    edges = np.linspace(0, BIG // 4, get_threads() + 1).astype(int)
    parts = [slice(*pair) for pair in pairwise(edges)]
    read = _best_seconds(lambda i: _total(source[parts[i]]), tries)
    copy = _best_seconds(lambda i: np.copyto(target[parts[i]], source[parts[i]]), tries)
    return {"read": BIG / read, "copy": 2 * BIG / copy}


def measure(shape: tuple[int, int]) -> dict[str, float]:
    """Everything, by name: operations and bytes per second."""
    found: dict[str, float] = {}
    for dtype in ("float32", "float64"):
        found[f"FMA peak, {dtype}"] = fma_peak(dtype)
        found[f"{PRODUCT} 2048³, {dtype}"] = gemm(2048, 2048, 2048, dtype)
        for rank in (8, 32, 128):
            name = f"{PRODUCT} {shape[0]} × {shape[1]}, r = {rank}, {dtype}"
            found[name] = gemm(*shape, rank, dtype)
    return found | {f"memory, {what}": value for what, value in bandwidth().items()}


def flops(beta: float, shape: tuple[int, int], rank: int, lags: int = 1) -> float:
    """Operations of one iteration in products: W and H each need the model and one more half.

    For β ≠ 1 the other half of the gradient is a product too. How a solver may get round some of
    them is not counted, so a share of the peak says how far from the textbook's cost it is.
    """
    return (8 if beta == 1 else 12) * float(np.prod(shape)) * rank * lags
