"""Objectives and updates entry by entry, as in the paper.

D. D. Lee and H. S. Seung, "Algorithms for non-negative matrix factorization", NIPS 13, 2001: with
V ≈ W H, one iteration is W first, then H with the new W.
"""

import math

import numpy as np
import pytest

import nmfaudio as na

FREQ, TIME, RANK = 6, 9, 3


def problem(seed=0):
    """V with single zeros, a silent frequency and a silent frame; and where W and H start."""
    rng = np.random.default_rng(seed)
    V = rng.random((FREQ, TIME))
    V[rng.random(V.shape) < 0.2] = 0
    V[2], V[:, 5] = 0, 0
    return V, rng.random((FREQ, RANK)) + 0.1, rng.random((RANK, TIME)) + 0.1


def frobenius(V, Y):
    """½ ‖V − Y‖²"""
    return sum(0.5 * (v - y) ** 2 for v, y in zip(V.flat, Y.flat, strict=True))


def kullback_leibler(V, Y):
    """Σ V log(V / Y) − V + Y, where 0 log 0 = 0."""
    return sum(
        (v * math.log(v / y) if v > 0 else 0.0) - v + y for v, y in zip(V.flat, Y.flat, strict=True)
    )


def itakura_saito(V, Y):
    """Σ V / Y − log(V / Y) − 1"""
    return sum(v / y - math.log(v / y) - 1 for v, y in zip(V.flat, Y.flat, strict=True))


def frobenius_updates(V, W, H):
    """W ← W · (V Hᵀ) / (W H Hᵀ), then H ← H · (Wᵀ V) / (Wᵀ W H)."""
    f, t, k = range(FREQ), range(TIME), range(RANK)

    def model(W, H):
        return [[sum(W[i, c] * H[c, j] for c in k) for j in t] for i in f]

    Y, new_W, new_H = model(W, H), W.copy(), H.copy()
    for i in f:
        for c in k:
            new_W[i, c] *= sum(V[i, j] * H[c, j] for j in t) / sum(Y[i][j] * H[c, j] for j in t)
    Y = model(new_W, H)
    for c in k:
        for j in t:
            new_H[c, j] *= sum(new_W[i, c] * V[i, j] for i in f) / sum(
                new_W[i, c] * Y[i][j] for i in f
            )
    return new_W, new_H


def kullback_leibler_updates(V, W, H):
    """W ← W · ((V / WH) Hᵀ) / Σ_t H, then H ← H · (Wᵀ (V / WH)) / Σ_f W."""
    f, t, k = range(FREQ), range(TIME), range(RANK)

    def ratio(W, H):  # where V is 0 so is the ratio, whatever the model is
        return [[V[i, j] and V[i, j] / sum(W[i, c] * H[c, j] for c in k) for j in t] for i in f]

    R, new_W, new_H = ratio(W, H), W.copy(), H.copy()
    for i in f:
        for c in k:
            new_W[i, c] *= sum(R[i][j] * H[c, j] for j in t) / sum(H[c, j] for j in t)
    R = ratio(new_W, H)
    for c in k:
        for j in t:
            new_H[c, j] *= sum(new_W[i, c] * R[i][j] for i in f) / sum(new_W[i, c] for i in f)
    return new_W, new_H


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("beta", "objective"), [(2, frobenius), (1, kullback_leibler), (0, itakura_saito)]
)
def test_the_objective(beta, objective, dtype):
    V, W, H = (F.astype(dtype) for F in problem())
    if beta == 0:
        V += dtype(0.05)  # it has no value at 0
    Y = W @ H
    value = na.Beta(beta).value(V, Y, None)
    assert value == pytest.approx(objective(V.astype(float), Y.astype(float)), rel=1e-6)
    loss = na.nmf(V, W=W, H=H, beta_loss=beta, max_iter=0).losses[0]
    assert loss == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("beta", [1, 2])
def test_nothing_explained_by_nothing_costs_nothing(beta):
    nothing = np.zeros((2, 3))
    assert na.Beta(beta).value(nothing, nothing, None) == pytest.approx(0, abs=1e-50)
    assert na.Beta(1).value(nothing, nothing + 0.5, None) == 3.0  # 0 log 0 = 0, so Σ Y is left


@pytest.mark.parametrize(
    ("beta", "updates"), [(2, frobenius_updates), (1, kullback_leibler_updates)]
)
@pytest.mark.parametrize("seed", range(3))
def test_one_iteration(seed, beta, updates):
    V, W, H = problem(seed)
    new_W, new_H = updates(V, W, H)
    d = na.nmf(V, W=W, H=H, beta_loss=beta, solver="mu", max_iter=1, tol=0)
    np.testing.assert_allclose(d.W, new_W, rtol=1e-12, atol=1e-30)
    np.testing.assert_allclose(d.H, new_H, rtol=1e-12, atol=1e-30)


@pytest.mark.parametrize("beta", [0, 0.5, 1, 1.5, 2, 3])
def test_the_gradients_are_those_of_finite_differences(beta):
    """∂D/∂W = (B − A) Hᵀ and ∂D/∂H = Wᵀ (B − A), with the two halves of ∂D/∂Y."""
    V, W, H = problem()
    V = V + 0.05 * (beta <= 0)
    divergence, structure = na.Beta(beta), na.structures.Product()
    weights = np.random.default_rng(1).random(V.shape)

    def cost(W, H):
        return divergence.value(V, W @ H, weights)

    A, B = divergence.gradient_parts(V, W @ H, weights)
    assert (A >= 0).all()
    assert (B >= 0).all()
    step = 1e-6
    for i, F in enumerate((W, H)):
        gradient = structure.adjoint(i, B - A, [W, H])
        for entry in np.ndindex(F.shape):
            sides = []
            for sign in (1, -1):
                X = [W.copy(), H.copy()]
                X[i][entry] += sign * step
                sides.append(cost(*X))
            difference = (sides[0] - sides[1]) / (2 * step)
            assert gradient[entry] == pytest.approx(difference, rel=1e-5, abs=1e-6)
