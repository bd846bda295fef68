"""Linear interpolation along one axis agrees with NumPy's for vectors."""

import numpy as np
import pytest

from nmfaudio.audio.interpolation import interpolate

X = np.random.default_rng(0).random((7, 5))


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("outside", ["nearest", "zero"])
def test_rows_and_columns_as_numpy_has_them(axis, outside):
    n = X.shape[axis]
    coordinates = np.cumsum(np.random.default_rng(1).random(n))
    positions = np.concatenate([coordinates, np.linspace(-0.5, n, 30)])
    edge = {} if outside == "nearest" else {"left": 0, "right": 0}
    expected = np.apply_along_axis(lambda x: np.interp(positions, coordinates, x, **edge), axis, X)
    got = interpolate(X, positions, axis=axis, coordinates=coordinates, outside=outside)
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_indices_are_the_default_coordinates_and_one_entry_is_held():
    positions = np.array([0.0, 1.5, 6.0, 9.0])
    expected = [np.interp(positions, np.arange(7), column) for column in X.T]
    np.testing.assert_allclose(interpolate(X, positions, axis=0), np.transpose(expected))
    assert (interpolate(X[:1], positions, axis=0) == X[[0] * 4]).all()
    assert interpolate(X.astype(np.float32), positions, axis=0).dtype == np.float32
