"""Updates of a few frames: those of the engine, for one frame and for a convolutive model."""

import numpy as np
import pytest
from twins import model

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.engine import decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.online import activations
from nmfaudio.factorisation.structures import Convolutive
from nmfaudio.kernels.frame_updates import add_templates, update_activations


def fit(V, W, H, *, residual=None, excess=0.0, iterations=10, beta=1.0, faint=0.0):
    """Activations of V (freq, time) for W (lag, freq, component), from H (component, time)."""
    rows = np.ascontiguousarray(V.T)
    before = np.zeros((len(W) - 1, len(H)), V.dtype)
    out = np.concatenate([before, H.T]).astype(V.dtype)
    extra = np.zeros((0, len(V)), V.dtype) if residual is None else residual
    templates = np.ascontiguousarray(W.transpose(0, 2, 1))
    update_activations(rows, templates, out, extra, excess, iterations, beta, faint)
    return out[len(W) - 1 :].T


def data(lags, frames=9):
    rng = np.random.default_rng(0)
    W, V = rng.random((lags, 30, 5)).astype(np.float32), rng.random((30, frames)).astype(np.float32)
    return V, W, np.full((5, frames), 0.3, np.float32)


def twin(V, W, H, beta, iterations=10):
    """Multiplicative updates of H by their definition."""
    gamma = 1 if 1 <= beta <= 2 else 1 / (2 - beta) if beta < 1 else 1 / (beta - 1)
    frames = V.shape[1]
    for _ in range(iterations):
        Y = model(W, H)
        A, B = V * Y ** (beta - 2), Y ** (beta - 1)
        ratios = []
        for X in (A, B):
            parts = np.zeros_like(H)
            for d in range(min(len(W), frames)):
                parts[:, : frames - d] += W[d].T @ X[:, d:]
            ratios.append(parts)
        H = H * (ratios[0] / ratios[1]) ** gamma
    return H


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5])
@pytest.mark.parametrize("lags", [1, 4, 12])
def test_updates_are_those_of_the_definition(lags, beta):
    V, W, H = data(lags)
    np.testing.assert_allclose(fit(V, W, H, beta=beta), twin(V, W, H, beta), rtol=1e-3)


def test_frames_of_plain_nmf_are_those_of_the_engine():
    V, W, _ = data(1)
    H = np.tile(V.mean(axis=0) / (W.sum() / len(V)), (5, 1))
    expected = activations(V, W[0], Beta(1.0), max_iter=10)
    np.testing.assert_allclose(fit(V, W, H), expected, rtol=1e-4, atol=1e-6)


def test_a_convolutive_model_is_that_of_the_engine():
    V, W, H = data(4)
    expected = decompose(
        V,
        [Factor(W, False), Factor(H)],
        structure=Convolutive(),
        solver="mu",
        max_iter=10,
        tol=0,
    ).H
    np.testing.assert_allclose(fit(V, W, H), expected, rtol=1e-3)


def test_frames_before_the_window_count_as_sound_and_stay():
    V, W, H = data(3)
    rows = np.concatenate([np.full((2, 5), 0.2, np.float32), H.T])
    templates = np.ascontiguousarray(W.transpose(0, 2, 1))
    past = sum((W[d] @ rows[2 - d] for d in (1, 2)), np.zeros(30))  # in the first frame
    V[:, 0] = past + 2 * W[0] @ H[:, 0]
    nothing = np.zeros((0, 30), np.float32)
    update_activations(V.T[:1].copy(), templates, rows[:3], nothing, 0.0, 200, 1.0, 0.0)
    assert (rows[:2] == np.float32(0.2)).all()
    np.testing.assert_allclose(W[0] @ rows[2], 2 * W[0] @ H[:, 0], rtol=0.02)


def test_the_residual_is_what_exceeds_the_templates():
    V, W, H = data(1, 1)
    V = W[0] @ H
    V[7] *= 4  # a sound that no template has
    residual = np.full((1, 30), 0.5, np.float32)
    fit(V, W, H, residual=residual, excess=0.5, iterations=300)
    assert residual[0, 7] > 0.3 * V[7, 0]
    assert np.delete(residual[0], 7).max() < 1e-3


def test_faint_activations_are_removed_once_and_silence_leaves_zeros():
    V, W, H = data(1)
    H[0] = 1e-6
    assert (fit(V, W, H, faint=1e-3)[0] == 0).all()
    assert (fit(V, W, H)[0] > 0).all()
    silent = fit(np.zeros_like(V), W, H, residual=np.ones((9, 30), np.float32), beta=0.5)
    assert (silent == 0).all()


def test_templates_are_added_with_their_activations():
    _, W, H = data(1)
    out = np.ones(30, np.float32)
    add_templates(np.ascontiguousarray(W[0].T), H[:, 0], out)
    np.testing.assert_allclose(out, 1 + W[0] @ H[:, 0], rtol=1e-5)
