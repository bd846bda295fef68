"""Recursions over time equal their NumPy twins, bit for bit."""

import numpy as np
import pytest
from twins import decaying_maximum as twin_maximum
from twins import likeliest_states as twin_states

from nmfaudio.kernels.activity import decaying_maximum, likeliest_states

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (2, 0)])
def test_decaying_maxima(dtype, shape):
    X = (RNG.random(shape) ** 8).astype(dtype)
    found = decaying_maximum(X, 0.93)
    assert found.dtype == dtype
    assert np.array_equal(found, twin_maximum(X, 0.93))


@pytest.mark.parametrize("cost", [0.0, 0.7, 30.0])
@pytest.mark.parametrize("shape", [(1, 1), (3, 200)])
def test_likeliest_states(cost, shape):
    odds = RNG.standard_normal(shape)
    before = odds.copy()
    assert np.array_equal(likeliest_states(odds, cost), twin_states(odds, cost))
    assert np.array_equal(odds, before)
