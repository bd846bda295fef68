"""Structures go the same way fused and step by step, as far as they can be fused."""

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
from nmfaudio.factorisation.solvers.sum_of_products import SumRun, is_sum_of_products
from nmfaudio.factorisation.structures.bilinear import has_bilinear_model
from nmfaudio.factorisation.structures.sum_of_products import has_sum_of_products
from nmfaudio.kernels.threads import set_threads


def lagged_and_delayed(rng, *, time=130, **sizes):
    """Convolutive model whose activations are computed too."""

    class Delayed(na.structures.Convolutive):
        def right(self, factors):
            H = factors[1]
            return H + np.pad(H, ((0, 0), (1, 0)))[:, :-1]

        def right_adjoint(self, i, G, factors):
            return G + np.pad(G, ((0, 0), (0, 1)))[:, 1:]

    return Delayed(), [rng.random((3, 20, 2)) + 0.1, rng.random((2, time)) + 0.1]


class Equalised(na.structures.SumOfProducts):
    """A term of two factorisations and two masks, and one of a mask of all bins."""

    def shape(self, factors):
        return factors[-1].shape

    def component_axes(self, count):
        return (None,) * count

    def scale_carriers(self, count):
        return 1, count - 1

    def terms(self, count):
        return [[(0, 1), (4,), (3, 2), (5,)], [(6,)]]


def equalised(rng, *, time=130, freq=20, **sizes):
    shapes = [(freq, 3), (3, time), (2, time), (freq, 2), (1, time), (freq, 1), (freq, time)]
    return Equalised(), [rng.random(shape) + 0.1 for shape in shapes]


def masked_bins(rng, *, time=130, freq=20, **sizes):
    """Groups whose masks are different in each bin, which are fixed, and one without."""
    shapes = [(freq, time), (freq, 3), (3, time)] * 2 + [(1, 1), (freq, 1), (1, time)]
    X = [rng.random(shape) + 0.1 for shape in shapes]
    X[0][:5] = 0
    X[6][:] = 1
    return na.structures.Masked(), X


CASES = {
    **STRUCTURES,
    "lagged and delayed": lagged_and_delayed,
    "equalised": equalised,
    "masked bins": masked_bins,
}
FIXED = {"equalised": {6}, "masked bins": {0, 3, 6}}
"""Factors that must be fixed, since they are masks of single bins."""


def begin(problem, X):
    """Fused run of a problem, also of one that `FusedRun` can take."""
    beta = problem.divergence
    if has_bilinear_model(problem.structure):
        return BilinearRun(problem, beta, X)
    assert is_sum_of_products(problem, X)
    return SumRun(problem, beta, X)


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
    fixed = FIXED.get(name, ())
    free = tuple(i not in fixed and f for i, f in enumerate(free or (True,) * len(X)))
    return Problem(V, weights, structure, divergence, factors, free), X


@pytest.mark.parametrize("penalised", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("beta", [0, 0.5, 1, 1.3, 2, 3])
@pytest.mark.parametrize("name", CASES)
def test_fused_and_stepwise_agree(name, beta, weighted, penalised):
    problem, X = pose(name, beta, weighted=weighted, penalised=penalised)
    fused, stepwise = begin(problem, X), Stepwise(mu_step, problem, X)
    for _ in range(2):
        fused.advance(2)
        stepwise.advance(2)
        assert fused.loss == pytest.approx(stepwise.loss, rel=1e-9)
    for a, b in zip(fused.factors(), stepwise.factors(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_any_factors_may_be_fixed(name):
    count = len(pose(name, 1)[1])
    patterns = list(product((False, True), repeat=count))
    for beta, free in product((1, 2), patterns[:: max(1, len(patterns) // 16)] + patterns[-3:]):
        problem, X = pose(name, beta, free=free)
        fused, stepwise = begin(problem, X), Stepwise(mu_step, problem, X)
        fused.advance(2)
        stepwise.advance(2)
        assert fused.loss == pytest.approx(stepwise.loss, rel=1e-9)
        both = fused.factors(), stepwise.factors()
        for start, a, b, moves in zip(X, *both, problem.free, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
            assert moves == (not np.array_equal(a, start))


@pytest.mark.parametrize("name", CASES)
def test_masks_of_free_entries_hold(name):
    rng = np.random.default_rng(2)
    masks = tuple(rng.random(F.shape) < 0.6 for F in pose(name, 1)[1])
    problem, X = pose(name, 1, free=masks)
    masks = problem.free
    fused, stepwise = begin(problem, X), Stepwise(mu_step, problem, X)
    fused.advance(2)
    stepwise.advance(2)
    for start, a, b, free in zip(X, fused.factors(), stepwise.factors(), masks, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
        fixed = ~np.broadcast_to(free, a.shape)
        np.testing.assert_array_equal(a[fixed], start[fixed])


@pytest.mark.parametrize("name", CASES)
def test_any_number_of_threads_makes_the_same_bytes(name):
    found = set()
    try:
        for count in (1, 2, 3):
            set_threads(count)
            problem, X = pose(name, 1, dtype=np.float32)
            run = MU().begin(problem, X)
            assert not isinstance(run, Stepwise)
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

    class OwnSum(na.structures.Masked):
        def forward(self, factors):
            return super().forward(factors)

    assert has_sum_of_products(na.structures.Masked())
    assert not has_sum_of_products(OwnSum())
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


def test_a_mask_of_single_bins_that_is_free_goes_step_by_step():
    rng = np.random.default_rng(0)
    structure, X = masked_bins(rng)
    V = rng.random(structure.shape(X))
    factors = tuple(Factor(F) for F in X)
    for free in (True, rng.random(X[0].shape) < 0.5):
        moves = (free, *[True] * 8)
        problem = Problem(V, None, structure, Beta(1), factors, moves)
        assert isinstance(MU().begin(problem, X), Stepwise)
