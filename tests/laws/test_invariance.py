"""Changes of the input that must not change the result, and inputs that must not change."""

import os
import subprocess
import sys

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.factorisation.initialisation import INITS, power_of_two

BETAS = [0, 0.5, 1, 1.5, 2]


def planted(dtype=np.float64, shape=(20, 70), rank=3, seed=0):
    rng = np.random.default_rng(seed)
    V = rng.random((shape[0], rank)) @ rng.random((rank, shape[1])) ** 3 + 0.01
    return V.astype(dtype)


def same(a, b):
    return all(x.tobytes() == y.tobytes() for x, y in zip(a.factors, b.factors, strict=True))


def both(V, **settings):
    """Plain and convolutive decompositions of V."""
    rng = np.random.default_rng(3)
    W, H = rng.random((4, len(V), 3)) + 0.1, (rng.random((3, V.shape[1])) + 0.1) * V.mean()
    beta = settings.pop("beta", 1)
    factors = [na.Factor(W), na.Factor(H)]
    yield na.nmf(V, 3, beta_loss=beta, rng=0, **settings)
    yield na.decompose(
        V,
        factors,
        structure=na.structures.Convolutive(),
        divergence=na.Beta(beta),
        rng=0,
        **settings,
    )


@pytest.mark.parametrize("beta", BETAS)
def test_weights_of_one_are_no_weights(beta):
    V = planted()
    for a, b in zip(both(V, beta=beta), both(V, beta=beta, weights=np.ones(V.shape)), strict=True):
        assert same(a, b)


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("value", [0.0, 7e5, np.nan, np.inf])
@pytest.mark.parametrize("beta", BETAS)
def test_bins_of_weight_zero_have_no_effect(beta, value, init):
    weights = np.random.default_rng(1).random((20, 70))
    weights[4:9, 10:30] = 0
    weights[:, 50] = 0
    V = planted()
    other = np.where(weights == 0, value, V)
    a = na.nmf(V, 3, beta_loss=beta, weights=weights, init=init, rng=0)
    b = na.nmf(other, 3, beta_loss=beta, weights=weights, init=init, rng=0)
    assert same(a, b)
    assert np.array_equal(a.losses, b.losses)


def test_missing_nan_and_masked_arrays_are_weight_zero():
    V = planted()
    weights = np.ones(V.shape)
    weights[3:5, 8:20] = 0
    holes = np.where(weights == 0, np.nan, V)
    a = na.nmf(V, 3, weights=weights, rng=0)
    assert same(a, na.nmf(holes, 3, missing="nan", rng=0))
    assert same(a, na.nmf(np.ma.masked_invalid(holes), 3, rng=0))


def test_missing_entries_are_filled_in():
    V = planted(rank=2)
    weights = np.random.default_rng(0).random(V.shape) < 0.8
    d = na.nmf(np.where(weights, V, 0), 3, weights=weights, max_iter=3000, tol=0, rng=0)
    assert abs(d.model() - V)[~weights].max() < 0.05 * V.max()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("factor", [1e-30, 1e30])
@pytest.mark.parametrize("beta", BETAS)
def test_scale_changes_nothing_but_scale(beta, factor, dtype):
    V = planted(dtype)
    rtol = 1e-3 if dtype == np.float32 else 1e-9
    a, b = (both(data, beta=beta, max_iter=15, tol=0) for data in (V, V * dtype(factor)))
    for small, scaled in zip(a, b, strict=True):
        np.testing.assert_allclose(scaled.model() / dtype(factor), small.model(), rtol=rtol)
        assert np.isfinite(scaled.losses).all()


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("power", [-60, -3, 4, 60])
def test_a_power_of_two_changes_no_bit(power, init):
    V = planted(np.float32)
    gain = np.float32(2.0**power)
    # No more iterations: the floor that keeps entries from denormal numbers is an absolute one.
    a, b = (na.nmf(data, 3, init=init, rng=0, max_iter=40, tol=0) for data in (V, V * gain))
    assert a.W.tobytes() == b.W.tobytes()
    assert (a.H * gain).tobytes() == b.H.tobytes()


@pytest.mark.parametrize("gain", [1e-170, 1e170])
@pytest.mark.parametrize("beta", BETAS)
def test_no_scale_of_doubles_is_too_far(gain, beta):
    V = planted()
    d = na.nmf(V * gain, 3, beta_loss=beta, init="nndsvdar", rng=0)
    plain = na.nmf(V, 3, beta_loss=beta, init="nndsvdar", rng=0, max_iter=d.n_iter, tol=0)
    np.testing.assert_allclose(d.model() / gain, plain.model(), rtol=1e-6)


@pytest.mark.parametrize("gain", [1e-3, 1e-2, 1.0])
def test_quiet_powers_have_the_objective_that_is_reported(gain):
    V = planted(np.float32) * np.float32(gain)
    V[3], V[:, 5] = 0, 0
    d = na.nmf(V, 3, beta_loss="is", rng=0, max_iter=300, tol=0)
    scale = np.float32(power_of_two(V.mean()))
    V, Y = (X.astype(float) for X in (na.Beta(0).prepare(V / scale, None) * scale, d.model()))
    assert d.losses[-1] == pytest.approx(na.Beta(0).value(V, Y, None), rel=1e-3)


def test_fixed_factors_are_exact_whatever_made_them():
    V = planted(np.float32) * np.float32(1e-6)
    H = np.random.default_rng(0).random((3, 70)).astype("f4")
    factors = [na.Factor(np.ones((20, 3))), na.Factor(lambda V, weights, rng: H, free=False)]
    assert na.decompose(V, factors).H.tobytes() == H.tobytes()
    # At V's scale the first row would be denormal numbers, which have lost digits.
    H_far = H * np.array([[1e-9], [1e30], [1e30]], np.float32)
    rows = np.array([[False], [True], [True]])
    far = na.nmf(V * np.float32(1e36), W=np.ones((20, 3)), H=H_far, update_W=False, update_H=rows)
    assert far.H[0].tobytes() == H_far[0].tobytes()
    with pytest.raises(na.ParameterError, match="too far from V's mean"):
        na.nmf(V * np.float32(1e36), W=np.ones((20, 3)), H=H * 1e-20, update_H=False)


@pytest.mark.parametrize("beta", BETAS)
def test_permuted_components_give_permuted_factors(beta):
    V = planted()
    rng = np.random.default_rng(5)
    W, H, order = rng.random((20, 3)) + 0.1, rng.random((3, 70)) + 0.1, [2, 0, 1]
    a = na.nmf(V, beta_loss=beta, W=W, H=H, max_iter=40, tol=0, solver="mu")
    b = na.nmf(V, beta_loss=beta, W=W[:, order], H=H[order], max_iter=40, tol=0, solver="mu")
    np.testing.assert_allclose(a.W[:, order], b.W, rtol=1e-9)
    np.testing.assert_allclose(a.H[order], b.H, rtol=1e-9)


@pytest.mark.parametrize("beta", BETAS)
def test_fixed_columns_and_supports_are_exact_to_the_bit(beta):
    V = planted(np.float32) * np.float32(1e-9)  # far enough from 1 to be scaled inside
    rng = np.random.default_rng(6)
    W, H = rng.random((20, 4)).astype("f4"), rng.random((4, 70)).astype("f4") * np.float32(1e-9)
    support = rng.random(H.shape) < 0.5
    columns = np.array([True, False, True, False])
    d = na.decompose(
        V, [na.Factor(W, columns), na.Factor(H * support)], divergence=na.Beta(beta), max_iter=20
    )
    assert d.W[:, ~columns].tobytes() == W[:, ~columns].tobytes()
    assert (d.W[:, columns] != W[:, columns]).any()
    assert ((d.H > 0) == support).all()
    d = na.nmf(V, W=W, H=H, update_H=support, beta_loss=beta, max_iter=5)
    assert d.H[~support].tobytes() == H[~support].tobytes()


@pytest.mark.parametrize("beta", [0, -1])
def test_exact_zeros_are_fine_for_beta_up_to_zero(beta):
    V = planted()
    V[5] = 0
    V[:, 9] = 0
    d = na.nmf(V, 3, beta_loss=beta, rng=0, max_iter=50, tol=0)
    assert np.isfinite(d.W).all()
    assert d.losses[-1] < d.losses[0]


@pytest.mark.parametrize("beta", BETAS)
def test_silence_gives_a_silent_model(beta):
    for d in both(np.zeros((6, 30)), beta=beta):
        assert d.model().max() < 1e-3
        assert np.isfinite(d.losses).all()


def test_the_callers_arrays_are_untouched():
    V, weights = planted(np.float32) * 100, np.full((20, 70), 0.5, np.float32)
    rng = np.random.default_rng(0)
    W, H = rng.random((20, 3)).astype("f4"), rng.random((3, 70)).astype("f4")
    arrays = [V, weights, W, H]
    kept = [a.copy() for a in arrays]
    for a in arrays:
        a.flags.writeable = False
    na.nmf(V, W=W, H=H, weights=weights, max_iter=5)
    na.nmf(V, W=W, H=H, beta_loss=0, max_iter=5)
    d = na.decompose(V, [na.Factor(W, free=False), na.Factor(H, free=False)])
    assert not np.shares_memory(d.W, W)
    for a, b in zip(arrays, kept, strict=True):
        assert np.array_equal(a, b)


def test_restarts_keep_the_best_and_callbacks_stop():
    V = planted(rank=5)
    seen = []
    best = na.nmf(V, 4, n_init=5, rng=0, callback=seen.append)
    finals = {p.start_index: p.loss for p in seen}
    assert len(finals) == 5
    assert best.losses[-1] == min(finals.values())
    stopped = na.nmf(V, 4, rng=0, max_iter=100, tol=0, callback=lambda p: p.iteration >= 20)
    assert stopped.n_iter == 20
    assert not stopped.converged


HASHES = """
import hashlib, numpy as np, nmfaudio as na
from nmfaudio.kernels.threads import set_threads
set_threads({threads})
rng = np.random.default_rng(0)
V = rng.random((300, 1500)).astype("f4")
out = []
for beta in (0.5, 1, 1.3):
    out += na.nmf(V, 6, beta_loss=beta, max_iter=3, rng=1).factors
out += na.nmf(V, 40, init="nndsvdar", max_iter=2, rng=1).factors
out += na.nmf(V, 6, weights=V, max_iter=3, rng=1).factors
out += na.nmf(V, 40, init="spa", weights=V > 0.1, max_iter=2, rng=1).factors
out += na.nmf(V, 4, n_init=3, max_iter=2, rng=1).factors
W, H = rng.random((5, 300, 6)), rng.random((6, 1500))
out += na.decompose(V, [na.Factor(W), na.Factor(H, penalties=(na.penalties.Smooth(0.1),))],
                    structure=na.structures.Convolutive(), max_iter=3).factors
print(hashlib.sha256(b"".join(a.tobytes() for a in out)).hexdigest())
"""


def test_same_bytes_for_any_number_of_threads_and_processes():
    digests = [
        subprocess.run(
            [sys.executable, "-c", HASHES.format(threads=n)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": str(n)},
        ).stdout
        for n in (1, 2, 3)
    ]
    assert len(digests[0]) == 65
    assert len(set(digests)) == 1
