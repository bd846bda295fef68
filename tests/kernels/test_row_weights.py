"""Weights that depend on frequency alone cost nothing and change nothing."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.base import Stepwise
from nmfaudio.factorisation.solvers.bmme import BMME, ExtrapolatedRun
from nmfaudio.factorisation.solvers.fused import FusedRun
from nmfaudio.factorisation.solvers.mu import MU, mu_step
from nmfaudio.factorisation.solvers.row_weights import RowScaledRun


def pose(beta, weights, *, lags=None, penalties=(), free=True):
    rng = np.random.default_rng(0)
    V, H = rng.random((12, 130)) + 0.01, rng.random((3, 130)) + 0.1
    W = rng.random((12, 3) if lags is None else (lags, 12, 3)) + 0.1
    structure = na.structures.Product() if lags is None else na.structures.Convolutive()
    full = np.asfortranarray(np.broadcast_to(weights, V.shape))
    V = np.where(full > 0, V, 0)
    factors = Factor(W), Factor(H, penalties=penalties)
    return Problem(V, full, structure, Beta(beta), factors, (free, True)), [W, H]


def row_weights(zeros=2):
    weights = np.random.default_rng(1).random((12, 1)) * 4 + 0.1
    weights[:zeros] = 0
    return weights


@pytest.mark.parametrize("lags", [None, 3])
@pytest.mark.parametrize("beta", [0.5, 1, 1.3, 2, 3])
def test_scaled_rows_and_stepwise_agree(beta, lags):
    free = np.random.default_rng(2).random((12, 3)) < 0.7
    for moves in (True, free):
        problem, X = pose(
            beta,
            row_weights(),
            lags=lags,
            free=moves
            if moves is True
            else np.broadcast_to(moves, (12, 3) if lags is None else (lags, 12, 3)),
        )
        fused, stepwise = MU().begin(problem, X), Stepwise(mu_step, problem, X)
        assert isinstance(fused, RowScaledRun)
        for _ in range(2):
            fused.advance(2)
            stepwise.advance(2)
            assert fused.loss == pytest.approx(stepwise.loss, rel=1e-9)
        for a, b in zip(fused.factors(), stepwise.factors(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-8)


@pytest.mark.parametrize("beta", [0.5, 1, 2])
def test_extrapolated_runs_agree(beta):
    problem, X = pose(beta, row_weights())
    scaled, weighted = BMME().begin(problem, X), ExtrapolatedRun(problem, Beta(beta), X)
    assert isinstance(scaled, RowScaledRun)
    scaled.advance(10)
    weighted.advance(10)
    assert scaled.loss == pytest.approx(weighted.loss, rel=1e-8)
    for a, b in zip(scaled.factors(), weighted.factors(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_other_weights_are_applied_bin_by_bin():
    of_bins = np.random.default_rng(0).random((12, 130))
    far = row_weights(zeros=0) * 10.0 ** np.linspace(0, 250, 12)[:, None]
    for beta, weights, penalties in (
        (1, of_bins, ()),
        (0, row_weights(), ()),
        (1, row_weights(), (na.penalties.L1(0.1),)),
        (1, far, ()),
    ):
        problem, X = pose(beta, weights, penalties=penalties)
        assert isinstance(MU().begin(problem, X), FusedRun)
