"""Properties of every solver, and optima where they are known."""

import numpy as np
import pytest
from scipy.optimize import nnls

import nmfaudio as na
from nmfaudio.factorisation.solvers import SOLVERS
from nmfaudio.kernels.threads import set_threads

FREQ, TIME, RANK = 17, 230, 5
SUPPORTED = [
    *(("mu", beta) for beta in (0.0, 1.0, 2.0)),
    *(("bmme", beta) for beta in (-0.5, 0.0, 0.5, 1.0, 1.3, 2.0)),
    ("hals", 2.0),
    ("pg", 2.0),
    ("ccd", 1.0),
]


def posed(dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    V = (rng.random((FREQ, RANK)) @ rng.random((RANK, TIME)) ** 3 + 0.05).astype(dtype)
    V[2, 5:9] = 0
    return V, rng.random((FREQ, RANK)) + 0.1, rng.random((RANK, TIME)) + 0.1, rng


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("check_every", [1, 7])
@pytest.mark.parametrize("penalised", [False, True])
@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize(("solver", "beta"), SUPPORTED)
def test_never_rises_at_checks(solver, beta, fixed, penalised, check_every, dtype):
    V, W, H, rng = posed(dtype)
    V = na.Beta(beta).prepare(V, None)
    gate = rng.random(H.shape) < 0.6 if fixed else True
    if fixed:
        gate[0] = True  # without any component the misfit of a bin has no bound for β ≤ 0
    columns = np.array([True, False, True, True, False]) if fixed else True
    penalties = (
        (na.penalties.L1(0.02), na.penalties.L2(0.01), na.penalties.Smooth(0.1))
        if penalised
        else ()
    )
    d = na.decompose(
        V,
        [na.Factor(W, columns), na.Factor(H * gate, gate, penalties)],
        divergence=na.Beta(beta),
        solver=solver,
        max_iter=70,
        tol=0,
        check_every=check_every,
    )
    slack = 1e-12 if dtype == np.float64 else 2e-6
    assert (np.diff(d.losses) <= slack * d.losses[:-1]).all()
    assert d.losses[-1] < 0.9 * d.losses[0]
    fit = na.Beta(beta).value(V, d.model(), None) + sum(p.value(d.H, d.factors) for p in penalties)
    assert d.losses[-1] == pytest.approx(fit, rel=1e-4)
    if fixed:
        assert (d.H[~gate] == 0).all()
        assert d.W[:, ~columns].tobytes() == W.astype(dtype)[:, ~columns].tobytes()


@pytest.mark.parametrize("solver", ["bmme", "hals", "pg"])
def test_it_needs_fewer_iterations_than_mu(solver):
    V, W, H, _ = posed()
    plain = na.nmf(V, W=W, H=H, beta_loss=2, solver="mu", max_iter=200, tol=0)
    fast = na.nmf(V, W=W, H=H, beta_loss=2, solver=solver, max_iter=100, tol=0)
    assert fast.losses[-1] < plain.losses[-1]


@pytest.mark.parametrize("solver", ["mu", "bmme", "hals", "pg"])
def test_supervised_activations_reach_the_least_squares_optimum(solver):
    V, W, H, _ = posed()
    d = na.nmf(V, W=W, H=H, update_W=False, beta_loss=2, solver=solver, max_iter=3000, tol=0)
    optimum = np.stack([nnls(W, v)[0] for v in V.T], axis=1)
    best = 0.5 * ((V - W @ optimum) ** 2).sum()
    assert d.losses[-1] == pytest.approx(best, rel=1e-6)


def test_extrapolation_takes_weights():
    V, W, H, rng = posed()
    weights = rng.random(V.shape) * (rng.random(V.shape) < 0.8)
    settings = {"W": W, "H": H, "update_W": False, "weights": weights, "tol": 0}
    a = na.nmf(V, **settings, solver="mu", max_iter=3000)
    b = na.nmf(np.where(weights > 0, V, np.nan), **settings, solver="bmme", max_iter=1000)
    assert b.losses[-1] == pytest.approx(a.losses[-1], rel=1e-4)


@pytest.mark.parametrize(
    ("solver", "moves"), [("mu", False), ("hals", True), ("pg", True), ("ccd", True)]
)
def test_which_solvers_move_exact_zeros(solver, moves):
    V, W, H, _ = posed()
    H[1, 3:50] = 0
    beta = 1 if solver == "ccd" else 2
    d = na.nmf(V, W=W, H=H, beta_loss=beta, solver=solver, max_iter=20)
    assert d.H[1, 3:50].any() == (solver in ("hals", "pg", "ccd"))


def test_projected_gradient_is_the_same_at_any_scale():
    V, W, H, _ = posed()
    plain = na.nmf(V, W=W, H=H, beta_loss=2, solver="pg", max_iter=30, tol=0)
    loud = na.nmf(2**40 * V, W=W, H=2**40 * H, beta_loss=2, solver="pg", max_iter=30, tol=0)
    np.testing.assert_allclose(loud.H, 2**40 * plain.H, rtol=1e-9)


def test_projected_gradient_takes_weights_and_any_structure():
    V, _, H, rng = posed()
    weights = rng.random(V.shape) * (rng.random(V.shape) < 0.8)
    factors = [na.Factor(rng.random((4, FREQ, RANK)) + 0.1), na.Factor(H)]
    settings = {
        "structure": na.structures.Convolutive(),
        "divergence": na.Beta(2),
        "weights": weights,
    }
    d = na.decompose(np.where(weights > 0, V, np.nan), factors, solver="pg", **settings)
    plain = na.decompose(V, factors, solver="mu", **settings)
    assert (np.diff(d.losses) <= 0).all()
    assert d.losses[-1] < plain.losses[-1]


@pytest.mark.parametrize(
    ("solver", "settings", "reason"),
    [
        ("bmme", {"beta_loss": 3}, "requires beta <= 2"),
        ("hals", {"beta_loss": 1}, "requires beta = 2"),
        ("pg", {"beta_loss": 1}, "requires beta = 2"),
        ("ccd", {"beta_loss": 2}, "requires beta = 1"),
        ("hals", {"beta_loss": 2, "weights": np.full((FREQ, TIME), 0.5)}, "cannot weight"),
    ],
)
def test_unsupported_problems_raise_with_a_reason(solver, settings, reason):
    with pytest.raises(na.ParameterError, match=reason):
        na.nmf(posed()[0], 3, solver=solver, **settings)


def test_other_structures_than_plain_nmf_raise():
    V, W, H, _ = posed()
    convolutive = {
        "factors": [na.Factor(W[None]), na.Factor(H)],
        "structure": na.structures.Convolutive(),
    }
    deep = {"factors": [na.Factor(F) for F in (W, np.eye(RANK), H)]}
    for solver, beta in (("hals", 2), ("ccd", 1), ("bmme", 2)):
        for model in (deep,) if solver == "bmme" else (deep, convolutive):
            with pytest.raises(na.ParameterError, match="plain"):
                na.decompose(V, **model, divergence=na.Beta(beta), solver=solver)


@pytest.mark.parametrize("beta", [0, 1, 2])
def test_convolutive_models_are_extrapolated_too(beta):
    V, _, H, rng = posed()
    V = V + 0.1
    factors = [na.Factor(rng.random((4, FREQ, RANK)) + 0.1), na.Factor(H)]
    settings = {"structure": na.structures.Convolutive(), "divergence": na.Beta(beta), "tol": 0}
    plain = na.decompose(V, factors, **settings, solver="mu", max_iter=200)
    fast = na.decompose(V, factors, **settings, solver="bmme", max_iter=140)
    assert (np.diff(fast.losses) <= 0).all()
    assert fast.losses[-1] < plain.losses[-1]


def test_the_automatic_solver_keeps_zeros_of_the_initial_factors():
    V, W, H, _ = posed()
    support = H.copy()
    support[1, 3:50] = 0
    for beta in (0, 1, 2, 3):
        d = na.nmf(V, W=W, H=support, beta_loss=beta, max_iter=20, tol=0)
        assert not d.H[1, 3:50].any()
    quick = na.nmf(V, W=W, H=H, beta_loss=2, max_iter=20, tol=0)
    assert (
        quick.losses[-1]
        == na.nmf(V, W=W, H=H, beta_loss=2, solver="hals", max_iter=20, tol=0).losses[-1]
    )


@pytest.mark.parametrize("solver", SOLVERS)
def test_any_number_of_threads_gives_the_same_bytes(solver):
    V = np.random.default_rng(0).random((90, 2000)).astype("f4")
    beta, most = (1, 2) if solver == "ccd" else (2, 12)
    found = []
    try:
        for count in (1, 2, 3):
            set_threads(count)
            found.append(na.nmf(V, 6, beta_loss=beta, solver=solver, max_iter=most, rng=0))
    finally:
        set_threads(None)
    assert len({d.W.tobytes() + d.H.tobytes() for d in found}) == 1


def test_steps_on_large_factors_give_the_same_bytes_on_any_number_of_threads():
    rng = np.random.default_rng(0)
    V, W0 = rng.random((1500, 70)), rng.random((1500, 30))  # more than one part of W
    found = []
    try:
        for count in (1, 3):
            set_threads(count)
            W = na.Factor(W0, penalties=(na.penalties.Prior(3.0, W0),), name="W")
            H = na.Factor(np.ones((30, 70)), name="H")
            found.append(na.decompose(V, [W, H], max_iter=3).W)
    finally:
        set_threads(None)
    np.testing.assert_array_equal(*found)
    assert (found[0] != W0).mean() > 0.99
