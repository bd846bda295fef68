"""Tempering: one β after another, each from where the last one ended."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.errors import ParameterError


def problem(dtype=np.float64):
    rng = np.random.default_rng(0)
    V = (rng.random((15, 4)) @ rng.random((4, 26)) ** 3 + 0.01).astype(dtype)
    return V, [rng.random((15, 3)) + 0.1, rng.random((3, 26)) + 0.1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["mu", "bmme"])
def test_it_is_the_decompositions_one_after_another(solver, dtype):
    V, X = problem(dtype)
    settings = {"solver": solver, "max_iter": 15, "tol": 0}
    d = na.recipes.temper(V, [na.Factor(F) for F in X], betas=[2, 1, 0], **settings)
    for stage, beta in zip(d.metadata["tempering"], (2, 1, 0), strict=True):
        by_hand = na.decompose(V, [na.Factor(F) for F in X], divergence=na.Beta(beta), **settings)
        X = by_hand.factors
        assert stage["beta"] == beta
        assert stage["losses"] == list(by_hand.losses)
        assert stage["checks"] == list(by_hand.checks)
        assert (np.diff(stage["losses"]) <= 2e-6 * np.abs(stage["losses"][:-1])).all()
    for F, G in zip(d.factors, X, strict=True):
        np.testing.assert_array_equal(F, G)
        assert F.dtype == dtype
    assert d.divergence == na.Beta(0)
    np.testing.assert_array_equal(d.losses, by_hand.losses)


def test_what_is_fixed_stays_and_penalties_and_structures_go_along():
    V, (W, H) = problem()
    lagged = np.repeat(W[None], 2, axis=0)
    gate = np.random.default_rng(1).random(H.shape) < 0.7
    d = na.recipes.temper(
        V,
        [
            na.Factor(lagged, np.array([True, False, True])),
            na.Factor(H * gate, gate, (na.penalties.L1(0.1),)),
        ],
        structure=na.structures.Convolutive(),
        max_iter=10,
    )
    np.testing.assert_array_equal(d.W[..., 1], lagged[..., 1])
    assert (d.H[~gate] == 0).all()
    assert not np.array_equal(d.W[..., 0], lagged[..., 0])


def test_random_starts_are_drawn_once_and_by_seed():
    V, _ = problem()
    calls = []

    def start(V, weights, rng):
        calls.append(1)
        return rng.random((15, 3)) + 0.1

    _, (_, H) = problem()
    runs = [
        na.recipes.temper(V, [na.Factor(start), na.Factor(H)], max_iter=5, rng=s) for s in (0, 0, 1)
    ]
    assert len(calls) == 3
    np.testing.assert_array_equal(runs[0].W, runs[1].W)
    assert not np.array_equal(runs[0].W, runs[2].W)


def test_a_tempered_model_can_be_saved(tmp_path):
    V, X = problem()
    d = na.recipes.temper(V, [na.Factor(F) for F in X], max_iter=5)
    d.save(tmp_path / "model.npz")
    again = na.Decomposition.load(tmp_path / "model.npz")
    assert again.metadata == d.metadata
    np.testing.assert_array_equal(again.W, d.W)


@pytest.mark.parametrize(("betas", "message"), [((), "betas is empty"), (("kl",), "beta must be")])
def test_betas_that_are_none_are_refused(betas, message):
    V, X = problem()
    with pytest.raises(ParameterError, match=message):
        na.recipes.temper(V, [na.Factor(F) for F in X], betas=betas)
