"""Divergences by name, by number and as objects, wherever `beta_loss` is taken."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.errors import ParameterError
from nmfaudio.estimators import NMF
from nmfaudio.factorisation.divergences import beta_named, divergence_named
from nmfaudio.transcription import NoteModel

V = np.random.default_rng(0).random((9, 14)) + 0.1


class Squared:
    """Half the squared error, as a user would write it."""

    exponents = (1.0, 0.0)
    degree = 2.0

    def prepare(self, V, weights):
        return V

    def value(self, V, Y, weights):
        return float((0.5 * (V - Y) ** 2 * (1 if weights is None else weights)).sum())

    def gradient_parts(self, V, Y, weights):
        m = np.ones_like(V) if weights is None else weights
        return m * V, m * Y


@pytest.mark.parametrize(
    ("name", "beta"),
    [
        ("kl", 1),
        ("kullback-leibler", 1),
        ("is", 0),
        ("itakura-saito", 0),
        ("frobenius", 2),
        ("euclidean", 2),
        (0.5, 0.5),
        (na.Beta(1.5, floor=1e-3), 1.5),
    ],
)
def test_every_name_means_its_beta(name, beta):
    assert divergence_named(name).beta == beta
    assert na.nmf(V, 2, beta_loss=name, max_iter=1, rng=0).divergence.beta == beta
    assert NMF(2, beta_loss=name, max_iter=1, random_state=0).fit(V).n_iter_ == 1


def test_a_divergence_of_the_user_is_minimised_everywhere():
    settings = {"solver": "mu", "max_iter": 20, "tol": 0, "rng": 0}
    own, known = (na.nmf(V, 2, beta_loss=b, **settings) for b in (Squared(), 2))
    np.testing.assert_allclose(own.W, known.W, rtol=1e-9)
    estimator = [NMF(2, beta_loss=b, solver="mu", random_state=0).fit(V) for b in (Squared(), 2)]
    np.testing.assert_allclose(*(e.components_ for e in estimator), rtol=1e-7)
    deep = na.recipes.deep_nmf(V, [4, 2], beta_loss=Squared(), max_iter=3, rng=0)
    assert isinstance(deep.joint.divergence, Squared)
    chosen = [
        na.rank_selection.select_rank(V, range(1, 4), beta_loss=b, max_iter=30, rng=0).scores
        for b in (Squared(), na.Beta(2))
    ]
    assert chosen[0] == pytest.approx(chosen[1], rel=0.2)
    dictionary = na.Dictionary(
        np.random.default_rng(0).random((257, 2)), ["a"] * 2, na.Stft(8000, 512), [60, 64]
    )
    spectrogram = np.random.default_rng(1).random((257, 40))
    activations = [
        NoteModel(beta_loss=b).activations(spectrogram, dictionary).H for b in (Squared(), 2)
    ]
    np.testing.assert_allclose(*activations, rtol=0.02)  # BMME and MU, before they end


def test_the_floor_of_a_divergence_counts_in_every_fit():
    """Formerly β alone was handed on, without its floor."""
    quiet = np.where(np.random.default_rng(0).random(V.shape) < 0.3, 0, V)
    scores = [
        na.rank_selection.select_rank(
            quiet, [1, 2], beta_loss=na.Beta(0, floor=floor), max_iter=20, rng=0
        ).scores[1]
        for floor in (1e-8, 0.5)
    ]
    assert scores[1] < 0.5 * scores[0]


@pytest.mark.parametrize("wrong", ["l2", None, na.Beta, np.nan, [1]])
def test_anything_else_is_refused_in_one_line(wrong):
    with pytest.raises(na.ParameterError, match="beta_loss") as error:
        na.nmf(V, 2, beta_loss=wrong)
    assert "\n" not in str(error.value)


def test_what_needs_a_beta_says_so():
    for call in (
        lambda: beta_named(Squared(), "this"),
        lambda: na.factorisation.OnlineNMF(2, beta_loss=Squared()),
        lambda: na.recipes.feature_weighted_nmf(V, 2, beta_loss=Squared()),
        lambda: na.rank_selection.select_rank(V, [1, 2], method="ard", beta_loss=Squared()),
    ):
        with pytest.raises(na.ParameterError, match="needs a beta-divergence"):
            call()


def test_a_note_model_needs_a_degree():
    class Odd(Squared):
        degree = None

    with pytest.raises(na.ParameterError, match="degree is None"):
        NoteModel(beta_loss=Odd())


@pytest.mark.parametrize("beta", [-1e308, -11, 11, 10**400])
def test_a_beta_whose_powers_overflow_is_refused(beta):
    with pytest.raises(ParameterError, match="beta"):
        na.Beta(beta)
