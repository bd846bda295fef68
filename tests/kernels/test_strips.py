"""Tiles of registers compute what plain loops and NumPy in double precision do."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.kernels import backend, layout, strips, vectors
from nmfaudio.kernels import strips_portable as plain
from nmfaudio.kernels.blocks import sounding
from nmfaudio.kernels.formulas import formula_for

BETAS = [-0.5, 0.0, 1e-3, 0.5, 1 - 1e-3, 1.0, 1 + 2.0**-20, 1.3, 1.5, 2.0, 3.0]
FRAMES = layout.FRAMES
EPS = {np.float32: 2.0**-23, np.float64: 2.0**-52}


def beta_divergence(v, y, beta):
    """Bin by bin, in extended precision."""
    v, y = v.astype(np.longdouble), y.astype(np.longdouble)
    with np.errstate(divide="ignore", invalid="ignore"):
        if beta == 1:
            return np.where(v > 0, v * np.log(v / y), 0) - v + y
        if beta == 0:
            return v / y - np.log(v / y) - 1
        own = np.where(v > 0, v**beta, 0)
    return (own + (beta - 1) * y**beta - beta * v * y ** (beta - 1)) / (beta * (beta - 1))


def posed(dtype, closeness, columns):
    """V and a model of one component, Y = H W, with V as close to Y as asked."""
    rng = np.random.default_rng(columns)
    lanes = layout.strip_widths(np.dtype(dtype))[0]
    H, W = np.zeros((FRAMES, 4), dtype), np.zeros((4, lanes), dtype)
    H[:, 0], W[0] = 2.0 ** rng.uniform(-8, 8, FRAMES), 2.0 ** rng.uniform(-8, 8, lanes)
    Y = np.outer(H[:, 0], W[0])
    V = (Y * 2.0 ** (closeness * rng.standard_normal(Y.shape))).astype(dtype)
    return V[:, :lanes].copy(), H, W, Y[:, :columns]


def outputs(dtype):
    widest = layout.strip_widths(np.dtype(dtype))[0]
    return [layout.aligned_zeros((FRAMES, widest), np.dtype(dtype)) for _ in range(3)]


@pytest.mark.parametrize("code", [strips, plain])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("closeness", [1e-3, 0.3, 4.0])
@pytest.mark.parametrize("beta", BETAS)
def test_halves_and_misfit_are_those_of_the_divergence(beta, closeness, dtype, code):
    if code is strips and not backend.VECTORS:
        pytest.skip("tiles do not compile on this machine")
    for columns in layout.strip_widths(np.dtype(dtype)):
        V, H, W, Y = posed(dtype, closeness, columns)
        if beta > 0:
            V[::5, ::3] = 0
        A, B, model = outputs(dtype)
        heard = sounding(H)
        code.gradient_parts(formula_for(beta), V, 0, columns, H, W, heard, beta, 0.0, A, B, model)
        v, y = V[:, :columns].astype(float), Y.astype(float)
        near = 60 * EPS[dtype]
        np.testing.assert_allclose(model[:, :columns], Y, rtol=0)
        np.testing.assert_allclose(A[:, :columns], v * y ** (beta - 2), rtol=near)
        np.testing.assert_allclose(B[:, :columns], y ** (beta - 1), rtol=near)
        none = np.empty((0, 0), dtype)
        found = code.misfit(formula_for(beta), V, 0, columns, model, none, beta)
        exact = float(beta_divergence(v, y, beta).sum())
        # To within rounding of V: the better the fit, the more of it that says.
        slack = EPS[dtype] * float((v + y) @ np.ones(columns) @ np.ones(FRAMES)) if beta else 0
        if code is plain and beta == 1 + 2.0**-20:
            slack /= beta - 1  # it subtracts powers that are nearly the same
        assert found == pytest.approx(exact, rel=1e-4 if dtype == np.float32 else 1e-9, abs=slack)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_are_those_of_plain_loops(dtype):
    if not backend.VECTORS:
        pytest.skip("tiles do not compile on this machine")
    kind, freq = np.dtype(dtype), 3 * layout.strip_widths(np.dtype(dtype))[0]
    depth, _ = layout.padded_shape(43, freq, kind)
    rng = np.random.default_rng(0)
    W = layout.padded(rng.random((43, freq)).astype(dtype), (depth, freq))
    A, H = rng.random((FRAMES, freq)).astype(dtype), rng.random((FRAMES, depth)).astype(dtype)
    all_heard = sounding(H)
    assert all_heard.tolist() == [[0, depth]]
    for columns in layout.strip_widths(kind):
        for j in (0, columns):
            some = A[:, 5 : 5 + columns].astype(float)
            up, neg = rng.random((FRAMES, depth)).astype(dtype), np.ones((depth, freq), dtype)
            exact = up + some @ W[:, j : j + columns].T.astype(float)
            for code in (strips, plain):
                out, total = up.copy(), neg.copy()
                code.pull_back(A, 5, *layout.panels(W), freq, j, columns, all_heard, out)
                np.testing.assert_allclose(out, exact, rtol=100 * EPS[dtype])
                code.gather(H, A, 5, j, columns, all_heard, total)
                expected = neg.astype(float)
                expected[:, j : j + columns] += H.T.astype(float) @ some
                np.testing.assert_allclose(total, expected, rtol=100 * EPS[dtype])


@pytest.mark.parametrize("code", [strips, plain])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_silent_components_are_passed_over_without_changing_a_byte(dtype, code):
    if code is strips and not backend.VECTORS:
        pytest.skip("tiles do not compile on this machine")
    kind = np.dtype(dtype)
    columns = layout.strip_widths(kind)[0]
    depth, freq = layout.padded_shape(150, columns, kind)
    rng = np.random.default_rng(0)
    W = layout.padded(rng.random((150, freq)).astype(dtype), (depth, freq))
    V, H = rng.random((FRAMES, freq)).astype(dtype), rng.random((FRAMES, depth)).astype(dtype)
    H[:, np.r_[:3, 5:70, 71, 73:140]] = 0
    heard = sounding(H)
    assert heard.tolist() == [[3, 5], [70, 71], [72, 73], [140, depth]]
    results = []
    for runs in (heard, np.array([[0, depth]])):
        A, B, model = outputs(dtype)
        code.gradient_parts(formula_for(1.0), V, 0, columns, H, W, runs, 1.0, 1e-9, A, B, model)
        up, neg = np.zeros((FRAMES, depth), dtype), np.zeros((depth, freq), dtype)
        code.pull_back(A, 0, *layout.panels(W), freq, 0, columns, runs, up)
        code.gather(H, A, 0, 0, columns, runs, neg)
        results.append((A, B, model, up * (H > 0), neg))
    for some, everything in zip(*results, strict=True):
        np.testing.assert_array_equal(some, everything)


@pytest.mark.parametrize("code", [strips, plain])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("beta", BETAS)
def test_what_is_padded_with_the_least_there_is_costs_nothing(beta, dtype, code):
    if code is strips and not backend.VECTORS:
        pytest.skip("tiles do not compile on this machine")
    columns = layout.strip_widths(np.dtype(dtype))[0]
    least = np.full((FRAMES, columns), Beta(beta).model_floor(np.dtype(dtype)), dtype)
    none = np.empty((0, 0), dtype)
    assert abs(code.misfit(formula_for(beta), least, 0, columns, least, none, beta)) < 1e-20


def test_of_silence_nothing_is_heard():
    assert sounding(np.zeros((FRAMES, 5))).shape == (0, 2)


OTHERWISE = """
import sys
import numpy as np, nmfaudio as na
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.kernels import backend, vectors
assert [backend.VECTORS, vectors.REGISTER] == eval(sys.argv[1])
for dtype in ("f4", "f8"):
    V = np.random.default_rng(0).random((70, 130)).astype(dtype)
    print(na.nmf(V, 5, max_iter=15, tol=0, rng=0).losses[-1])
"""


def losses(tmp_path, expected, **env):
    env = {**os.environ, **env, "NUMBA_CACHE_DIR": str(tmp_path)}
    call = [sys.executable, "-c", OTHERWISE, repr(expected)]
    done = subprocess.run(call, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return [float(line) for line in done.stdout.split()]


def ours():
    V = np.random.default_rng(0).random((70, 130))
    fits = (na.nmf(V.astype(t), 5, max_iter=15, tol=0, rng=0) for t in ("f4", "f8"))
    return [fit.losses[-1] for fit in fits]


@pytest.mark.slow  # compiles every kernel once more
def test_without_tiles_plain_loops_do_the_same(tmp_path):
    found = losses(tmp_path, [False, vectors.REGISTER], NMFAUDIO_VECTORS="0")
    assert found == pytest.approx(ours(), rel=1e-4)


@pytest.mark.slow  # it compiles everything anew
@pytest.mark.skipif(not backend.VECTORS, reason="tiles do not compile on this machine")
@pytest.mark.parametrize(
    ("name", "features", "register"),
    [("haswell", "+sse2,+avx,+avx2,+fma", 32), ("generic", "+sse2,+avx,+fma", 16)],
)
def test_shorter_registers_do_the_same(name, features, register, tmp_path):
    if vectors.REGISTER < register or platform.machine() != "x86_64":
        pytest.skip("not a machine that has those registers")
    chosen = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
    assert losses(tmp_path, [True, register], **chosen) == pytest.approx(ours(), rel=1e-4)
