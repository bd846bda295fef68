"""Running medians are medians."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nmfaudio.kernels.median import running_median


@settings(deadline=None)
@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 60),
    dtype=st.sampled_from([np.float32, np.float64]),
    data=st.data(),
    seed=st.integers(0, 2**32),
)
def test_running_medians_are_medians_of_the_mirrored_row(rows, columns, dtype, data, seed):
    half = data.draw(st.integers(1, columns))
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, columns)).astype(dtype)
    X[rng.random(X.shape) < 0.3] = 0  # ties
    kept = X.copy()
    padded = np.pad(X, ((0, 0), (half, half)), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=1)
    found = running_median(X, half)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.median(windows, axis=-1))
    np.testing.assert_array_equal(X, kept)
