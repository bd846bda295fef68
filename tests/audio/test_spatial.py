"""Places of sources: what the multichannel Wiener filter keeps, and what it finds."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.kernels.threads import set_threads

FREQ, TIME = 9, 60


def scene(seed=0, sources=3, channels=2, dtype=np.complex128, freq=FREQ, time=TIME):
    """A mixture, and masks that sum to one."""
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((channels, freq, time)) + 1j * rng.standard_normal((channels, 1, time))
    masks = rng.random((sources, freq, time)) ** 3 + 1e-3
    return Z.astype(dtype), (masks / masks.sum(0)).astype(Z.astype(dtype).real.dtype)


def filtered(Z, masks):
    return na.audio.fit_spatial_filter(Z, masks)(Z, masks)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
@pytest.mark.parametrize(("freq", "time"), [(FREQ, TIME), (FREQ, 1), (1, TIME), (70, 3)])
def test_sources_sum_to_the_mixture_in_its_precision(dtype, channels, freq, time):
    Z, masks = scene(channels=channels, dtype=dtype, freq=freq, time=time)
    kept = Z.copy(), masks.copy()
    X = filtered(Z, masks)
    assert X.dtype == dtype
    assert X.shape == (3, *Z.shape)
    np.testing.assert_allclose(X.sum(0), Z, atol=8 * np.finfo(dtype).eps * np.abs(Z).max())
    np.testing.assert_array_equal((Z, masks)[0], kept[0])
    np.testing.assert_array_equal(masks, kept[1])


def test_one_channel_has_the_wiener_filter_of_one_channel():
    Z, masks = scene(channels=1)
    np.testing.assert_allclose(filtered(Z, masks), masks[:, None] * Z, atol=1e-12)


def test_sources_at_one_place_are_told_apart_by_the_masks_alone():
    Z, masks = scene(channels=1)
    both = np.concatenate([0.8 * Z, -0.6 * Z])
    X = filtered(both, masks)
    np.testing.assert_allclose(X, masks[:, None] * both, atol=5e-3)


def test_a_channel_in_which_a_source_is_silent_stays_silent():
    rng = np.random.default_rng(0)
    Z, masks = scene(sources=2)
    left, centre = Z.copy(), np.stack([Z[1, ::-1]] * 2)
    left[1] = 0
    masks = np.stack([np.abs(left).sum(0) * rng.uniform(0.3, 1, masks[0].shape), abs(centre[0])])
    masks /= masks.sum(0)
    X = na.audio.fit_spatial_filter(left + centre, masks, iterations=20)(left + centre, masks)
    energy = np.square(np.abs(X)).sum(axis=(2, 3))
    masked = np.square(masks[0] * np.abs(centre[1])).sum()
    assert energy[0, 1] < 0.05 * masked  # what one mask for both channels leaves there
    np.testing.assert_allclose(energy[1, 0] / energy[1, 1], 1, atol=0.2)  # it stays in the centre


def test_masks_that_leave_no_doubt_stay():
    Z, masks = scene()
    masks = (masks == masks.max(0)).astype(float)
    np.testing.assert_allclose(filtered(Z, masks), masks[:, None] * Z, atol=1e-12)


def test_channels_sources_and_loudness_may_change_without_effect():
    Z, masks = scene(channels=3)
    X, order = filtered(Z, masks), [2, 0, 1]
    np.testing.assert_allclose(filtered(Z[order], masks), X[:, order], atol=1e-9)
    np.testing.assert_allclose(filtered(Z, masks[order]), X[order], atol=1e-9)
    for factor in (1e-150, 1e150):
        np.testing.assert_allclose(filtered(Z * factor, masks) / factor, X, atol=1e-9)


@pytest.mark.parametrize("channels", [1, 2])
def test_silence_stays_silence_and_a_source_may_be_nothing(channels):
    Z, masks = scene(channels=channels)
    assert not filtered(0 * Z, masks).any()
    masks[0], Z[..., 5] = 0, 0
    masks /= masks.sum(0)
    X = filtered(Z, masks)
    assert np.isfinite(X).all()
    assert not X[0].any()
    assert not X[..., 5].any()


def test_the_same_bytes_for_any_number_of_threads():
    Z, masks = scene(freq=300, time=20)
    found = []
    try:
        for count in (1, 2, 3):
            set_threads(count)
            found.append(filtered(Z, masks).tobytes())
    finally:
        set_threads(None)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("shift", [0.0, 2.0])
def test_places_are_found_whether_or_not_they_depend_on_the_frequency(shift):
    """`shift`: radians per bin by which the second channel of a source comes late."""
    rng = np.random.default_rng(0)
    S = rng.standard_normal((2, 1, 20, 800)) ** 3 + 1j * rng.standard_normal((2, 1, 20, 800)) ** 3
    late = np.exp(1j * shift * np.array([[1], [-1]]) * np.arange(20))
    places = np.stack([np.ones((2, 20)), np.array([[0.5], [-0.5]]) * late], axis=1)
    sources = places[..., None] * S
    power = np.square(np.abs(sources)).sum(1) ** 0.25 + 0.3
    masks, Z = power / power.sum(0), sources.sum(0)
    spatial = na.audio.fit_spatial_filter(Z, masks, iterations=10)
    errors = [np.square(abs(X - sources)).sum() for X in (masks[:, None] * Z, spatial(Z, masks))]
    assert errors[1] < 0.1 * errors[0]
    R = spatial.covariances
    assert (shift == 0) == np.allclose(R, R[:, :1])
    np.testing.assert_allclose(R.trace(axis1=2, axis2=3), 2)
    np.testing.assert_allclose(R, R.conj().swapaxes(2, 3))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda Z, m: (Z[0], m), na.errors.ShapeError, "are needed"),
        (lambda Z, m: (Z, m[..., 1:]), na.errors.ShapeError, "are needed"),
        (lambda Z, m: (abs(Z), m), na.ParameterError, "complex"),
        (lambda Z, m: (Z, m - 1), na.ContentError, ">= 0"),
        (lambda Z, m: (Z * np.nan, m), na.ContentError, "finite"),
    ],
)
def test_what_does_not_fit_is_refused(change, error, words):
    with pytest.raises(error, match=words):
        na.audio.fit_spatial_filter(*change(*scene()))
    spatial = na.audio.fit_spatial_filter(*scene())
    with pytest.raises(error, match=words):
        spatial(*change(*scene()))
    with pytest.raises(na.errors.ShapeError, match="the filter is for"):
        spatial(*scene(sources=2))
