"""Masks are applied in one pass: the same bytes for any threads, and memory for a block only."""

import tracemalloc

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.memory import PROCESS
from nmfaudio.audio.masking import BLOCK, analyse, apply_mask, apply_masks
from nmfaudio.kernels.threads import set_threads
from nmfaudio.separators.blind import BlindSeparator

SR = 8000


@pytest.fixture(autouse=True)
def threads():
    yield
    set_threads(None)


def noise(channels=2, samples=20_000, dtype=np.float32):
    return np.random.default_rng(0).standard_normal((channels, samples)).astype(dtype)


def random_masks(stft, y, count):
    rng = np.random.default_rng(1)
    shape = (count, len(stft.frequencies), stft.n_frames(y.shape[1]))
    masks = rng.random(shape, np.float32) + np.float32(0.01)
    return masks / masks.sum(axis=0)


def peak(work):
    """Bytes of NumPy arrays at the most while `work` runs."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("samples", [1, 700, 64 * BLOCK - 1, 64 * BLOCK + 1, 64 * 3 * BLOCK + 5])
def test_blockwise_equals_the_whole_with_any_number_of_threads(channels, samples):
    stft, y = na.Stft(SR, 256), noise(channels, samples)
    masks = random_masks(stft, y, 3)
    Z = stft.forward(y)
    whole = [stft.inverse(mask * Z, samples) for mask in masks]
    for count in (1, 2, 3):
        set_threads(count)
        stems = apply_masks(lambda frames: masks[..., frames], 3, y, stft)
        np.testing.assert_array_equal(stems, whole)
        np.testing.assert_array_equal(apply_mask(masks[1], y, stft), whole[1])
        np.testing.assert_array_equal(analyse(y, stft), stft.features(Z))
    np.testing.assert_allclose(stems.sum(axis=0), y, atol=1e-6 * np.abs(y).max())


def test_stems_have_the_same_bytes_for_any_number_of_threads():
    y, found = noise(), []
    for count in (1, 2, 3):
        set_threads(count)
        stems = na.separate(y, SR, n_sources=3, n_components=6, max_iter=5)
        found.append(b"".join(stem.tobytes() for stem in stems.values()))
    assert found[0] == found[1] == found[2]


def test_applying_masks_needs_memory_for_a_block_besides_its_result():
    stft, extra = na.Stft(SR, 256), []
    shares = np.full((4, len(stft.frequencies), 1), 0.25, np.float32)
    for blocks in (4, 16):
        y = noise(samples=64 * BLOCK * blocks)
        needed = peak(lambda y=y: apply_masks(lambda frames: shares, 4, y, stft))
        extra.append(needed - 4 * y.nbytes)
    assert extra[1] <= 1.1 * extra[0] + y.size  # the check of the samples takes a byte for each


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sources", [2, 4])
@pytest.mark.parametrize("hop", [64, 128])
@pytest.mark.parametrize("samples", [200_000, 600_000])
def test_the_memory_that_a_separator_says_it_needs_is_right(channels, sources, hop, samples):
    separator = BlindSeparator(n_sources=sources, n_components=4, max_iter=2, n_fft=512, hop=hop)
    y = noise(channels, samples)
    separator(y[:, :5000], SR)  # what is compiled or imported is the process's
    used = y.nbytes + peak(lambda: separator(y, SR))
    estimate = separator.memory(y, SR) - PROCESS
    assert used / 1.1 <= estimate <= 2.5 * used


@pytest.mark.parametrize("shape", [(129, 1), (1, 64), (129, 999), (3, 129, 64)])
def test_a_mask_of_another_grid_is_refused(shape):
    with pytest.raises(na.errors.ShapeError, match="the mask has shape"):
        apply_mask(np.ones(shape), np.ones((2, 4000)), na.Stft(8000, 256))


def test_masks_per_channel_are_lifted():
    y = np.random.default_rng(0).standard_normal((2, 4000))
    mel = na.Mel(8000, n_mels=20, n_fft=256)
    mask = np.zeros((2, 20, mel.n_frames(4000)))
    mask[0] = 1
    left, right = apply_mask(mask, y, mel)
    np.testing.assert_allclose(left, y[0], atol=1e-12)
    assert not right.any()
