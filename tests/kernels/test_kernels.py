"""Kernels equal the NumPy implementations of `twins`."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import beta_divergence, mu

import nmfaudio as na
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.base import Stepwise
from nmfaudio.factorisation.solvers.fused import FusedRun
from nmfaudio.factorisation.solvers.mu import mu_step
from nmfaudio.factorisation.structures import Convolutive, Product
from nmfaudio.kernels import backend, gemm, gemm_tiles, majorisation
from nmfaudio.kernels.bundles import Majoriser
from nmfaudio.kernels.products import product

BETAS = [-0.5, 0, 0.5, 1, 1.3, 1.5, 2, 3]
TOLERANCE = {np.float32: 2e-4, np.float64: 1e-10}


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 11), st.integers(1, 90), st.integers(1, 11), st.integers(0, 99))
def test_gemm_adds_products(m, n, depth, seed):
    rng = np.random.default_rng(seed)
    A, B, C = rng.random((m, depth)), rng.random((depth, n)), rng.random((m, n))
    arguments = {
        gemm.add_nn: (A, B),
        gemm.add_nt: (A, np.ascontiguousarray(B.T)),
    }
    if backend.VECTORS:
        arguments[gemm_tiles.add_nn] = A, B
    for add, (left, right) in arguments.items():
        out = C.copy()
        add(left, right, out)
        np.testing.assert_allclose(out, C + A @ B, rtol=1e-12)


def test_a_row_of_a_product_does_not_depend_on_the_rows_beside_it():
    if not backend.VECTORS:
        pytest.skip("tiles do not compile on this machine")
    rng = np.random.default_rng(0)
    A, B = rng.random((20, 30), np.float32), rng.random((30, 101), np.float32)
    C = np.zeros((20, 101), np.float32)
    gemm_tiles.add_nn(A, B, C)
    for first in range(20):
        part = np.zeros((1, 101), np.float32)
        gemm_tiles.add_nn(A[first : first + 1], B, part)
        np.testing.assert_array_equal(part[0], C[first])


def test_the_columns_behind_the_last_tile_are_in_memory_that_is_in_use():
    depth = 600_000  # of so many terms the copy is unmapped once it is freed, and reading it fails
    out = np.zeros((1, 1))
    backend.add_nn(np.ones((1, depth)), np.ones((depth, 1)), out)
    assert out == depth


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (200, 9, 70), (5, 3000, 130), (130, 3, 500), (70, 2000, 3)]
)
def test_product_equals_numpy(shape, dtype):
    rng = np.random.default_rng(0)
    A, B = rng.random(shape[:2]).astype(dtype), rng.random(shape[1:]).astype(dtype)
    for left in (A, np.asfortranarray(A)):
        out = product(left, B)
        assert out.dtype == dtype
        np.testing.assert_allclose(out, A @ B, rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("beta", BETAS)
def test_divergence_and_gradient_parts_equal_numpy(beta, order, dtype):
    rng = np.random.default_rng(1)
    V = np.asarray(rng.random((9, 150)) + 0.1, dtype, order=order)
    Y = (rng.random(V.shape) + 0.1).astype(dtype)
    weights = rng.random(V.shape).astype(dtype)
    for M in (None, weights):
        value = Beta(beta).value(V, Y, M)
        assert value == pytest.approx(beta_divergence(V, Y, beta, M), rel=1e-5)
        A, B = Beta(beta).gradient_parts(V, Y, M)
        scale = 1 if M is None else M
        np.testing.assert_allclose(A, scale * V * Y ** (beta - 2), rtol=1e-4)
        np.testing.assert_allclose(B, scale * Y ** (beta - 1), rtol=1e-4)


def test_zero_times_log_zero_is_zero():
    V, Y = np.array([[0.0, 1.0]]), np.array([[0.5, 1.0]])
    assert Beta(1).value(V, Y, None) == pytest.approx(0.5)
    assert Beta(0.5).value(V, Y, None) == pytest.approx(math.sqrt(0.5) * 2)


def pose(V, W, H, beta, weights=None, free=(True, True)):
    divergence = Beta(beta)
    V = divergence.prepare(V, weights)
    factors = (Factor(W), Factor(H))
    return Problem(V, weights, Product(), divergence, factors, free), divergence


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 1, 2), (1, 9, 1), (31, 500, 6), (16, 47, 4)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("beta", BETAS)
def test_fused_stepwise_and_textbook_agree(beta, weighted, shape, order, dtype):
    freq, time, rank = shape
    rng = np.random.default_rng(2)
    V = np.asarray(rng.random((freq, time)) + 0.05, dtype, order=order)
    if beta > 0 and V.size > 50:
        V[:3, ::7] = 0
    W = (rng.random((freq, rank)) + 0.1).astype(dtype)
    H = (rng.random((rank, time)) + 0.1).astype(dtype)
    H[1:3, 90:300] = 0  # silent throughout some blocks
    weights = (rng.random(V.shape) + 0.1).astype(dtype) if weighted else None
    problem, divergence = pose(V, W, H, beta, weights)
    fused = FusedRun(problem, divergence, [W, H])
    stepwise = Stepwise(mu_step, problem, [W, H])
    fused.advance(3)
    stepwise.advance(3)
    double = [a.astype(float) for a in (V, W, H)]
    book = mu(*double, beta, 3, 1.0 if weights is None else weights.astype(float))
    for a, b, c in zip(fused.factors(), stepwise.factors(), book, strict=True):
        np.testing.assert_allclose(a, b, rtol=TOLERANCE[dtype])
        np.testing.assert_allclose(a, c, rtol=TOLERANCE[dtype])
    assert fused.loss == pytest.approx(stepwise.loss, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    ("lags", "time", "rank"), [(1, 30, 3), (4, 110, 3), (12, 10, 1), (3, 1, 2)]
)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("beta", [0, 1, 1.3, 2])
def test_fused_and_stepwise_agree_on_convolutive_models(beta, weighted, lags, time, rank):
    rng = np.random.default_rng(3)
    V, H = rng.random((9, time)) + 0.05, rng.random((rank, time)) + 0.1
    H[1:, 40:100] = 0
    W = rng.random((lags, 9, rank)) + 0.1
    weights = rng.random(V.shape) + 0.1 if weighted else None
    factors = (Factor(W), Factor(H))
    problem = Problem(V, weights, Convolutive(), Beta(beta), factors, (True, True))
    fused = FusedRun(problem, Beta(beta), [W, H])
    stepwise = Stepwise(mu_step, problem, [W, H])
    for _ in range(2):
        fused.advance(2)
        stepwise.advance(2)
        assert fused.loss == pytest.approx(stepwise.loss, rel=1e-9)
    for a, b in zip(fused.factors(), stepwise.factors(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8)


@pytest.mark.parametrize("scale", [1e20, 1e-20])
def test_factors_of_any_scale_go_the_same_way(scale):
    rng = np.random.default_rng(4)
    V, W, H = (rng.random(s).astype("f4") + 0.1 for s in ((20, 90), (20, 3), (3, 90)))
    runs = []
    for s in (1.0, scale):
        start = {"W": W * np.float32(s), "H": H / np.float32(s)}
        runs.append(na.nmf(V, **start, beta_loss=2, solver="mu", max_iter=30, tol=0))
    np.testing.assert_allclose(runs[0].losses, runs[1].losses, rtol=1e-4)


@pytest.mark.parametrize("beta", [1.0, 2.0])
@pytest.mark.parametrize("free", [(True, False), (False, True), (False, False)])
def test_fused_leaves_what_is_fixed(free, beta):
    rng = np.random.default_rng(2)
    V, W, H = rng.random((9, 60)), rng.random((9, 3)), rng.random((3, 60))
    problem, divergence = pose(V, W, H, beta, free=free)
    run = FusedRun(problem, divergence, [W, H])
    run.advance(4)
    for F, G, moves in zip((W, H), run.factors(), free, strict=True):
        assert (not moves) == np.array_equal(F, G)


finite = st.floats(1e-3, 1e3)


@settings(max_examples=400, deadline=None)
@given(
    finite,
    finite,
    st.floats(-50, 50),
    *[st.just(0.0) | finite] * 3,
    st.sampled_from(
        [(0.0, -2.5), (0.0, -2.0), (0.0, -1.5), (0.0, -1.0), (0.3, -0.7), (1.0, 0.0), (2.0, 0.0)]
    ),
)
def test_the_step_lowers_its_majoriser_as_far_as_it_goes(neg, pos, lin, c, d, e, exponents):
    p, q = exponents
    if c == 0 and pos + lin <= 0:
        lin = abs(lin)  # no minimum otherwise

    def slope(u):
        return pos * u**p - neg * u**q + lin + c * u - d / u - e / u**2

    u = majorisation.ratio(Majoriser(neg, pos, lin, c, d, e, p, q))
    assert u >= 0
    if u == 0 or u < 1e-8:
        assert slope(1e-8) >= 0
    elif u >= majorisation.LONGEST_STEP:
        assert slope(u) <= 1e-6 * (neg * u**q + d / u + e / u**2)
    else:
        size = pos * u**p + neg * u**q + abs(lin) + c * u + d / u + e / u**2
        assert abs(slope(u)) <= 1e-5 * size


def test_a_zero_stays_zero_and_the_rest_stays_above_the_floor():
    V = np.zeros((4, 6))
    V[0] = 1
    H = np.ones((2, 6))
    H[1, 3] = 0
    d = na.nmf(V, W=np.ones((4, 2)), H=H, max_iter=300, tol=0)
    assert d.H[1, 3] == 0
    assert (np.delete(d.H.ravel(), 9) > 0).all()
