"""Majorisers lie above their penalties and touch them at the current factor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws.catalogue import PENALTIES

import nmfaudio as na
from nmfaudio.errors import ContentError, ParameterError, ShapeError


def bound(terms, X, F):
    """Majoriser at X from terms made at F; F is 0 only where X is."""
    linear, quadratic, log, inverse = (np.broadcast_to(t, X.shape).astype(float) for t in terms)
    total = linear * X + 0.5 * quadratic * X**2
    inside = (F > 0) & (X > 0)
    safe = np.where(inside, X, 1)
    total[inside] += (inverse / safe - log * np.log(safe))[inside]
    return float(total.sum())


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
    terms = penalty.majorize(F, [F])
    assert all(np.min(t) >= 0 for t in terms[1:])
    if np.ndim(terms.log) or np.ndim(terms.inverse):
        G[F == 0] = 0  # which solvers keep
    offset = penalty.value(F, [F]) - bound(terms, F, F)
    size = abs(bound(terms, G, F)) + abs(bound(terms, F, F)) + 1
    assert penalty.value(G, [G]) <= bound(terms, G, F) + offset + 1e-11 * size


@pytest.mark.parametrize("name", PENALTIES)
def test_a_tight_bound_has_the_penaltys_slope(name):
    rng = np.random.default_rng(4)
    F = rng.random((3, 6)) + 0.3
    penalty = PENALTIES[name](rng, F.shape)
    terms = penalty.majorize(F, [F])
    for at in np.ndindex(F.shape):
        slopes = []
        for cost in (lambda X: penalty.value(X, [X]), lambda X: bound(terms, X, F)):
            up, down = F.copy(), F.copy()
            up[at] += 1e-5
            down[at] -= 1e-5
            slopes.append((cost(up) - cost(down)) / 2e-5)
        assert slopes[0] == pytest.approx(slopes[1], rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 4)])
def test_a_bound_bends_more_than_its_penalty_in_every_direction(name, shape):
    rng = np.random.default_rng(6)
    F = rng.random(shape) + 0.3
    penalty = PENALTIES[name](rng, shape)
    terms = penalty.majorize(F, [F])
    steps = 1e-3 * np.eye(F.size).reshape(-1, *shape)

    def gap(X):
        return bound(terms, X, F) - penalty.value(X, [X])

    bends = [
        [gap(F + a + b) - gap(F + a - b) - gap(F - a + b) + gap(F - a - b) for a in steps]
        for b in steps
    ]
    assert np.linalg.eigvalsh(np.array(bends) / 4e-6).min() >= -1e-4


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_see_float32_as_the_same_numbers(name):
    rng = np.random.default_rng(4)
    F = (rng.random((3, 6)) + 0.3).astype("f4")
    penalty = PENALTIES[name](rng, F.shape)
    kept = F.copy()
    assert penalty.value(F, [F]) == pytest.approx(penalty.value(F.astype(float), [F]), rel=1e-12)
    for narrow, wide in zip(
        penalty.majorize(F, [F]), penalty.majorize(F.astype(float), [F]), strict=True
    ):
        np.testing.assert_allclose(narrow, wide, rtol=1e-12)
    assert np.array_equal(F, kept)


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
