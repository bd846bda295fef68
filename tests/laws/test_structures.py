"""Every structure is a multilinear map with its adjoint, and parts sum to the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import model

import nmfaudio as na
from nmfaudio.errors import ShapeError

sizes = st.integers(1, 9)


@st.composite
def factored(draw):
    """A structure and random factors of it, more lags than frames included."""
    freq, time, rank = draw(sizes), draw(st.integers(1, 70)), draw(sizes)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    kind = draw(st.sampled_from(["product", "deep", "convolutive"]))
    if kind == "convolutive":
        return na.Convolutive(), [rng.random((draw(sizes), freq, rank)), rng.random((rank, time))]
    shapes = [(freq, rank), (rank, time)]
    if kind == "deep":
        shapes = [(freq, 4), (4, rank), (rank, time)]
    return na.Product(), [rng.random(s) for s in shapes]


@settings(max_examples=60, deadline=None)
@given(factored(), st.integers(0, 99))
def test_adjoint_identity(case, seed):
    structure, X = case
    Y = structure.forward(X)
    assert Y.shape == structure.shape(X)
    G = np.random.default_rng(seed).random(Y.shape)
    for i, F in enumerate(X):
        back = structure.adjoint(i, G, X)
        assert back.shape == F.shape
        assert (F * back).sum() == pytest.approx((Y * G).sum(), rel=1e-10)


@settings(max_examples=60, deadline=None)
@given(factored(), st.data())
def test_parts_of_a_partition_sum_to_forward(case, data):
    structure, X = case
    rank = len(X[-1])
    owner = np.array(data.draw(st.lists(st.integers(0, 2), min_size=rank, max_size=rank)))
    parts = sum(structure.part(X, np.flatnonzero(owner == s)) for s in range(3))
    np.testing.assert_allclose(parts, structure.forward(X), rtol=1e-10)


@settings(max_examples=30, deadline=None)
@given(factored())
def test_forward_equals_its_twin(case):
    structure, X = case
    left = X[0] @ X[1] if len(X) == 3 else X[0]
    np.testing.assert_allclose(structure.forward(X), model(left, X[-1]), rtol=1e-10)


@pytest.mark.parametrize(
    ("structure", "shapes"),
    [
        (na.Product(), [(5, 3), (4, 6)]),
        (na.Product(), [(5, 3)]),
        (na.Product(), [(2, 5, 3), (3, 6)]),
        (na.Convolutive(), [(5, 3), (3, 6)]),
        (na.Convolutive(), [(2, 5, 3), (4, 6)]),
    ],
)
def test_factors_that_do_not_fit_are_refused(structure, shapes):
    with pytest.raises(ShapeError):
        structure.shape([np.ones(s) for s in shapes])
