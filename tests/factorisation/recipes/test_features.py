"""Learned weights of frequencies: noise loses its say, and the objective never rises."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.errors import ParameterError, ShapeError

BETAS = ["kl", "is", "frobenius", 0.5, 3]


def planted(seed, dtype=np.float64):
    """(V, its true templates, which frequencies are noise)."""
    rng = np.random.default_rng(seed)
    W, H = rng.random((30, 3)) ** 2 + 0.01, rng.random((3, 80)) ** 2 + 0.01
    V = W @ H + 1e-3
    noisy = np.zeros(30, bool)
    noisy[rng.choice(30, 6, replace=False)] = True
    V[noisy] = 3 * rng.random((6, 80))
    return V.astype(dtype), W, noisy


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("beta", BETAS)
def test_the_total_objective_never_rises(beta, weighted, dtype):
    V, _, _ = planted(0, dtype)
    V[3] = 0
    weights = np.random.default_rng(1).random(V.shape).astype(dtype) if weighted else None
    for exponent in (1.2, 2, 5):
        found = na.recipes.feature_weighted_nmf(
            V,
            3,
            exponent=exponent,
            beta_loss=beta,
            weights=weights,
            max_iter=60,
            tol=0,
            check_every=3,
            rng=0,
        )
        d = found.decomposition
        slack = 1e-10 if dtype == np.float64 else 1e-5
        assert (np.diff(d.losses) <= slack * d.losses[:-1]).all()
        assert list(d.checks) == list(range(0, 61, 3))
        assert d.W.dtype == d.H.dtype == dtype
        assert found.feature_weights.mean() == pytest.approx(1)


def test_the_objective_is_the_one_in_the_docstring():
    V, _, _ = planted(0)
    runs = [
        na.recipes.feature_weighted_nmf(
            V, 3, beta_loss="kl", max_iter=n, tol=0, check_every=5, floor=0.2, rng=0
        )
        for n in (5, 40)
    ]

    def costs(found):
        Y = found.decomposition.model()
        return np.array([na.Beta(1).value(V[[f]], Y[[f]], None) for f in range(len(V))])

    epsilon = 0.2 * costs(runs[0]).mean()
    for found in runs:
        total = found.feature_weights**2 * (costs(found) + epsilon)
        assert found.decomposition.losses[-1] == pytest.approx(total.sum())
        best = 1 / (costs(found) + epsilon)  # p = 2
        np.testing.assert_allclose(found.feature_weights, best / best.mean())


@pytest.mark.parametrize("beta", ["kl", "is", "frobenius"])
@pytest.mark.parametrize("seed", range(3))
def test_noise_loses_its_say_and_what_is_left_is_found_better(seed, beta):
    V, W, noisy = planted(seed)

    def distance(d):
        basis = np.linalg.qr(d.W[~noisy])[0]
        return np.linalg.norm(W[~noisy] - basis @ (basis.T @ W[~noisy]))

    plain = na.nmf(V, 3, beta_loss=beta, max_iter=300, tol=0, rng=seed)
    found = na.recipes.feature_weighted_nmf(V, 3, beta_loss=beta, max_iter=300, tol=0, rng=seed)
    assert found.feature_weights[noisy].max() < found.feature_weights[~noisy].min() / 5
    assert distance(found.decomposition) < distance(plain) / 2


def test_a_larger_exponent_makes_weights_more_equal():
    V, _, _ = planted(0)
    spread = [
        na.recipes.feature_weighted_nmf(V, 3, exponent=p, rng=0).feature_weights.std()
        for p in (1.5, 2, 8)
    ]
    assert spread[0] > spread[1] > spread[2]


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_scale_of_V_changes_no_weight(beta, dtype):
    V, _, _ = planted(0, dtype)
    runs = [
        na.recipes.feature_weighted_nmf(V * dtype(scale), 3, beta_loss=beta, max_iter=30, rng=0)
        for scale in (2.0**-24, 1, 2.0**24)
    ]
    for other in (runs[0], runs[2]):
        np.testing.assert_allclose(other.feature_weights, runs[1].feature_weights, rtol=1e-2)


def test_frequencies_without_a_say_have_no_influence():
    V, _, _ = planted(0)
    weights = np.ones((30, 1))
    weights[4] = 0
    runs = []
    for filling in (np.nan, 9.0):
        filled = V.copy()
        filled[4] = filling
        runs.append(na.recipes.feature_weighted_nmf(filled, 3, weights=weights, max_iter=30, rng=0))
    np.testing.assert_array_equal(runs[0].feature_weights, runs[1].feature_weights)
    assert runs[0].feature_weights[4] == 0
    assert runs[0].feature_weights.sum() == pytest.approx(29)


def test_a_perfect_fit_makes_all_equal():
    found = na.recipes.feature_weighted_nmf(np.zeros((5, 8)), 2, max_iter=20, rng=0)
    np.testing.assert_allclose(found.feature_weights, 1)


def test_the_same_seed_gives_the_same_bytes():
    V, _, _ = planted(0, np.float32)
    first, second = (na.recipes.feature_weighted_nmf(V, 3, rng=1, max_iter=30) for _ in range(2))
    np.testing.assert_array_equal(first.feature_weights, second.feature_weights)
    np.testing.assert_array_equal(first.decomposition.W, second.decomposition.W)


def test_it_stops_when_little_changes():
    V, _, _ = planted(0)
    found = na.recipes.feature_weighted_nmf(V, 3, max_iter=5000, tol=1e-3, rng=0).decomposition
    assert found.converged
    assert found.n_iter < 5000
    assert not na.recipes.feature_weighted_nmf(V, 3, max_iter=0, rng=0).decomposition.converged


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("solver", ["auto", "mu"])
def test_one_weight_per_frequency_is_the_full_array(beta, solver):
    rng = np.random.default_rng(0)
    V, column = rng.random((13, 17)) + 0.1, rng.random((13, 1))
    runs = [
        na.nmf(V, 3, beta_loss=beta, solver=solver, weights=w, max_iter=20, rng=0)
        for w in (column, np.repeat(column, 17, axis=1))
    ]
    np.testing.assert_array_equal(runs[0].W, runs[1].W)
    np.testing.assert_array_equal(runs[0].H, runs[1].H)
    np.testing.assert_array_equal(runs[0].losses, runs[1].losses)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"exponent": 1}, "exponent must be a finite number above 1"),
        ({"floor": 0}, "floor must be a finite number above 0"),
        ({"tol": -1}, "tol"),
        ({"max_iter": -1}, "max_iter"),
        ({"check_every": 0}, "check_every"),
    ],
)
def test_settings_out_of_range_are_refused(setting, message):
    with pytest.raises(ParameterError, match=message):
        na.recipes.feature_weighted_nmf(np.ones((4, 5)), 2, **setting)


def test_only_matrices_have_features():
    with pytest.raises(ShapeError, match="feature_weighted_nmf needs"):
        na.recipes.feature_weighted_nmf(np.ones((2, 6, 9)), 3)
