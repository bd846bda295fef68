"""Majorisers lie above their penalties and touch them at the current factor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws.catalogue import PENALTIES

import nmfaudio as na
from nmfaudio.errors import ContentError, ParameterError, ShapeError
from nmfaudio.factorisation.laws import penalties as laws


@pytest.mark.parametrize("name", PENALTIES)
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 8))
    | st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4)),
    zeros=st.booleans(),
    size=st.sampled_from([1e-3, 1.0, 1e3]),
    reach=st.sampled_from([1e-3, 1.0, 8.0]),
)
def test_majoriser_is_above_and_tight(name, seed, shape, zeros, size, reach):
    rng = np.random.default_rng(seed)
    penalty = PENALTIES[name](rng, shape)
    F = (rng.random(shape) + 1e-6) * size
    G = F * np.exp(reach * rng.normal(size=shape))
    if zeros:
        F[rng.random(shape) < 0.3] = 0
    laws.majorisation(penalty, F, G)


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 4), (3, 6), (2, 3, 4)])
def test_every_penalty_passes_the_public_check(name, shape):
    na.check_penalty(PENALTIES[name](np.random.default_rng(4), shape), shape)


@pytest.mark.parametrize(
    ("make", "error", "what"),
    [
        *(
            (lambda w=w: na.penalties.L1(w), ParameterError, "weight of L1")
            for w in (-1.0, np.nan, np.inf)
        ),
        (lambda: na.penalties.Log(1.0, 0), ParameterError, "eps of Log"),
        (lambda: na.penalties.MinVolume(1.0, 0), ParameterError, "delta of MinVolume"),
        (lambda: na.penalties.GroupSparsity(1.0, [[0, 1], [2]]), ParameterError, "groups is"),
        (
            lambda: na.penalties.GroupSparsity(1.0, "aab").value(np.ones((2, 5)), []),
            ShapeError,
            "3 entries",
        ),
        (lambda: na.penalties.Prior(1.0, [[-1.0]]), ContentError, "W0 of Prior"),
        (
            lambda: na.penalties.Prior(1.0, np.ones((2, 3))).value(np.ones((3, 2)), []),
            ShapeError,
            "W0 of",
        ),
        (lambda: na.penalties.Graph(1.0, np.ones((2, 3))), ShapeError, "must be square"),
        (lambda: na.penalties.Graph(1.0, np.ones(3)), ShapeError, "adjacency has 1 dim"),
        (lambda: na.penalties.Graph(1.0, -np.ones((2, 2))), ParameterError, "finite and ≥ 0"),
        (lambda: na.penalties.Graph(1.0, np.eye(3, k=1)), ParameterError, "transpose"),
        (
            lambda: na.penalties.Graph(1.0, np.eye(3)).value(np.ones((2, 5)), []),
            ShapeError,
            "one vertex per",
        ),
        (lambda: na.penalties.nearest_neighbours(np.ones((3, 4)), 4), ParameterError, "k must be"),
        (lambda: na.penalties.nearest_neighbours(np.ones(3), 1), ShapeError, "takes"),
        (lambda: na.penalties.nearest_neighbours(-np.ones((3, 4)), 1), ContentError, "negative"),
        (
            lambda: na.penalties.nearest_neighbours(np.ones((3, 4)), 1, weighting="heat"),
            ParameterError,
            "weighting is 'heat'",
        ),
    ],
)
def test_invalid_parameters_raise(make, error, what):
    with pytest.raises(error, match=what):
        make()


def test_penalties_are_equal_only_where_they_are_the_same():
    assert na.penalties.GroupSparsity(1.0, ["a", "b"]) == na.penalties.GroupSparsity(
        1.0, ("a", "b")
    )
    assert na.penalties.Log(1.0, 0.1) != na.penalties.Log(1.0, 0.2)
    one, other = (na.penalties.Prior(1.0, np.full((2, 2), x)) for x in (1.0, 2.0))
    assert one != other
    assert one == one
    one, other = (na.penalties.Graph(1.0, np.ones((n, n))) for n in (2, 3))
    assert one != other
    assert len({one, other, na.penalties.GroupSparsity(1.0, "ab")}) == 3


def test_penalties_copy_the_arrays_of_the_caller():
    W0, A = np.ones((2, 2)), np.ones((2, 2))
    prior, graph = na.penalties.Prior(1.0, W0), na.penalties.Graph(1.0, A)
    W0[:] = A[:] = 7
    assert (prior.W0 == 1).all()
    assert (graph.adjacency.toarray() == 1).all()


def test_terms_have_the_slope_of_their_sum():
    x, linear, quadratic, log, inverse = np.random.default_rng(0).uniform(0.5, 2, (5, 6))
    terms = na.penalties.Terms(linear, quadratic, log, inverse)
    expected = linear + quadratic * x - log / x - inverse / x**2
    np.testing.assert_allclose(terms.slope(x), expected, rtol=1e-12)
    assert np.array_equal(terms.slope(0 * x), linear)  # without the poles
    assert np.isfinite(terms.slope(np.full(6, 5e-324))).all()


@pytest.mark.parametrize("penalty", [na.penalties.MinVolume, na.penalties.Decorrelated])
def test_negative_weights_are_refused(penalty):
    rest = {"delta": 1.0} if penalty is na.penalties.MinVolume else {}
    with pytest.raises(ParameterError, match="weight"):
        penalty(-1.0, **rest)
