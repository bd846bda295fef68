"""Frames of spectrograms: magnitudes, and overlap-add."""

import numpy as np
import pytest

from nmfaudio.kernels.frames import add_frames, magnitudes


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_magnitudes_are_the_root_mean_square_at_any_scale(dtype, channels):
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((channels, 20, 33)) + 1j * rng.standard_normal((channels, 20, 33))
    true = np.sqrt(np.square(np.abs(Z)).mean(axis=0))
    for scale in (1e-30, 1.0, 1e30):
        found = magnitudes((scale * Z).astype(dtype))
        assert found.dtype == np.finfo(dtype).dtype
        np.testing.assert_allclose(found / scale, true, rtol=4 * np.finfo(dtype).eps)


def test_frames_are_added_in_order():
    rng = np.random.default_rng(0)
    frames, window = rng.random((9, 16)).astype(np.float32), rng.random(16).astype(np.float32)
    sums, true = np.ones(8 * 5 + 16), np.ones(8 * 5 + 16)
    add_frames(frames, window, 5, sums)
    for t, frame in enumerate(frames):
        true[5 * t :][:16] += frame * window
    np.testing.assert_allclose(sums, true, rtol=1e-6)
