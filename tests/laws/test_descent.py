"""The objective never rises, whatever is composed."""

import itertools

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.start import power_of_two, weighted_mean

FREQ, TIME, RANK, LAGS = 13, 22, 3, 4
BETAS = [-0.5, 0, 0.5, 1, 1.3, 1.5, 2, 3]
PENALTIES = {
    "none": ((), ()),
    "l1": ((), (na.L1(0.3),)),
    "l2": ((na.L2(0.2),), (na.L2(0.4),)),
    "smooth": ((), (na.Smooth(2.0),)),
    "all": ((na.L1(0.05), na.L2(0.1)), (na.L1(0.1), na.L2(0.2), na.Smooth(0.5))),
}


def starts(structure, rng):
    if isinstance(structure, na.Convolutive):
        return [rng.random((LAGS, FREQ, RANK)) + 0.1, rng.random((RANK, TIME)) + 0.1]
    if structure == "deep":
        return [rng.random(s) + 0.1 for s in ((FREQ, 5), (5, RANK), (RANK, TIME))]
    return [rng.random((FREQ, RANK)) + 0.1, rng.random((RANK, TIME)) + 0.1]


def assert_never_rises(losses, dtype):
    slack = 1e-12 if dtype == np.float64 else 2e-6
    assert np.isfinite(losses).all()
    assert (np.diff(losses) <= slack * abs(losses[:-1])).all(), np.diff(losses).max()
    assert losses[-1] < losses[0]


def raised(V, weights, divergence):
    """V with the floor that β ≤ 0 needs, which is one relative to its mean."""
    scale = V.dtype.type(power_of_two(weighted_mean(V, weights)))
    return divergence.prepare(V / scale, weights) * scale


def objective(V, weights, d, factors):
    """What a decomposition costs, worked out anew from what was returned."""
    V, Y = (X.astype(float) for X in (raised(V, weights, d.divergence), d.model()))
    fit = d.divergence.value(V, Y, weights)
    return fit + sum(
        p.value(F, d.factors) for F, f in zip(d.factors, factors, strict=True) for p in f.penalties
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("structure", [na.Product(), na.Convolutive(), "deep"], ids=str)
@pytest.mark.parametrize("beta", BETAS)
def test_objective_never_rises(beta, structure, weighted, dtype):
    rng = np.random.default_rng(BETAS.index(beta))
    V = (rng.random((FREQ, TIME)) ** 3).astype(dtype)
    V[2, 3:6] = 0
    weights = (rng.integers(0, 3, V.shape) * rng.random(V.shape)).astype(dtype)
    weights = weights if weighted else None
    for (first, last), fixed in itertools.product(PENALTIES.values(), (False, True)):
        X = starts(structure, rng)
        columns = np.array([True, False, True]) if fixed and len(X) == 2 else True
        gate = rng.random(X[-1].shape) < 0.7 if fixed else True
        factors = [
            na.Factor(X[0], columns, first),
            *(na.Factor(F) for F in X[1:-1]),
            na.Factor(X[-1], gate, last),
        ]
        d = na.decompose(
            V,
            factors,
            structure=na.Product() if structure == "deep" else structure,
            divergence=na.Beta(beta),
            weights=weights,
            max_iter=25,
            tol=0,
            check_every=1,
        )
        assert_never_rises(d.losses, dtype)
        assert d.W.dtype == d.H.dtype == dtype
        assert d.losses[-1] == pytest.approx(objective(V, weights, d, factors), rel=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-9, 1e9])
@pytest.mark.parametrize("structure", [na.Product(), na.Convolutive()], ids=str)
@pytest.mark.parametrize("beta", [0, 0.5, 1, 1.3, 2])
def test_penalties_mean_the_callers_scale(beta, structure, scale, dtype):
    rng = np.random.default_rng(3)
    V = ((rng.random((FREQ, TIME)) + 0.05) * scale).astype(dtype)
    W, H = starts(structure, rng)
    cost = scale**beta  # of the divergence, so that penalties weigh as much
    penalties = (na.L1(0.1 * cost / scale), na.L2(0.1 * cost / scale**2))
    penalties += (na.Smooth(0.2 * cost / scale**2),)
    for unit in (None, "l2"):
        factors = [na.Factor(W, unit=unit), na.Factor(H * scale, True, penalties)]
        d = na.decompose(
            V,
            factors,
            structure=structure,
            divergence=na.Beta(beta),
            max_iter=20,
            tol=0,
            check_every=1,
        )
        assert_never_rises(d.losses, dtype)
        assert d.losses[-1] == pytest.approx(objective(V, None, d, factors), rel=1e-4)


def test_the_last_factor_can_have_unit_norm_at_any_scale():
    rng = np.random.default_rng(3)
    V = (rng.random((FREQ, TIME)) + 0.05) * 1e-10
    W, H = starts(na.Product(), rng)
    d = na.decompose(V, [na.Factor(W, True, (na.L1(1e-3),)), na.Factor(H * 1e-10, unit="l1")])
    np.testing.assert_allclose(d.H.sum(1), 1)
    assert d.losses[-1] == pytest.approx(
        na.Beta(1).value(V, d.model(), None) + na.L1(1e-3).value(d.W, d.factors)
    )


@pytest.mark.parametrize("size", [1e-25, 1e25])
def test_templates_of_any_size_do(size):
    rng = np.random.default_rng(0)
    V = (rng.random((FREQ, TIME)) + 0.05).astype("f4")
    d = na.nmf(V, W=rng.random((FREQ, 3)) * size, update_W=False, tol=0, check_every=1, rng=0)
    assert_never_rises(d.losses, np.float32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("penalty", [na.L1(0.3), na.L2(0.3), na.Smooth(0.5)], ids=str)
@pytest.mark.parametrize("unit", ["l1", "l2"])
@pytest.mark.parametrize("beta", BETAS)
def test_unit_norm_keeps_the_objective_and_the_norm(beta, unit, penalty, dtype):
    rng = np.random.default_rng(5)
    V = (rng.random((FREQ, TIME)) + 0.1).astype(dtype)
    for structure in (na.Product(), na.Convolutive()):
        W, H = starts(structure, rng)
        d = na.decompose(
            V,
            [na.Factor(W, unit=unit), na.Factor(H, True, (penalty,))],
            structure=structure,
            divergence=na.Beta(beta),
            max_iter=25,
            tol=0,
            check_every=1,
        )
        assert_never_rises(d.losses, dtype)
        columns = d.W.reshape(-1, RANK).astype(float)
        norms = columns.sum(0) if unit == "l1" else np.sqrt((columns**2).sum(0))
        np.testing.assert_allclose(norms, 1, rtol=1e-5)
        final = na.Beta(beta).value(V, d.model(), None) + penalty.value(d.H, d.factors)
        assert final == pytest.approx(d.losses[-1], rel=1e-5)


def test_l1_under_a_unit_norm_sparsifies():
    rng = np.random.default_rng(0)
    V = rng.random((30, 4)) @ (rng.random((4, 60)) * (rng.random((4, 60)) < 0.4)) + 0.01
    shares = []
    for weight in (0.0, 0.5, 2.0):
        start = [rng.random((30, 8)) + 0.1, rng.random((8, 60)) + 0.1]
        d = na.decompose(
            V,
            [na.Factor(start[0], unit="l2"), na.Factor(start[1], True, (na.L1(weight),))],
            max_iter=500,
            tol=0,
        )
        shares.append((d.H < 1e-6 * d.H.max()).mean())
    assert shares[0] < shares[1] < shares[2]
