"""Automatic relevance determination: a cost shared by two factors."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nmfaudio as na

FREQ, TIME, RANK, LAGS = 13, 22, 4, 3


def whole(ard, factors):
    """The cost as the paper writes it, component by component."""
    W, H = factors
    total = 0.0
    for k in range(len(H)):
        parts = [W[..., k], H[k]]
        if ard.norm == "l1":
            f, c = sum(p.sum() for p in parts), sum(p.size for p in parts)
        else:
            f, c = sum((p**2).sum() / 2 for p in parts), sum(p.size for p in parts) / 2
        total += ard.dispersion * (c + ard.shape + 1) * np.log(f + ard.scale)
    return total


def factors_for(rng, lags):
    W = rng.random((lags, FREQ, RANK) if lags else (FREQ, RANK)) + 0.1
    return [W, rng.random((RANK, TIME)) + 0.1]


@pytest.mark.parametrize("lags", [0, LAGS])
@pytest.mark.parametrize("norm", ["l1", "l2"])
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 100), st.floats(0.1, 10))
def test_shares_sum_to_the_cost_and_the_majoriser_bounds_it(norm, lags, seed, scale, dispersion):
    rng = np.random.default_rng(seed)
    ard = na.penalties.ARD(scale, 5.0, dispersion, norm)
    X = factors_for(rng, lags)
    assert sum(ard.value(F, X) for F in X) == pytest.approx(whole(ard, X))
    for i in (0, 1):
        terms = ard.majorize(X[i], X)

        def bound(F, terms=terms):
            return np.sum(terms.linear * F + terms.quadratic / 2 * F**2)

        other = list(X)
        other[i] = rng.random(X[i].shape) * 5
        slack = 1e-9 * abs(whole(ard, X))
        gap = bound(other[i]) - bound(X[i])
        assert whole(ard, other) <= whole(ard, X) + gap + slack


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "structure", [na.structures.Product(), na.structures.Convolutive()], ids=str
)
@pytest.mark.parametrize("beta", [-0.5, 0, 0.5, 1, 1.5, 2, 3])
def test_the_objective_never_rises(beta, structure, dtype):
    rng = np.random.default_rng(0)
    V = (rng.random((FREQ, TIME)) + 0.05).astype(dtype)
    slack = 1e-12 if dtype == np.float64 else 2e-6
    for norm, scale, solver in itertools.product(("l1", "l2"), (1.0, 1e6), ("mu", "auto")):
        ard = na.penalties.ARD.matching(V * scale, RANK, dispersion=0.05 * scale**beta, norm=norm)
        W, H = factors_for(rng, 0 if structure == na.structures.Product() else LAGS)
        d = na.decompose(
            (V * scale).astype(dtype),
            [na.Factor(W, penalties=(ard,)), na.Factor(H * scale, penalties=(ard,))],
            structure=structure,
            divergence=na.Beta(beta),
            solver=solver,
            max_iter=20,
            tol=0,
            check_every=1,
        )
        assert (np.diff(d.losses) <= slack * abs(d.losses[:-1])).all()
        assert d.losses[-1] < d.losses[0]
        exact = [F.astype(np.float64) for F in d.factors]
        prepared = d.divergence.prepare(V, None) * scale
        fit = d.divergence.value(np.asfortranarray(prepared, float), d.model().astype(float), None)
        assert d.losses[-1] == pytest.approx(fit + whole(ard, exact), rel=1e-4)


def test_excess_is_0_for_vanished_components():
    W, H = factors_for(np.random.default_rng(0), 0)
    W[:, 1], H[1] = 0, 0
    excess = na.penalties.ARD(2.0, norm="l1").excess([W, H])
    assert excess[1] == 0
    assert excess[0] == pytest.approx((W[:, 0].sum() + H[0].sum()) / 2)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_a_matching_prior_has_the_mean_of_V(norm):
    """Models drawn from the prior have V's mean."""
    rng = np.random.default_rng(0)
    ard = na.penalties.ARD.matching(7.0, 4, shape=20.0, norm=norm)
    relevance = ard.scale / rng.gamma(ard.shape, 1.0, (4, 200_000))  # inverse gamma
    draw = rng.exponential if norm == "l1" else lambda s: abs(rng.normal(0, np.sqrt(s)))
    model = (draw(relevance) * draw(relevance)).sum(0)
    assert model.mean() == pytest.approx(7.0, rel=0.03)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"scale": 0.0}, "scale of ARD"),
        ({"scale": 1.0, "shape": -1.0}, "shape of ARD"),
        ({"scale": 1.0, "dispersion": 0.0}, "dispersion of ARD"),
        ({"scale": 1.0, "norm": "l3"}, "norm of ARD"),
    ],
)
def test_invalid_parameters_raise(arguments, match):
    with pytest.raises(na.ParameterError, match=match):
        na.penalties.ARD(**arguments)
    with pytest.raises(na.ParameterError, match="mean of V"):
        na.penalties.ARD.matching(np.zeros((3, 4)), 2)
    with pytest.raises(na.ParameterError, match="n_components"):
        na.penalties.ARD.matching(1.0, 0)


@pytest.mark.parametrize(("norm", "bound"), [("l1", 2.0), ("l2", 1.0)])
def test_the_shape_of_a_matching_prior_has_a_bound(norm, bound):
    assert na.penalties.ARD.matching(1.0, 1, shape=1.01 * bound, norm=norm).scale > 0
    with pytest.raises(na.ParameterError, match="shape of ARD"):
        na.penalties.ARD.matching(1.0, 1, shape=bound, norm=norm)


def test_the_defaults_are_those_that_are_documented():
    ard = na.penalties.ARD(0.5)
    assert ard == na.penalties.ARD(0.5, shape=5.0, dispersion=1.0, norm="l1")
    assert na.penalties.ARD.matching(20.0, 1).scale == pytest.approx(np.sqrt(4 * 3 * 20))
    assert na.penalties.ARD.matching(20.0, 1).dispersion == 1


def test_it_belongs_to_both_factors_and_knows_where_shifts_are():
    rng = np.random.default_rng(0)
    V, ard = rng.random((8, 3)) @ rng.random((3, 12)), na.penalties.ARD(0.5)
    W, H = na.Factor(rng.random((8, 3)), free=False), na.Factor(rng.random((3, 12)), True, (ard,))
    with pytest.raises(na.ParameterError, match="both of them"):
        na.decompose(V, [W, H])
    for rank in (2, 3):
        factors = [na.Factor(rng.random(s), True, (ard,)) for s in ((2, 8, rank), (3, rank, 12))]
        d = na.decompose(
            V, factors, structure=na.structures.Convolutive2D(), max_iter=20, check_every=1, tol=0
        )
        assert (np.diff(d.losses) <= 1e-12 * abs(d.losses[0])).all()
