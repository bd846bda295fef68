"""Tiles of registers compute what plain loops and NumPy in double precision do."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.kernels import backend, layout, strips, strips_portable, vectors
from nmfaudio.kernels.blocks import active_runs
from nmfaudio.kernels.bundles import Params, Strip, Templates
from nmfaudio.kernels.formulas import formula_for

BETAS = [-0.5, 0.0, 1e-3, 0.5, 1 - 1e-3, 1.0, 1 + 2.0**-20, 1.3, 1.5, 2.0, 3.0]
FRAMES = layout.FRAMES
EPS = {np.float32: 2.0**-23, np.float64: 2.0**-52}


def beta_divergence(v, y, beta):
    """Divergence bin by bin, in extended precision."""
    v, y = v.astype(np.longdouble), y.astype(np.longdouble)
    with np.errstate(divide="ignore", invalid="ignore"):
        if beta == 1:
            return np.where(v > 0, v * np.log(v / y), 0) - v + y
        if beta == 0:
            return v / y - np.log(v / y) - 1
        powers = np.where(v > 0, v**beta, 0)
    return (powers + (beta - 1) * y**beta - beta * v * y ** (beta - 1)) / (beta * (beta - 1))


def posed(dtype, closeness, columns):
    """V and a model of one component, Y = H W, with V as close to Y as `closeness`."""
    rng = np.random.default_rng(columns)
    lanes = layout.strip_widths(np.dtype(dtype))[0]
    H, W = np.zeros((FRAMES, 4), dtype), np.zeros((4, lanes), dtype)
    H[:, 0], W[0] = 2.0 ** rng.uniform(-8, 8, FRAMES), 2.0 ** rng.uniform(-8, 8, lanes)
    Y = np.outer(H[:, 0], W[0])
    V = (Y * 2.0 ** (closeness * rng.standard_normal(Y.shape))).astype(dtype)
    return V[:, :lanes].copy(), H, W, Y[:, :columns]


def params(beta, dtype, floor=0.0):
    widths = layout.strip_widths(np.dtype(dtype))
    return Params(formula_for(beta), beta, 0.0, -1.0, floor, 0.0, *widths, 1, False, True)


def templates(W):
    empty = np.empty((0, 0), W.dtype)
    return Templates(W, *layout.panels(W), empty, empty)


def outputs(dtype):
    widest = layout.strip_widths(np.dtype(dtype))[0]
    return [layout.aligned_zeros((FRAMES, widest), np.dtype(dtype)) for _ in range(3)]


@pytest.mark.parametrize("code", [strips, strips_portable])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("closeness", [1e-3, 0.3, 4.0])
@pytest.mark.parametrize("beta", BETAS)
def test_gradient_parts_and_divergence_equal_their_definitions(beta, closeness, dtype, code):
    if code is strips and not backend.VECTORS:
        pytest.skip("tiles do not compile on this machine")
    for columns in layout.strip_widths(np.dtype(dtype)):
        V, H, W, Y = posed(dtype, closeness, columns)
        if beta > 0:
            V[::5, ::3] = 0
        A, B, model = outputs(dtype)
        active = active_runs(H)
        numbers, strip = params(beta, dtype), Strip(0, columns)
        code.gradient_parts(numbers, strip, V, H, W, active, A, B, model)
        v, y = V[:, :columns].astype(float), Y.astype(float)
        near = 60 * EPS[dtype]
        np.testing.assert_allclose(model[:, :columns], Y, rtol=0)
        np.testing.assert_allclose(A[:, :columns], v * y ** (beta - 2), rtol=near)
        np.testing.assert_allclose(B[:, :columns], y ** (beta - 1), rtol=near)
        none = np.empty((0, 0), dtype)
        result = code.strip_divergence(numbers, strip, V, model, none)
        exact = float(beta_divergence(v, y, beta).sum())
        # To within rounding of V: the better the fit, the more of it that says.
        slack = EPS[dtype] * float((v + y) @ np.ones(columns) @ np.ones(FRAMES)) if beta else 0
        if code is strips_portable and beta == 1 + 2.0**-20:
            slack /= beta - 1  # it subtracts powers that are nearly the same
        assert result == pytest.approx(exact, rel=1e-4 if dtype == np.float32 else 1e-9, abs=slack)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_equal_those_of_plain_loops(dtype):
    if not backend.VECTORS:
        pytest.skip("tiles do not compile on this machine")
    kind, freq = np.dtype(dtype), 3 * layout.strip_widths(np.dtype(dtype))[0]
    depth, _ = layout.padded_shape(43, freq, kind)
    rng = np.random.default_rng(0)
    W = layout.padded(rng.random((43, freq)).astype(dtype), (depth, freq))
    A, H = rng.random((FRAMES, freq)).astype(dtype), rng.random((FRAMES, depth)).astype(dtype)
    active = active_runs(H)
    assert active.tolist() == [[0, depth]]
    for columns in layout.strip_widths(kind):
        for j in (0, columns):
            block = A[:, 5 : 5 + columns].astype(float)
            up, neg = rng.random((FRAMES, depth)).astype(dtype), np.ones((depth, freq), dtype)
            exact = up + block @ W[:, j : j + columns].T.astype(float)
            for code in (strips, strips_portable):
                out, total = up.copy(), neg.copy()
                code.accumulate_AWt(A, 5, templates(W), Strip(j, columns), active, out)
                np.testing.assert_allclose(out, exact, rtol=100 * EPS[dtype])
                code.accumulate_HtA(H, A, 5, Strip(j, columns), active, total)
                expected = neg.astype(float)
                expected[:, j : j + columns] += H.T.astype(float) @ block
                np.testing.assert_allclose(total, expected, rtol=100 * EPS[dtype])


@pytest.mark.parametrize("code", [strips, strips_portable])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_skipping_zero_components_changes_no_byte(dtype, code):
    if code is strips and not backend.VECTORS:
        pytest.skip("tiles do not compile on this machine")
    kind = np.dtype(dtype)
    columns = layout.strip_widths(kind)[0]
    depth, freq = layout.padded_shape(150, columns, kind)
    rng = np.random.default_rng(0)
    W = layout.padded(rng.random((150, freq)).astype(dtype), (depth, freq))
    V, H = rng.random((FRAMES, freq)).astype(dtype), rng.random((FRAMES, depth)).astype(dtype)
    H[:, np.r_[:3, 5:70, 71, 73:140]] = 0
    active = active_runs(H)
    assert active.tolist() == [[3, 5], [70, 71], [72, 73], [140, depth]]
    results = []
    for runs in (active, np.array([[0, depth]])):
        A, B, model = outputs(dtype)
        numbers, strip = params(1.0, dtype, floor=1e-9), Strip(0, columns)
        code.gradient_parts(numbers, strip, V, H, W, runs, A, B, model)
        up, neg = np.zeros((FRAMES, depth), dtype), np.zeros((depth, freq), dtype)
        code.accumulate_AWt(A, 0, templates(W), strip, runs, up)
        code.accumulate_HtA(H, A, 0, strip, runs, neg)
        results.append((A, B, model, up * (H > 0), neg))
    for part, everything in zip(*results, strict=True):
        np.testing.assert_array_equal(part, everything)


@pytest.mark.parametrize("code", [strips, strips_portable])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("beta", BETAS)
def test_padding_with_the_floor_costs_nothing(beta, dtype, code):
    if code is strips and not backend.VECTORS:
        pytest.skip("tiles do not compile on this machine")
    columns = layout.strip_widths(np.dtype(dtype))[0]
    floor = np.full((FRAMES, columns), Beta(beta).model_floor(np.dtype(dtype)), dtype)
    none = np.empty((0, 0), dtype)
    numbers, strip = params(beta, dtype), Strip(0, columns)
    assert abs(code.strip_divergence(numbers, strip, floor, floor, none)) < 1e-20


def test_no_component_of_silence_is_active():
    assert active_runs(np.zeros((FRAMES, 5))).shape == (0, 2)


OTHERWISE = """
import sys
import numpy as np, nmfaudio as na
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.kernels import backend, vectors
assert [backend.VECTORS, vectors.REGISTER_BYTES] == eval(sys.argv[1])
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


WITHOUT_INTRINSICS = """
import warnings
from nmfaudio.kernels import lanes

def fail(*arguments):
    raise NotImplementedError("no such function\\nand more")

lanes.Lanes.intrinsic = staticmethod(fail)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from nmfaudio.kernels import backend, sweep
print(backend.VECTORS, len(caught))
for warning in caught:
    print(warning.category.__name__, warning.message)
"""


@pytest.mark.parametrize("setting", ["1", "0"])
def test_one_warning_if_vectors_fail_and_were_not_switched_off(tmp_path, setting):
    if not vectors.HAS_FMA:
        pytest.skip("vectors are not used on this machine")
    # An empty cache: otherwise the kernel that tries them out would not be compiled.
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "NMFAUDIO_VECTORS": setting}
    call = [sys.executable, "-c", WITHOUT_INTRINSICS]
    done = subprocess.run(call, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    if setting == "0":
        assert done.stdout == "False 0\n"
        return
    state, warning = done.stdout.splitlines()
    assert state == "False 1"
    assert warning.startswith("AudioWarning vector kernels do not compile (")
    assert "2.9 times as long" in warning
    assert "NMFAUDIO_VECTORS=0" in warning


@pytest.mark.slow  # compiles every kernel once more
def test_without_tiles_plain_loops_do_the_same(tmp_path):
    values = losses(tmp_path, [False, vectors.REGISTER_BYTES], NMFAUDIO_VECTORS="0")
    assert values == pytest.approx(ours(), rel=1e-4)


@pytest.mark.slow  # it compiles everything anew
@pytest.mark.skipif(not backend.VECTORS, reason="tiles do not compile on this machine")
@pytest.mark.parametrize(
    ("name", "features", "register"),
    [("haswell", "+sse2,+avx,+avx2,+fma", 32), ("generic", "+sse2,+avx,+fma", 16)],
)
def test_shorter_registers_do_the_same(name, features, register, tmp_path):
    if vectors.REGISTER_BYTES < register or platform.machine() != "x86_64":
        pytest.skip("not a machine that has those registers")
    chosen = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
    assert losses(tmp_path, [True, register], **chosen) == pytest.approx(ours(), rel=1e-4)
