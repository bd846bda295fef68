"""The objective never rises, for any structure, divergence and penalty."""

import numpy as np
import pytest
from laws.catalogue import FREQ, PENALTIES, RANK, STRUCTURES, TIME, InverseGamma, positive

import nmfaudio as na
from nmfaudio.factorisation.initialisation import power_of_two, weighted_mean

BETAS = [-0.5, 0, 0.5, 1, 1.3, 1.5, 2, 3]


def assert_never_rises(losses, dtype, what=""):
    slack = 1e-12 if dtype == np.float64 else 2e-6
    assert np.isfinite(losses).all(), what
    assert (np.diff(losses) <= slack * abs(losses[:-1])).all(), (what, np.diff(losses).max())
    assert losses[-1] < losses[0], what


def raised(V, weights, divergence):
    """V with the floor that β ≤ 0 needs, which is one relative to its mean."""
    V = V if weights is None else np.where(weights > 0, V, 0)
    scale = V.dtype.type(power_of_two(weighted_mean(V, weights)))
    return divergence.prepare(V / scale, weights) * scale


def objective(V, weights, d, factors):
    """Objective of a decomposition, recomputed from its factors."""
    V, Y = (X.astype(float) for X in (raised(V, weights, d.divergence), d.model()))
    fit = d.divergence.value(V, Y, weights)
    return fit + sum(
        p.value(F, d.factors) for F, f in zip(d.factors, factors, strict=True) for p in f.penalties
    )


def penalty_sets(rng, first, last):
    """Penalties of the first and of the last factor, from their shapes."""
    yield "none", (), ()
    for name, make in PENALTIES.items():
        yield name, (), (make(rng, last),)
    yield (
        "first",
        (na.penalties.L2(0.2), PENALTIES["prior"](rng, first), na.penalties.Log(0.1, 0.1)),
        (),
    )
    names = ("l1", "l2", "smooth", "smooth ratio", "decorrelated", "inverse gamma")
    yield (
        "many",
        (na.penalties.L1(0.05), na.penalties.L2(0.1)),
        tuple(PENALTIES[p](rng, last) for p in names),
    )


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("beta", BETAS)
def test_objective_never_rises(beta, structure):
    begin = BETAS.index(beta)
    rng = np.random.default_rng(begin)
    structure, X = STRUCTURES[structure](rng)
    sets = penalty_sets(rng, X[0].shape, X[-1].shape)
    # Over all β, each penalty meets each type, with fixed entries and without, with weights too.
    for number, (name, first, last) in enumerate(sets, begin):
        dtype, fixed = (np.float32, np.float64)[number % 2], number // 2 % 2
        V = (rng.random(structure.shape(X)) ** 3).astype(dtype)
        V[..., 2, 3:6] = 0
        weights = (rng.integers(0, 3, V.shape) * rng.random(V.shape)).astype(dtype)
        weights = weights if number // 4 % 2 else None
        free = [rng.random(F.shape) < 0.7 if fixed else True for F in (X[0], X[-1])]
        factors = [
            na.Factor(X[0], free[0], first),
            *(na.Factor(F) for F in X[1:-1]),
            na.Factor(X[-1], free[1], last),
        ]
        d = na.decompose(
            V,
            factors,
            structure=structure,
            divergence=na.Beta(beta),
            weights=weights,
            max_iter=15,
            tol=0,
            check_every=1,
        )
        assert_never_rises(d.losses, dtype, name)
        assert all(F.dtype == dtype for F in d.factors)
        assert d.losses[-1] == pytest.approx(objective(V, weights, d, factors), rel=1e-4), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-9, 1e9])
@pytest.mark.parametrize("structure", ["product", "convolutive"])
@pytest.mark.parametrize("beta", [0, 0.5, 1, 1.3, 2])
def test_penalties_mean_the_callers_scale(beta, structure, scale, dtype):
    rng = np.random.default_rng(3)
    V = ((rng.random((FREQ, TIME)) + 0.05) * scale).astype(dtype)
    structure, (W, H) = STRUCTURES[structure](rng)
    cost = scale**beta  # of the divergence, so that penalties weigh as much
    simple = (na.penalties.L1(0.1 * cost / scale), na.penalties.L2(0.1 * cost / scale**2))
    simple += (na.penalties.Smooth(0.2 * cost / scale**2),)
    inverse = (InverseGamma(0.1 * cost, 0.01 * cost * scale),)
    drawn = (
        na.penalties.Prior(0.2 * cost / scale, H * scale),
        na.penalties.SmoothRatio(0.1 * cost),
    )
    for penalties in (simple, inverse, drawn):
        for unit in (None, "l1", "l2"):
            factors = [na.Factor(W, unit=unit), na.Factor(H * scale, True, penalties)]
            d = na.decompose(
                V,
                factors,
                structure=structure,
                divergence=na.Beta(beta),
                max_iter=10,
                tol=0,
                check_every=1,
            )
            assert_never_rises(d.losses, dtype)
            assert d.losses[-1] == pytest.approx(objective(V, None, d, factors), rel=1e-4)


def test_the_last_factor_can_have_unit_norm_at_any_scale():
    rng = np.random.default_rng(3)
    V = (rng.random((FREQ, TIME)) + 0.05) * 1e-10
    W, H = positive(rng, FREQ, RANK), positive(rng, RANK, TIME)
    d = na.decompose(
        V, [na.Factor(W, True, (na.penalties.L1(1e-3),)), na.Factor(H * 1e-10, unit="l1")]
    )
    np.testing.assert_allclose(d.H.sum(1), 1)
    assert d.losses[-1] == pytest.approx(
        na.Beta(1).value(V, d.model(), None) + na.penalties.L1(1e-3).value(d.W, d.factors)
    )


@pytest.mark.parametrize("size", [1e-25, 1e25])
def test_templates_of_any_size_do(size):
    rng = np.random.default_rng(0)
    V = (rng.random((FREQ, TIME)) + 0.05).astype("f4")
    d = na.nmf(V, W=rng.random((FREQ, 3)) * size, update_W=False, tol=0, check_every=1, rng=0)
    assert_never_rises(d.losses, np.float32)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("beta", BETAS)
def test_unit_norm_keeps_the_objective_and_the_norm(beta, structure):
    unit = ("l1", "l2")[(BETAS.index(beta) + list(STRUCTURES).index(structure)) % 2]
    rng = np.random.default_rng(5)
    structure, X = STRUCTURES[structure](rng)
    axes = structure.component_axes(len(X))
    normed = next((i for i, axis in enumerate(axes[:-1]) if axis is not None), None)
    if normed is None or axes[-1] is None:
        pytest.skip("no factor but one lists components")
    for number, (name, make) in enumerate(PENALTIES.items()):
        dtype = (np.float32, np.float64)[number % 2]
        penalty = make(rng, X[-1].shape)
        V = (rng.random(structure.shape(X)) + 0.1).astype(dtype)
        factors = [na.Factor(F, unit=unit if i == normed else None) for i, F in enumerate(X[:-1])]
        factors.append(na.Factor(X[-1], True, (penalty,)))
        d = na.decompose(
            V,
            factors,
            structure=structure,
            divergence=na.Beta(beta),
            max_iter=15,
            tol=0,
            check_every=1,
        )
        assert_never_rises(d.losses, dtype, name)
        columns = np.moveaxis(d.factors[normed].astype(float), axes[normed], 0)
        columns = columns.reshape(len(columns), -1)
        norms = columns.sum(1) if unit == "l1" else np.sqrt((columns**2).sum(1))
        np.testing.assert_allclose(norms, 1, rtol=1e-5)
        final = na.Beta(beta).value(V, d.model(), None) + penalty.value(d.factors[-1], d.factors)
        assert final == pytest.approx(d.losses[-1], rel=1e-5), name


@pytest.mark.parametrize("size", [1e-120, 1e100])
@pytest.mark.parametrize("unit", ["l1", "l2"])
@pytest.mark.parametrize("name", PENALTIES)
def test_a_unit_norm_means_the_same_for_templates_of_any_size(name, unit, size):
    rng = np.random.default_rng(8)
    V = rng.random((FREQ, TIME)) + 0.1
    W, H = positive(rng, FREQ, RANK), positive(rng, RANK, TIME)
    penalty = PENALTIES[name](rng, H.shape)
    found = [
        na.decompose(
            V,
            [na.Factor(W * k, unit=unit), na.Factor(H / k, True, (penalty,))],
            solver="mu",
            max_iter=5,
            check_every=1,
        )
        for k in (1.0, size)
    ]
    np.testing.assert_allclose(found[1].losses, found[0].losses, rtol=1e-9)
    np.testing.assert_allclose(found[1].H, found[0].H, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("solver", ["hals", "pg"])
@pytest.mark.parametrize("unit", [None, "l2"])
@pytest.mark.parametrize("name", PENALTIES)
def test_solvers_that_move_zeros_account_for_penalties(name, unit, solver):
    rng = np.random.default_rng(8)
    V = rng.random((FREQ, TIME)) ** 3
    W, H = positive(rng, FREQ, RANK), positive(rng, RANK, TIME)
    H[rng.random(H.shape) < 0.2] = 0
    d = na.decompose(
        V,
        [na.Factor(W, unit=unit), na.Factor(H, True, (PENALTIES[name](rng, H.shape),))],
        divergence=na.Beta(2),
        solver=solver,
        max_iter=60,
        tol=0,
        check_every=1,
    )
    assert_never_rises(d.losses, np.float64)


@pytest.mark.parametrize("dtype", [np.float32, pytest.param(np.float64, marks=pytest.mark.slow)])
@pytest.mark.parametrize("unit", ["l1", "l2"])
@pytest.mark.parametrize("beta", [0, 1, 3])
def test_components_vanish_under_a_unit_norm_without_warnings(beta, unit, dtype):
    """More than there is to explain, and penalties that want them gone: numbers get tiny."""
    rng = np.random.default_rng(0)
    V = (np.outer(rng.random(FREQ), rng.random(TIME)) + 1e-3).astype(dtype)
    for penalty in (
        na.penalties.Log(3.0, 0.1),
        na.penalties.Decorrelated(3.0),
        na.penalties.GroupSparsity(3.0, "aab"),
        na.penalties.L2(9.0),
    ):
        W, H = positive(rng, FREQ, RANK), positive(rng, RANK, TIME)
        d = na.decompose(
            V,
            [na.Factor(W, unit=unit), na.Factor(H, True, (penalty,))],
            divergence=na.Beta(beta),
            solver="mu",
            max_iter=600,
            tol=0,
        )
        assert_never_rises(d.losses, dtype)
