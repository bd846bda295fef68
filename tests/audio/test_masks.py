"""Laws of masks: in every bin they share out exactly one."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import nmfaudio as na
from nmfaudio.audio.masking import BLOCK, Masking, join_frames, masked_blocks, stack_frames
from nmfaudio.audio.masks import binary_masks, soft_masks
from nmfaudio.errors import ContentError, ParameterError, ShapeError


@st.composite
def sources(draw, elements: st.SearchStrategy[float]) -> list[np.ndarray]:
    """One to six non-negative models of one shape and dtype."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 5)))
    n = draw(st.integers(1, 6))
    values = elements.map(lambda x: float(dtype(x)))
    return [draw(arrays(dtype, shape, elements=values)) for _ in range(n)]


ANY_SCALE = st.one_of(
    st.sampled_from([0.0, 1e-45, 1e-38, 1e-30, 1.0, 1e30, 3e38]), st.floats(0, 3e38)
)
exponents = st.floats(0.1, 10)


@settings(deadline=None)
@given(parts=sources(ANY_SCALE), alpha=exponents, power=exponents)
def test_soft_masks_sum_to_one_in_every_bin(parts, alpha, power):
    before = [part.copy() for part in parts]
    masks = list(soft_masks(parts, alpha=alpha, power=power))
    assert len(masks) == len(parts)
    assert all(mask.dtype == parts[0].dtype for mask in masks)
    assert all((mask >= 0).all() for mask in masks)
    ulps = 4 * np.finfo(parts[0].dtype).eps
    np.testing.assert_allclose(sum(masks), 1, rtol=0, atol=ulps)
    for part, kept in zip(parts, before, strict=True):
        np.testing.assert_array_equal(part, kept)


@settings(deadline=None)
@given(parts=sources(st.floats(0.1, 10)), alpha=exponents, power=exponents)
def test_soft_masks_follow_the_formula(parts, alpha, power):
    weights = np.array(parts, np.float64) ** (alpha / power)
    expected = weights / weights.sum(axis=0)
    rtol = 1e-3 if parts[0].dtype == np.float32 else 1e-12
    np.testing.assert_allclose(
        list(soft_masks(parts, alpha=alpha, power=power)), expected, rtol=rtol, atol=1e-40
    )


@settings(deadline=None)
@given(parts=sources(st.floats(0.1, 10)), exponent=st.sampled_from([-100, 100]))
def test_soft_masks_ignore_scale_and_order(parts, exponent):
    masks = np.array(list(soft_masks(parts)))
    scaled = [part * part.dtype.type(2.0**exponent) for part in parts]
    np.testing.assert_array_equal(list(soft_masks(scaled)), masks)
    np.testing.assert_allclose(list(soft_masks(parts[::-1])), masks[::-1], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_extreme_scales_keep_the_shares(dtype, scale):
    parts = [np.full((1, 1), share * scale, dtype) for share in (3, 1)]
    np.testing.assert_allclose(np.ravel(list(soft_masks(parts))), [0.9, 0.1], rtol=1e-6)


def test_equal_shares_where_all_are_zero():
    masks = soft_masks([np.zeros((2, 3), np.float32)] * 4)
    np.testing.assert_array_equal(list(masks), np.full((4, 2, 3), 0.25))


def test_models_of_power_get_the_same_masks_as_models_of_amplitude():
    rng = np.random.default_rng(0)
    parts = list(rng.random((3, 4, 5)))
    of_power = soft_masks([part**2 for part in parts], alpha=1.0, power=2.0)
    np.testing.assert_allclose(list(of_power), list(soft_masks(parts, alpha=1.0)), rtol=1e-12)


@settings(deadline=None)
@given(parts=sources(ANY_SCALE))
def test_binary_masks_choose_the_first_largest(parts):
    masks = np.array(list(binary_masks(parts)))
    assert masks.dtype == parts[0].dtype
    assert set(np.unique(masks)) <= {0, 1}
    np.testing.assert_array_equal(masks.sum(axis=0), 1)
    np.testing.assert_array_equal(masks.argmax(axis=0), np.array(parts).argmax(axis=0))


@pytest.mark.parametrize("function", [soft_masks, binary_masks])
def test_masks_are_a_list_in_the_order_of_the_parts(function):
    masks = function([np.array([[3.0]]), np.array([[1.0]])])
    assert len(masks) == 2
    assert masks[0] > masks[1]


@pytest.mark.parametrize("function", [soft_masks, binary_masks])
def test_a_single_part_takes_all(function):
    (mask,) = function([np.array([[0.0, 1e-40, 7.0]])])
    np.testing.assert_array_equal(mask, 1)


@pytest.mark.parametrize("function", [soft_masks, binary_masks])
def test_integers_and_mixed_precisions_become_float64(function):
    parts = [np.ones((2, 2), np.float32), np.full((2, 2), 1e300), np.array([[0, 1], [2, 3]])]
    masks = list(function(parts))
    assert {mask.dtype for mask in masks} == {np.dtype(np.float64)}
    np.testing.assert_array_equal(masks[1], 1)


@pytest.mark.parametrize("function", [soft_masks, binary_masks])
@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        ([], ParameterError, "parts is empty"),
        ([np.ones((2, 2)), np.ones((2, 3))], ShapeError, r"parts\[1\] has shape \(2, 3\)"),
        ([np.ones((2, 0))], ShapeError, "at least 1 bin"),
        ([np.ones(2), np.array([1, -0.5])], ContentError, r"parts\[1\] .* from -0.5 to 1"),
        ([np.array([1, np.nan])], ContentError, "finite"),
        ([np.array([1, np.inf])], ContentError, "finite"),
        ([np.ones(2) * 1j], ParameterError, "complex128"),
        (iter([np.ones(2)]), ParameterError, "is an iterator"),
    ],
)
def test_bad_parts_are_named(function, parts, error, message):
    with pytest.raises(error, match=message):
        function(parts)


@pytest.mark.parametrize("bad", [0, -1, np.nan, np.inf, True, "2"])
def test_bad_exponents_are_named(bad):
    with pytest.raises(ParameterError, match="alpha"):
        soft_masks([np.ones(2)], alpha=bad)
    with pytest.raises(ParameterError, match="power"):
        soft_masks([np.ones(2)], power=bad)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_exponent_beyond_all_numbers_gives_binary_masks(dtype):
    parts = [np.array([3, 1, 0.5], dtype), np.array([1, 2, 0.25], dtype)]
    for each, binary in zip(soft_masks(parts, alpha=1e308), binary_masks(parts), strict=True):
        np.testing.assert_array_equal(each, binary)


def test_joined_and_stacked_arrays_keep_their_frames_contiguous():
    rng = np.random.default_rng(0)
    blocks = [rng.random((2, frames, 3)).swapaxes(1, 2) for frames in (4, 1, 5)]
    joined, stacked = join_frames(blocks), stack_frames(iter(blocks[:1] * 4))
    np.testing.assert_array_equal(joined, np.concatenate(blocks, axis=-1))
    np.testing.assert_array_equal(stacked, np.stack(blocks[:1] * 4))
    assert joined.swapaxes(-1, -2).flags.c_contiguous
    assert stacked.swapaxes(-1, -2).flags.c_contiguous
    assert join_frames(blocks[:1]) is blocks[0]
    assert stack_frames(joined) is joined


def test_frames_are_prepared_before_their_masks_are_needed():
    y, stft = np.random.default_rng(0).standard_normal((1, 9000)), na.Stft(8000, 64)
    prepared, early = [slice(0, 0)], []

    def masks(frames):
        early.append(frames.stop > prepared[-1].stop)
        return [np.ones((33, frames.stop - frames.start))]

    stems = np.concatenate([*masked_blocks(masks, 1, y, stft, prepare=prepared.append)], axis=-1)
    np.testing.assert_allclose(stems[0], y, atol=1e-12)
    assert not any(early)
    assert all(a.stop == b.start for a, b in itertools.pairwise(prepared))
    assert prepared[-1].stop == stft.n_frames(9000) > 2 * BLOCK


def test_masking_divides_like_soft_masks():
    parts = list(np.random.default_rng(0).random((2, 3, 4)))
    np.testing.assert_array_equal(Masking().masks(parts), soft_masks(parts))
