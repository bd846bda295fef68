"""Updates of the activations of `Masked` block by block equal those factor by factor."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.factorisation.solvers.masked import can_update_activations
from nmfaudio.factorisation.solvers.mu import mu_step
from nmfaudio.kernels.threads import set_threads

BINS, FRAMES = 30, 61


class Stepwise(na.solvers.MU):
    def begin(self, problem, factors):
        assert can_update_activations(problem)
        return na.solvers.Stepwise(mu_step, problem, factors)


@pytest.fixture
def factors():
    """A voice with smooth filters, a group with a mask of one column, and one without a mask."""
    rng = np.random.default_rng(0)
    bumps = na.structures.filter_bumps(np.arange(BINS) * 1.0, 12)
    bumps[:, 5] = 0  # a filter that passes nothing
    groups = [
        (rng.random((BINS, FRAMES)) ** 4, bumps, rng.random((12, FRAMES))),
        (rng.random((BINS, 1)), rng.random((BINS, 3)), rng.random((3, FRAMES))),
        (np.ones((1, 1)), rng.random((BINS, 5)), rng.random((5, FRAMES))),
    ]
    groups[2][2][1, 7:30] = 0
    return [na.Factor(F, free=i == 2) for group in groups for i, F in enumerate(group)]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-11), (np.float32, 1e-4)])
def test_updates_block_by_block_equal_those_factor_by_factor(factors, dtype, tolerance):
    V = (np.random.default_rng(1).random((BINS, FRAMES)) + 0.01).astype(dtype)
    V[3, 10:20] = 0
    fast, slow = (
        na.decompose(
            V, factors, structure=na.structures.Masked(), solver=solver, max_iter=13, tol=0
        )
        for solver in ("mu", Stepwise())
    )
    np.testing.assert_allclose(fast.losses, slow.losses, rtol=tolerance)
    for a, b in zip(fast.factors, slow.factors, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    assert not fast.factors[8][1, 7:30].any()


def test_they_do_not_depend_on_the_number_of_threads(factors):
    V = np.random.default_rng(1).random((BINS, FRAMES))
    results = []
    try:
        for count in (1, 3):
            set_threads(count)
            d = na.decompose(V, factors, structure=na.structures.Masked(), max_iter=20)
            results.append([F.tobytes() for F in d.factors] + [d.losses.tobytes()])
    finally:
        set_threads(None)
    assert results[0] == results[1]
