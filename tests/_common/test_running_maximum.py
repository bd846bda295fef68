"""`running_maximum` equals the filter of SciPy."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d

from nmfaudio._common.running_maximum import running_maximum


@pytest.mark.parametrize("half", [0, 1, 2, 3, 8, 30])
@pytest.mark.parametrize("shape", [(20,), (3, 20), (2, 0)])
def test_it_equals_that_of_scipy(half, shape):
    values = np.random.default_rng(0).random(shape)
    expected = values
    if values.size:
        expected = maximum_filter1d(values, 2 * half + 1, axis=-1, mode="constant")
    np.testing.assert_array_equal(running_maximum(values, half), expected)
