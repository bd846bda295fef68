"""Deep NMF: layers fit each other, training together never makes them worse."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.initialisation import power_of_two

BETAS = ["kl", "is", "frobenius", 0.5, 3]


def spectrogram(rng, dtype=np.float64):
    return (rng.random((19, 6)) @ rng.random((6, 31)) + 0.01).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, pytest.param(np.float64, marks=pytest.mark.slow)])
@pytest.mark.parametrize("beta", BETAS)
def test_training_together_never_rises_from_where_the_layers_ended(beta, dtype):
    rng = np.random.default_rng(0)
    V = spectrogram(rng, dtype)
    weights = rng.random(V.shape).astype(dtype)
    weights[:, 3] = 0
    deep = na.recipes.deep_nmf(
        V, [7, 5, 2], beta_loss=beta, weights=weights, max_iter=40, tol=0, check_every=1, rng=1
    )
    slack = 1e-12 if dtype == np.float64 else 2e-6
    for losses in (deep.joint.losses, *(layer.losses for layer in deep.layerwise)):
        assert (np.diff(losses) <= slack * losses[:-1]).all()
    assert {F.dtype for F in deep.joint.factors} == {np.dtype(dtype)}
    start = deep.layerwise[-1].H
    for layer in reversed(deep.layerwise):
        start = layer.W @ start
    divergence = deep.joint.divergence
    total = divergence.value(divergence.prepare(V, weights), start, weights)
    assert deep.joint.losses[0] == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("beta", BETAS)
def test_the_losses_of_the_layers_are_what_they_say(beta):
    V = spectrogram(np.random.default_rng(0))
    deep = na.recipes.deep_nmf(V, [7, 5, 2], beta_loss=beta, max_iter=30, rng=1)
    before, after = deep.layer_losses
    np.testing.assert_array_equal([before[0], after[0]], deep.joint.losses[[0, -1]])
    assert before[-1] == pytest.approx(deep.layerwise[-1].losses[-1], rel=1e-9)
    assert np.isfinite(deep.layer_losses).all()
    W1, W2, W3, H = deep.joint.factors
    for given, model, loss in (
        (deep.layerwise[1].H, W3 @ H, after[2]),
        (deep.layerwise[0].H, W2 @ W3 @ H, after[1]),
    ):
        scale = power_of_two(given.mean())  # the floor that β ≤ 0 needs is relative to it
        divergence = deep.joint.divergence
        cost = divergence.value(divergence.prepare(given / scale, None), model / scale, None)
        assert loss == pytest.approx(cost * scale**divergence.beta)
    for W in (W1, W2, W3, *(layer.W for layer in deep.layerwise)):
        np.testing.assert_allclose(W.sum(0), 1)


def test_every_layer_is_a_view_of_the_same_model():
    V = spectrogram(np.random.default_rng(0))
    deep = na.recipes.deep_nmf(V, [7, 5, 2], rng=1)
    for number, rank in enumerate((7, 5, 2), 1):
        layer = deep.layer(number)
        assert layer.W.shape == (19, rank)
        assert layer.n_components == rank
        np.testing.assert_allclose(layer.model(), deep.joint.model())
        np.testing.assert_allclose(sum(layer.component(k) for k in range(rank)), layer.model())
    np.testing.assert_array_equal(deep.layer(1).W, deep.joint.factors[0])
    np.testing.assert_array_equal(deep.layer(3).H, deep.joint.factors[-1])
    np.testing.assert_allclose(deep.layer(2).W, deep.joint.factors[0] @ deep.joint.factors[1])
    for number in (0, 4):
        with pytest.raises(ParameterError, match="layer must be an integer from 1 to 3"):
            deep.layer(number)


def test_layers_show_which_notes_make_which_chord():
    """Six notes of three partials each; three chords of two notes; one chord at a time."""
    rng = np.random.default_rng(3)
    notes = np.kron(np.eye(6), np.array([[1.0], [0.6], [0.3]]))
    chords = np.kron(np.eye(3), np.array([[1.0], [0.7]]))
    played = rng.random((3, 80)) * (rng.random((3, 80)) < 0.6)
    loose = 0.3 * rng.random((6, 80)) * (rng.random((6, 80)) < 0.2)  # notes of their own, softly
    V = notes @ (chords @ played + loose)
    deep = na.recipes.deep_nmf(V, [6, 3], max_iter=500, tol=1e-7, init="spa", rng=0)
    of_layer = [deep.layer(number).W for number in (1, 2)]
    note = of_layer[0].argmax(0) // 3
    assert sorted(note) == list(range(6))
    members = deep.joint.factors[1] > 0.2
    found = {frozenset(note[members[:, k]]) for k in range(3)}
    assert found == {frozenset({0, 1}), frozenset({2, 3}), frozenset({4, 5})}


def test_the_same_seed_gives_the_same_bytes():
    V = spectrogram(np.random.default_rng(0), np.float32)
    first, second = (na.recipes.deep_nmf(V, [5, 2], rng=4, max_iter=20) for _ in range(2))
    other = na.recipes.deep_nmf(V, [5, 2], rng=5, max_iter=20)
    for F, G in zip(first.joint.factors, second.joint.factors, strict=True):
        np.testing.assert_array_equal(F, G)
    assert not np.array_equal(first.joint.H, other.joint.H)


def test_a_missing_bin_says_nothing():
    rng = np.random.default_rng(0)
    V = spectrogram(rng)
    holes = rng.random(V.shape) < 0.2
    runs = []
    for filling in (np.nan, 7.0):
        filled = np.where(holes, filling, V)
        deep = na.recipes.deep_nmf(np.ma.masked_array(filled, holes), [5, 2], max_iter=20, rng=0)
        runs.append(deep.joint.model())
    np.testing.assert_array_equal(*runs)


@pytest.mark.parametrize("ranks", [[4], [], [3, 3], [3, 5], [5, 0], [5.0, 2], 5])
def test_ranks_that_are_no_layers_are_refused(ranks):
    with pytest.raises(ParameterError, match="n_components"):
        na.recipes.deep_nmf(np.ones((6, 9)), ranks)


def test_only_matrices_are_deep():
    with pytest.raises(ShapeError, match="deep_nmf needs"):
        na.recipes.deep_nmf(np.ones((2, 6, 9)), [3, 2])
