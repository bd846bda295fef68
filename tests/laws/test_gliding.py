"""`Gliding` obeys the laws of structures, and its states share their strengths."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.factorisation.solvers.mu import mu_step
from nmfaudio.factorisation.structures.gliding import (
    BLOCK,
    Gliding,
    joined_entries,
    partial_entries,
    whole_entries,
)
from nmfaudio.kernels.threads import set_threads

BINS, FRAMES = 40, 2 * BLOCK + 5


@pytest.fixture
def case():
    """Two sounds of three states each, one of any spectrum; one state is silent in a block."""
    rng = np.random.default_rng(0)
    pitches = np.array([3.0, 3.2, 3.4, 5.0, 5.1, 5.2])
    partials = partial_entries(pitches, np.arange(6), n_partials=6, n_bins=BINS)
    entries = joined_entries(whole_entries(np.array([6]), BINS), partials)
    active = np.ones((7, 3), bool)
    active[2, 1] = False
    structure = Gliding(BINS, entries, np.array([0, 0, 0, 1, 1, 1, 2]), active)
    return structure, [rng.random((BINS, 3)), rng.random((7, FRAMES))]


def test_the_adjoint_is_the_transposed_derivative(case):
    structure, X = case
    rng = np.random.default_rng(1)
    G = rng.standard_normal(structure.shape(X))
    for i, F in enumerate(X):
        step = rng.standard_normal(F.shape)
        moved = structure.forward([*X[:i], F + step, *X[i + 1 :]]) - structure.forward(X)
        assert (moved * G).sum() == pytest.approx((step * structure.adjoint(i, G, X)).sum())


def test_parts_sum_to_the_model_with_its_templates(case):
    structure, X = case
    parts = [structure.part(X, states) for states in ([0, 5], [1, 2, 6], [3, 4])]
    np.testing.assert_allclose(sum(parts), structure.forward(X))
    H = X[1].copy()
    H[2, BLOCK : 2 * BLOCK] = 0  # where it may not sound
    np.testing.assert_allclose(structure.templates(X) @ H, structure.forward(X))


def test_states_of_a_sound_have_partials_of_the_same_strengths():
    entries = partial_entries(np.array([4.0, 6.0]), np.arange(2), n_partials=5, n_bins=BINS)
    structure = Gliding(BINS, entries, np.zeros(2, int), np.ones((2, 1), bool))
    strengths = np.array([[5.0], [4], [3], [2], [1]])
    W = structure.templates([strengths, np.ones((2, 1))])
    assert W[[4, 8, 12, 16, 20], 0] == pytest.approx(strengths[:, 0])
    assert W[[6, 12, 18, 24, 30], 1] == pytest.approx(strengths[:, 0])


def test_the_objective_never_rises_and_zeros_stay(case):
    structure, X = case
    V = np.random.default_rng(2).random((BINS, FRAMES))
    X[1][3, 10:90] = 0
    d = na.decompose(
        V, [na.Factor(X[0]), na.Factor(X[1])], structure=structure, solver="mu", check_every=1
    )
    assert (np.diff(d.losses) <= 1e-9 * d.losses[0]).all()
    assert not d.factors[1][3, 10:90].any()


def test_factors_that_do_not_fit_are_refused(case):
    structure, X = case
    for wrong in ([X[0], X[1][:5]], [X[0], X[1][:, :BLOCK]], [X[0][0], X[1]]):
        with pytest.raises(na.errors.ShapeError, match="Gliding needs"):
            structure.shape(wrong)


@pytest.mark.parametrize(("dtype", "bins"), [(np.float64, BINS), (np.float32, BINS), (float, 3)])
@pytest.mark.parametrize("free", [True, False])
def test_the_sweep_equals_updates_factor_by_factor(case, dtype, bins, free):
    structure, X = case
    if bins != BINS:
        entries = whole_entries(np.array([0, 1]), bins)
        structure = Gliding(bins, entries, np.array([0, 1]), np.ones((2, 3), bool))
        X = [X[0][:bins, :2], X[1][:2]]
    V = np.random.default_rng(2).random((bins, FRAMES)).astype(dtype)
    X[1][0, 10:90] = 0
    X[1][1, 40:70] = 0
    factors = [na.Factor(X[0], free), na.Factor(X[1])]

    class Stepwise(na.solvers.MU):
        def begin(self, problem, factors):
            return na.solvers.Stepwise(mu_step, problem, factors)

    fits = [
        na.decompose(V, factors, structure=structure, solver=solver, max_iter=6, tol=0)
        for solver in ("mu", Stepwise())
    ]
    tolerance = 1e-10 if V.dtype == np.float64 else 1e-3
    np.testing.assert_allclose(fits[0].losses, fits[1].losses, rtol=tolerance)
    for fast, slow in zip(fits[0].factors, fits[1].factors, strict=True):
        inside = np.ones(fast.shape, bool)
        if fast.shape == X[1].shape:
            inside = np.repeat(structure.active, BLOCK, axis=1)[:, :FRAMES]
        np.testing.assert_allclose(fast[inside], slow[inside], rtol=tolerance, atol=tolerance)


def test_the_sweep_does_not_depend_on_the_number_of_threads(case):
    structure, X = case
    V = np.random.default_rng(2).random((BINS, FRAMES))
    results = []
    try:
        for count in (1, 2, 3):
            set_threads(count)
            d = na.decompose(V, [na.Factor(F) for F in X], structure=structure, solver="mu")
            results.append([F.tobytes() for F in d.factors])
    finally:
        set_threads(None)
    assert results[0] == results[1] == results[2]
