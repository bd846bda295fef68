"""Speed of the sweep, as a share of what the processor can do."""

import time

import numba
import numpy as np
import pytest

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.fused import FusedRun
from nmfaudio.factorisation.structures import Product
from nmfaudio.kernels.layout import aligned_zeros
from nmfaudio.kernels.threads import set_threads
from nmfaudio.kernels.vectors import MODEL_WIDE, elementwise, load, store

# With 32 components products and ratios matter alike. On a processor with two 512-bit units the
# share was 60 to 65 %, and 13 % with plain loops (NMFAUDIO_VECTORS=0).
FREQ, TIME, RANK = 1025, 4096, 32
CHAIN = 32  # dependent multiply-adds of each register and round
ROUNDS = 20_000
REPEATS = 40
MIN_SHARE = 0.5  # between the two, with a margin for a busy machine


@elementwise
def chain_of_multiply_adds(x, a, b):
    """``x ← a·x + b``, CHAIN times."""
    for _ in range(CHAIN):
        x = x.times_plus(a, b)
    return x


@numba.njit
def fma_loop(A, a, b, rounds):
    """Multiply-adds on one tile that never leaves the registers; A (row, column) only keeps it.

    A tile of the model has 12 or 24 registers, more than a processor has multiply-adds under way.
    Vectors are as wide as those of the kernels.
    """
    x = load(MODEL_WIDE, A, 0, 0)
    for _ in range(rounds):
        x = chain_of_multiply_adds(x, a, b)
    store(x, A, 0, 0)


def seconds(work):
    """Processor time of this thread: other processes take turns with it."""
    begin = time.thread_time()
    work()
    return time.thread_time() - begin


@pytest.fixture
def one_thread():
    set_threads(1)
    yield
    set_threads(None)


@pytest.mark.slow
def test_sweep_keeps_up_with_a_loop_of_multiply_adds(one_thread):
    """A KL iteration in float32 takes 8 operations per bin and component.

    With plain loops in place of vector kernels the share falls to less than half. Both rates are
    the best of many repeats, taken in turn, because other processes may use the machine.
    """
    rng = np.random.default_rng(0)
    V = np.asfortranarray(rng.random((FREQ, TIME), np.float32))
    W, H = rng.random((FREQ, RANK), np.float32) + 1, rng.random((RANK, TIME), np.float32) + 1
    factors = Factor(W), Factor(H)
    problem = Problem(V, None, Product(), Beta(1.0), factors, (True, True))
    run = FusedRun(problem, Beta(1.0), [W, H])
    registers = MODEL_WIDE.rows * MODEL_WIDE.vectors
    lanes = MODEL_WIDE.size // V.itemsize
    A = aligned_zeros((MODEL_WIDE.rows, MODEL_WIDE.vectors * lanes), V.dtype)
    half = np.float32(0.5)
    best_sweep = best_loop = np.inf
    for _ in range(REPEATS):
        best_sweep = min(best_sweep, seconds(lambda: run.advance(1)))
        best_loop = min(best_loop, seconds(lambda: fma_loop(A, half, half, ROUNDS)))
    sweep_rate = 8 * FREQ * TIME * RANK / best_sweep
    loop_rate = 2 * registers * lanes * CHAIN * ROUNDS / best_loop
    share = sweep_rate / loop_rate
    print(f"{sweep_rate / 1e9:.1f} of {loop_rate / 1e9:.1f} GFlop/s: {share:.0%}")
    assert share >= MIN_SHARE
