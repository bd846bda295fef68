"""Structures whose templates or activations are computed go the same way fused and step by step."""

from itertools import product

import numpy as np
import pytest
from laws.catalogue import STRUCTURES

import nmfaudio as na
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.base import Stepwise
from nmfaudio.factorisation.solvers.bilinear import BilinearRun
from nmfaudio.factorisation.solvers.mu import MU, mu_step
from nmfaudio.factorisation.structures.bilinear import has_bilinear_model
from nmfaudio.factorisation.structures.gliding import BLOCK, Gliding, partial_entries
from nmfaudio.kernels.threads import set_threads


def gliding(rng, *, time=130, **sizes):
    """Gliding model, one state of which is silent in a block, and positive factors."""
    entries = partial_entries(np.linspace(3, 5, 4), np.arange(4), n_partials=5, n_bins=40)
    active = np.ones((4, -(-time // BLOCK)), bool)
    active[1, 0] = False
    structure = Gliding(40, entries, np.array([0, 0, 1, 1]), active)
    return structure, [rng.random((5, 2)) + 0.1, rng.random((4, time)) + 0.1]


def lagged_and_delayed(rng, *, time=130, **sizes):
    """Convolutive model whose activations are computed too."""

    class Delayed(na.structures.Convolutive):
        def right(self, factors):
            H = factors[1]
            return H + np.pad(H, ((0, 0), (1, 0)))[:, :-1]

        def right_adjoint(self, i, G, factors):
            return G + np.pad(G, ((0, 0), (0, 1)))[:, 1:]

    return Delayed(), [rng.random((3, 20, 2)) + 0.1, rng.random((2, time)) + 0.1]


CASES = {
    name: make
    for name, make in STRUCTURES.items()
    if has_bilinear_model(make(np.random.default_rng(0))[0])
} | {"gliding": gliding, "lagged and delayed": lagged_and_delayed}


def pose(name, beta, *, weighted=False, free=None, penalised=False, dtype=np.float64):
    rng = np.random.default_rng(1)
    structure, X = CASES[name](rng, time=130, freq=20)
    X = [F.astype(dtype) for F in X]
    X[-1][..., 60:] *= rng.random(X[-1][..., 60:].shape) < 0.8
    V = (rng.random(structure.shape(X)) ** 2).astype(dtype)
    weights = rng.random(V.shape).astype(dtype) if weighted else None
    penalties = (na.penalties.L1(0.2),) if penalised else ()
    divergence = Beta(beta)
    factors = tuple(Factor(F, penalties=penalties) for F in X)
    V = divergence.prepare(V, weights)
    free = free or (True,) * len(X)
    return Problem(V, weights, structure, divergence, factors, free), X


@pytest.mark.parametrize("penalised", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("beta", [0, 0.5, 1, 1.3, 2, 3])
@pytest.mark.parametrize("name", CASES)
def test_fused_and_stepwise_agree(name, beta, weighted, penalised):
    problem, X = pose(name, beta, weighted=weighted, penalised=penalised)
    fused, stepwise = BilinearRun(problem, Beta(beta), X), Stepwise(mu_step, problem, X)
    for _ in range(2):
        fused.advance(2)
        stepwise.advance(2)
        assert fused.loss == pytest.approx(stepwise.loss, rel=1e-9)
    for a, b in zip(fused.factors(), stepwise.factors(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_any_factors_may_be_fixed(name):
    count = len(pose(name, 1)[1])
    for beta, free in product((1, 2), product((False, True), repeat=count)):
        problem, X = pose(name, beta, free=free)
        fused, stepwise = BilinearRun(problem, Beta(beta), X), Stepwise(mu_step, problem, X)
        fused.advance(2)
        stepwise.advance(2)
        assert fused.loss == pytest.approx(stepwise.loss, rel=1e-9)
        for start, a, b, moves in zip(X, fused.factors(), stepwise.factors(), free, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
            assert moves == (not np.array_equal(a, start))


@pytest.mark.parametrize("name", CASES)
def test_masks_of_free_entries_hold(name):
    rng = np.random.default_rng(2)
    masks = tuple(rng.random(F.shape) < 0.6 for F in pose(name, 1)[1])
    problem, X = pose(name, 1, free=masks)
    fused, stepwise = BilinearRun(problem, Beta(1), X), Stepwise(mu_step, problem, X)
    fused.advance(2)
    stepwise.advance(2)
    for start, a, b, free in zip(X, fused.factors(), stepwise.factors(), masks, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(a[~free], start[~free])


@pytest.mark.parametrize("name", CASES)
def test_any_number_of_threads_makes_the_same_bytes(name):
    found = set()
    try:
        for count in (1, 2, 3):
            set_threads(count)
            problem, X = pose(name, 1, dtype=np.float32)
            run = MU().begin(problem, X)
            run.advance(3)
            assert {F.dtype for F in run.factors()} == {np.dtype(np.float32)}
            found.add(b"".join(F.tobytes() for F in run.factors()) + np.float64(run.loss).tobytes())
    finally:
        set_threads(None)
    assert len(found) == 1


def test_a_structure_with_a_model_of_its_own_goes_step_by_step():
    class Own(na.structures.Harmonic):
        def forward(self, factors):
            return 2 * super().forward(factors)

        def adjoint(self, i, G, factors):
            return 2 * super().adjoint(i, G, factors)

    class OwnTemplates(na.structures.Harmonic):
        def left(self, factors):
            return 2 * super().left(factors)

        def left_adjoint(self, i, G, factors):
            return 2 * super().left_adjoint(i, G, factors)

    shapes = [(9, 4, 3), (4, 3), (3, 12)]
    for structure, fused in ((Own(), False), (OwnTemplates(), True)):
        na.check_structure(structure, shapes)
        assert has_bilinear_model(structure) == fused


def test_matrices_of_another_model_are_refused():
    class Wrong(na.structures.Harmonic):
        def forward(self, factors):
            return super().forward(factors)

        def left(self, factors):
            return 2 * super().left(factors)

    class WrongAdjoint(na.structures.Harmonic):
        def left_adjoint(self, i, G, factors):
            return 2 * super().left_adjoint(i, G, factors)

    for structure in (Wrong(), WrongAdjoint()):
        with pytest.raises(na.ParameterError):
            na.check_structure(structure, [(9, 4, 3), (4, 3), (3, 12)])
