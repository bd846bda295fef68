"""Tiles of registers compute what plain loops and NumPy in double precision do."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.kernels import backend, layout, machine, strips, strips_portable
from nmfaudio.kernels.blocks import active_runs, block_at
from nmfaudio.kernels.bundles import Data, Params, Templates, Workspace
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


def posed(dtype, closeness, freq):
    """V and a model of one component, Y = H W, with V as close to Y as `closeness`."""
    rng = np.random.default_rng(freq)
    H, W = 2.0 ** rng.uniform(-8, 8, (FRAMES, 1)), 2.0 ** rng.uniform(-8, 8, (1, freq))
    H, W = H.astype(dtype), W.astype(dtype)
    Y = H @ W
    V = (Y * 2.0 ** (closeness * rng.standard_normal(Y.shape))).astype(dtype)
    return V, H, W, Y


class OneBlock:
    """Arguments of the kernels for one block of frames of V ≈ H W."""

    def __init__(self, V, H, W, beta, weights=None, first=0, active=None):
        dtype = V.dtype
        weights = np.empty((0, 0), dtype) if weights is None else weights
        floor = Beta(beta).model_floor(dtype)
        rank, freq = W.shape
        self.shape = depth, columns = layout.padded_shape(rank, freq, dtype)
        widths, zeros = layout.strip_widths(dtype), layout.aligned_zeros
        padded = layout.padded(W, self.shape)
        self.strips = layout.strips(padded)
        self.templates = Templates(
            self.strips, *layout.panels(padded), np.empty((0, 0), dtype), np.empty((0, 0), dtype)
        )
        self.params = Params(
            formula_for(beta), beta, 0.0, -1.0, floor, 0.0, columns, *widths, FRAMES, 1, False, True
        )
        tiles = FRAMES // layout.ROWS * depth, layout.ROWS
        self.workspace = Workspace(
            zeros((FRAMES, columns), dtype),
            zeros((FRAMES, columns) if weights.size else (0, 0), dtype),
            *zeros((3, FRAMES, widths[0]), dtype),
            zeros((FRAMES, depth), dtype),
            zeros(tiles, dtype),
            *zeros((2, FRAMES, depth), dtype),
        )
        frames = min(FRAMES, len(V) - first)
        data, last = Data(V, weights), first + frames
        self.block = block_at(data, H, first, last, self.params, self.workspace)
        if active is not None:
            self.block = self.block._replace(active=active)

    def arguments(self):
        return self.templates, self.params, self.block, self.workspace

    def for_H(self, code):
        parts = np.zeros((2, FRAMES, self.shape[0]), self.strips.dtype)
        code.gradient_parts_H(*self.arguments(), 0, *parts)
        return parts

    def for_W(self, code, begin=0):
        parts = np.full((2, *self.strips.shape), begin, self.strips.dtype)
        loss = code.gradient_parts_W(*self.arguments()[1:], 0, self.strips, *parts)
        return loss, *(layout.from_strips(part, self.shape) for part in parts)


def lanes_of(dtype):
    return layout.strip_widths(np.dtype(dtype))[1]


@pytest.fixture(params=[strips, strips_portable], ids=["tiles", "plain"])
def code(request):
    if request.param is strips and not backend.VECTORS:
        pytest.skip("tiles do not compile on this machine")
    return request.param


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("closeness", [1e-3, 0.3, 4.0])
@pytest.mark.parametrize("beta", BETAS)
def test_gradient_parts_and_divergence_equal_their_definitions(beta, closeness, dtype, code):
    if code is strips_portable and (dtype == np.float32 or beta in (-0.5, 0.5, 1.5, 3.0)):
        pytest.skip("plain loops, which take seconds to compile for each formula, have the same")
    # a wide strip and a narrow one, without a bin beyond V
    wide, narrow = layout.strip_widths(np.dtype(dtype))
    V, H, W, y = posed(dtype, closeness, wide + narrow)
    if beta > 0:
        V[::5, ::3] = 0
    one = OneBlock(V, H, W, beta)
    v, y = V.astype(float), y.astype(float)
    A, B = v * y ** (beta - 2), y ** (beta - 1)
    near = 120 * EPS[dtype]
    for part, exact in zip(one.for_H(code), (A, B), strict=True):
        np.testing.assert_allclose(part[:, :1], exact @ W.T.astype(float), rtol=near)
    loss, *parts = one.for_W(code, begin=1)
    for part, exact in zip(parts, (A, B), strict=True):
        np.testing.assert_allclose(part[:1], 1 + H.T.astype(float) @ exact, rtol=near)
    exact = float(beta_divergence(v, y, beta).sum())
    # To within rounding of V: the better the fit, the more of it that says.
    slack = EPS[dtype] * float((v + y).sum()) if beta else 0
    if code is strips_portable and beta == 1 + 2.0**-20:
        slack /= beta - 1  # it subtracts powers that are nearly the same
    assert loss == pytest.approx(exact, rel=1e-4 if dtype == np.float32 else 1e-9, abs=slack)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rank", [1, 8, 43, 70])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("beta", [0.0, 1.0, 2.0])
def test_products_equal_those_of_numpy(beta, weighted, rank, dtype, code):
    """Over all strips, in blocks within V, at its end and beyond."""
    rng = np.random.default_rng(rank)
    freq, frames = 3 * layout.strip_widths(np.dtype(dtype))[0] + 5, 2 * FRAMES + 7
    V, W = rng.random((frames, freq), dtype) + 1, rng.random((rank, freq), dtype)
    H = rng.random((frames, rank), dtype)
    weights = rng.random((frames, freq), dtype) if weighted else None
    for first in (0, FRAMES + 7, 2 * FRAMES):
        one = OneBlock(V, H, W, beta, weights, first=first)
        rows = slice(first, first + FRAMES)
        v, h, w = V[rows].astype(float), H[rows].astype(float), W.astype(float)
        m = 1.0 if weights is None else weights[rows].astype(float)
        y = h @ w
        A, B = m * v * y ** (beta - 2), m * y ** (beta - 1)
        near, count = 200 * EPS[dtype], len(v)
        if count < FRAMES and beta < 2:
            continue  # the model of frames beyond V is the floor, here 0
        for part, exact in zip(one.for_H(code), (A, B), strict=True):
            np.testing.assert_allclose(part[:count, :rank], exact @ w.T, rtol=near)
        loss, *parts = one.for_W(code)
        for part, exact in zip(parts, (A, B), strict=True):
            np.testing.assert_allclose(part[:rank, :freq], h.T @ exact, rtol=near)
            assert not part[rank:].any()
        assert loss == pytest.approx(float((m * beta_divergence(v, y, beta)).sum()), rel=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_for_the_euclidean_distance(dtype, code):
    rng = np.random.default_rng(0)
    freq = 2 * layout.strip_widths(np.dtype(dtype))[0] + 3
    for frames in (FRAMES, 20):
        V, W = rng.random((frames, freq), dtype), rng.random((11, freq), dtype)
        H = rng.random((frames, 11), dtype)
        one = OneBlock(V, H, W, 2.0)
        VWt = np.ones((FRAMES, one.shape[0]), dtype)
        code.gradient_part_H_euclidean(*one.arguments(), 0, VWt)
        np.testing.assert_allclose(VWt[:frames, :11], V @ W.T, rtol=100 * EPS[dtype])
        HtV = np.ones_like(one.strips)
        code.gradient_part_W_euclidean(*one.arguments()[1:], 0, HtV)
        out = layout.from_strips(HtV, one.shape)[:11, :freq]
        np.testing.assert_allclose(out, 1 + H.T @ V, rtol=100 * EPS[dtype])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_skipping_zero_components_changes_no_byte(dtype, code):
    rng = np.random.default_rng(0)
    V, W = rng.random((FRAMES, 90), dtype), rng.random((150, 90), dtype)
    H = rng.random((FRAMES, 150), dtype)
    H[:, np.r_[:3, 5:70, 71, 73:140]] = 0
    active = active_runs(H)
    assert active.tolist() == [[3, 5], [70, 71], [72, 73], [140, 150]]
    results = []
    for runs in (active, np.array([[0, 150]])):
        one = OneBlock(V, H, W, 0.0, active=runs)
        up, (loss, *neg) = one.for_H(code), one.for_W(code)
        results.append((up[:, :, :150] * (H > 0), loss, *neg))
    for part, everything in zip(*results, strict=True):
        np.testing.assert_array_equal(part, everything)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("beta", BETAS)
def test_padding_with_the_floor_costs_nothing(beta, dtype, code):
    floor = Beta(beta).model_floor(np.dtype(dtype))
    V = np.full((FRAMES, 2 * lanes_of(dtype)), floor, dtype)
    H, W = np.zeros((FRAMES, 1), dtype), np.zeros((1, V.shape[1]), dtype)
    loss, *_ = OneBlock(V, H, W, beta).for_W(code)
    assert abs(loss) < 1e-20


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("depth", "freq"), [(1, 1), (40, 70), (96, 1025)])
def test_strips_hold_all_of_a_matrix(depth, freq, dtype):
    W = np.random.default_rng(0).random((depth, freq)).astype(dtype)
    np.testing.assert_array_equal(layout.from_strips(layout.strips(W), W.shape), W)


def test_no_component_of_silence_is_active():
    assert active_runs(np.zeros((FRAMES, 5))).shape == (0, 2)


OTHERWISE = """
import platform, sys
platform.machine = lambda: sys.argv[2]
import numpy as np, nmfaudio as na
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.kernels import backend, machine
assert [backend.VECTORS, machine.REGISTER_BYTES] == eval(sys.argv[1])
for dtype in ("f4", "f8"):
    V = np.random.default_rng(0).random((70, 130)).astype(dtype)
    print(na.nmf(V, 5, max_iter=15, tol=0, rng=0).losses[-1])
"""


def losses(tmp_path, expected, processor="", **env):
    env = {**os.environ, **env, "NUMBA_CACHE_DIR": str(tmp_path)}
    call = [sys.executable, "-c", OTHERWISE, repr(expected), processor or platform.machine()]
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
    if not machine.HAS_FMA:
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
    values = losses(tmp_path, [False, machine.REGISTER_BYTES], NMFAUDIO_VECTORS="0")
    assert values == pytest.approx(ours(), rel=1e-4)


@pytest.mark.slow  # it compiles everything anew
@pytest.mark.skipif(not backend.VECTORS, reason="tiles do not compile on this machine")
@pytest.mark.parametrize(
    ("name", "features", "register", "processor"),
    [
        ("haswell", "+sse2,+avx,+avx2,+fma", 32, "x86_64"),
        ("generic", "+sse2,+avx,+fma", 16, "aarch64"),  # the tiles of 64-bit Arm
    ],
)
def test_shorter_registers_do_the_same(name, features, register, processor, tmp_path):
    if machine.REGISTER_BYTES < register or platform.machine() != "x86_64":
        pytest.skip("not a machine that has those registers")
    chosen = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
    values = losses(tmp_path, [True, register], processor, **chosen)
    assert values == pytest.approx(ours(), rel=1e-4)
