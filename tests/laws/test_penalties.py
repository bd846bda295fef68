"""A majoriser lies above its penalty and touches it where it was made."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nmfaudio as na
from nmfaudio.errors import ParameterError

PENALTIES = [na.L1(0.7), na.L2(0.4), na.Smooth(1.3), na.Smooth(0.9, axis=0)]


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 9))
def test_majoriser_is_above_and_tight(penalty, seed, rows, columns):
    rng = np.random.default_rng(seed)
    F, G = rng.random((2, rows, columns)) * 5
    lin, quad, pull = penalty.majorize(F, [F])

    def bound(X):
        return (lin * X + 0.5 * quad * X**2 - pull * np.log(np.maximum(X, 1e-300))).sum()

    offset = penalty.value(F, [F]) - bound(F)
    assert penalty.value(G, [G]) <= bound(G) + offset + 1e-9


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_weights_that_make_no_sense_are_refused(weight):
    with pytest.raises(ParameterError, match="weight of L1"):
        na.L1(weight)


def test_smooth_activations_are_smoother():
    rng = np.random.default_rng(0)
    V, W, H = rng.random((12, 40)), rng.random((12, 3)), rng.random((3, 40))
    rough = []
    for weight in (0.0, 1.0, 100.0):
        d = na.decompose(V, [na.Factor(W, free=False), na.Factor(H, True, (na.Smooth(weight),))])
        rough.append(np.square(np.diff(d.H)).sum())
    assert rough[0] > rough[1] > rough[2]
