"""Stationary points: their residual, and coordinate descent, which reaches them."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar, nnls

import nmfaudio as na

FREQ, TIME, RANK = 40, 70, 6


def posed(seed=0):
    rng = np.random.default_rng(seed)
    V = rng.random((FREQ, RANK)) @ rng.random((RANK, TIME)) ** 3 + 0.05
    V *= rng.random(V.shape)
    V[3, 5:9] = 0
    return V, rng.random((FREQ, RANK)) + 0.1, rng.random((RANK, TIME)) + 0.1, rng


def test_coordinate_descent_ends_at_a_stationary_point():
    V, W, H, _ = posed()
    d = na.nmf(V, W=W, H=H, solver="ccd", max_iter=1500, tol=0)
    assert na.factorisation.kkt_residual(V, d) < 1e-10
    assert (d.H == 0).any()
    assert (np.diff(d.losses) <= 1e-12 * d.losses[:-1]).all()


@pytest.mark.parametrize("unit", [None, "l1", "l2"])
def test_it_does_so_with_penalties_weights_and_fixed_parts(unit):
    V, W, H, rng = posed()
    weights = rng.random(V.shape) * (rng.random(V.shape) < 0.8)
    gate = rng.random(H.shape) < 0.7
    # Under the other norm, a bound of the second one holds zeros.
    penalties = (
        (na.penalties.L1(0.2),) if unit == "l1" else (na.penalties.L1(0.2), na.penalties.L2(0.3))
    )
    factors = [na.Factor(W, unit=unit), na.Factor(H * gate, gate, penalties)]
    if unit is None:
        factors[0] = na.Factor(
            W, np.array([True, False, True, True, False, True]), (na.penalties.L2(0.1),)
        )
    d = na.decompose(V, factors, solver="ccd", weights=weights, max_iter=1500, tol=0)
    assert na.factorisation.kkt_residual(V, d) < 1e-10
    assert na.factorisation.kkt_residual(V, d, factors, weights=weights) < 1e-10
    assert na.factorisation.kkt_residual(V, d, [na.Factor(F) for F in d]) > 1e-3
    assert (np.diff(d.losses) <= 1e-12 * d.losses[:-1]).all()
    assert not d.H[~gate].any()


@pytest.mark.parametrize("solver", ["hals", "pg"])
def test_zeros_leave_where_it_pays_under_a_unit_norm(solver):
    V, W, H, _ = posed()
    factors = [na.Factor(W, unit="l2"), na.Factor(H, True, (na.penalties.L2(0.3),))]
    d = na.decompose(
        V, factors, divergence=na.Beta(2), solver=solver, max_iter=1500, tol=0, check_every=1
    )
    assert (d.W == 0).any()
    assert na.factorisation.kkt_residual(V, d, factors) < 1e-3


@pytest.mark.parametrize("penalties", [(), (na.penalties.L1(0.3), na.penalties.L2(0.2))])
def test_an_entry_goes_to_its_minimum(penalties):
    for seed in range(20):
        V, W, H, rng = posed(seed)
        H *= rng.random(H.shape) ** 8
        k, t = rng.integers(RANK), rng.integers(TIME)
        H[k, t] = rng.choice([0.0, 1e-9, 1.0, 100.0])
        free = np.zeros(H.shape, bool)
        free[k, t] = True
        factors = [na.Factor(W, free=False), na.Factor(H, free, penalties)]
        d = na.decompose(V, factors, solver="ccd", max_iter=1, tol=0)

        def cost(x, V=V, W=W, H=H, k=k, t=t):
            column = H[:, [t]].copy()
            column[k] = x
            penalty = sum(p.value(np.array(x), []) for p in penalties)
            return na.Beta(1).value(V[:, [t]], W @ column, None) + penalty

        best = minimize_scalar(cost, bounds=(0, 10), options={"xatol": 1e-12})
        assert cost(d.H[k, t]) <= best.fun * (1 + 1e-12)


def test_coordinate_descent_agrees_with_multiplicative_updates_where_there_is_one_optimum():
    V, W, H, _ = posed()
    settings = {"W": W, "H": H, "update_W": False, "tol": 0}
    exact = na.nmf(V, solver="ccd", max_iter=100, **settings)
    near = na.nmf(V, solver="bmme", max_iter=1000, **settings)
    assert exact.losses[-1] <= near.losses[-1] * (1 + 1e-12)
    assert near.losses[-1] == pytest.approx(exact.losses[-1], rel=1e-6)


@pytest.mark.parametrize(("V_scale", "W_scale"), [(1e-6, 1), (1, 1e5), (1e6, 1e-5)])
@pytest.mark.parametrize("beta", [0, 1, 2])
def test_no_scale_changes_the_residual(beta, V_scale, W_scale):
    V, _, _, _ = posed()
    V += 0.01  # above the floor of β = 0
    d = na.nmf(V, 4, beta_loss=beta, max_iter=20, rng=0)
    components = float(W_scale) ** np.arange(-1, 3)
    scaled = na.Decomposition(
        (d.W * components, d.H * V_scale / components[:, None]),
        d.losses,
        d.checks,
        d.converged,
        d.structure,
        d.divergence,
    )
    plain = [na.Factor(F) for F in scaled]
    assert na.factorisation.kkt_residual(V * V_scale, scaled, plain) == pytest.approx(
        na.factorisation.kkt_residual(V, d), rel=1e-6
    )


def test_the_least_squares_optimum_has_no_residual():
    V, W, _, _ = posed()
    H = np.stack([nnls(W, v)[0] for v in V.T], axis=1)
    factors = [na.Factor(W, free=False), na.Factor(H)]
    d = na.decompose(V, factors, divergence=na.Beta(2), max_iter=0)
    assert na.factorisation.kkt_residual(V, d, factors) < 1e-12
    H[:, 3] *= 1.1
    d = na.decompose(V, [*factors[:1], na.Factor(H)], divergence=na.Beta(2), max_iter=0)
    assert na.factorisation.kkt_residual(V, d, factors) > 1e-3


def test_factors_that_do_not_fit_raise():
    V, W, H, _ = posed()
    d = na.nmf(V, W=W, H=H, max_iter=1)
    with pytest.raises(na.errors.ShapeError, match="decomposition is of"):
        na.factorisation.kkt_residual(V[1:], d)
    with pytest.raises(na.errors.ShapeError, match="got 1 factors"):
        na.factorisation.kkt_residual(V, d, [na.Factor(W)])


def test_penalties_that_are_unknown_are_not_taken_for_none(tmp_path):
    V, W, H, _ = posed()
    d = na.decompose(V, [na.Factor(W, unit="l2"), na.Factor(H, penalties=(na.penalties.L1(1.0),))])
    d.save(tmp_path / "d.npz")
    for unknown in (
        na.Decomposition.load(tmp_path / "d.npz"),
        na.factorisation.normalise(d),
        na.factorisation.sort_components(d),
    ):
        with pytest.raises(na.ParameterError, match="pass factors"):
            na.factorisation.kkt_residual(V, unknown)


def test_the_factors_of_a_fit_continue_it():
    V, W, H, _ = posed()
    settings = {"solver": "mu", "tol": 0}
    penalised = [na.Factor(W), na.Factor(H, penalties=(na.penalties.L2(1.0),))]
    half = na.decompose(V, penalised, max_iter=10, **settings)
    whole = na.decompose(V, penalised, max_iter=20, **settings)
    again = na.decompose(V, half.fitted, max_iter=10, **settings)
    np.testing.assert_allclose(again.H, whole.H, rtol=1e-9)


def test_a_decomposition_unpacks_to_its_factors():
    V, W, H, rng = posed()
    templates, activations = na.nmf(V, W=W, H=H, max_iter=1)
    assert templates.shape == W.shape
    assert activations.shape == H.shape
    gains = rng.random((2, RANK))
    channels = [na.Factor(F) for F in (gains, W, H)]
    d = na.decompose(np.stack([V, V]), channels, structure=na.structures.Channels(), max_iter=1)
    assert [F.shape for F in d] == [gains.shape, W.shape, H.shape]
