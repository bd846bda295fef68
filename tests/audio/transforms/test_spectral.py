"""Laws of the STFT: it knows its inverse, for any length, whole or block by block."""

import json
import math
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nmfaudio.audio.masks import binary_masks, soft_masks
from nmfaudio.audio.transforms import Stft, Transform, default_n_fft, transform_from
from nmfaudio.errors import ContentError, ParameterError, ShapeError

WINDOWS = ["hann", "hamming", "blackman", "boxcar", "cosine", "triang", "flattop"]
SR = 44100
# float32 audio has a float32 spectrogram: a few roundings of 6e-8 each
TOLERANCE = {np.float32: 1e-6, np.float64: 1e-14}


def largest_hop(n_fft: int, window: str) -> int:
    try:
        return Stft(SR, n_fft, n_fft, window).hop
    except ParameterError as error:
        return int(str(error).rsplit(maxsplit=1)[-1])


@st.composite
def transforms(draw, max_n_fft: int = 300) -> Stft:
    """Any transform that is accepted, the worst-conditioned ones included."""
    n_fft, window = draw(st.integers(2, max_n_fft)), draw(st.sampled_from(WINDOWS))
    return Stft(SR, n_fft, draw(st.integers(1, largest_hop(n_fft, window))), window)


@st.composite
def audio(draw, max_length: int = 1000) -> np.ndarray:
    """Noise, a steady tone, an impulse or silence around |x| = 100, one channel or eight."""
    shape = draw(st.sampled_from([1, 8])), draw(st.integers(1, max_length))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    y = {
        "noise": 100 * rng.uniform(-1, 1, shape),
        "tone": 100 * np.cos(rng.uniform(0, np.pi, (shape[0], 1)) * np.arange(shape[1])),
        "impulse": 100.0 * (np.arange(shape[1]) == rng.integers(shape[1])) * np.ones(shape),
        "silence": np.zeros(shape),
    }[draw(st.sampled_from(["noise", "tone", "impulse", "silence"]))]
    return y.astype(draw(st.sampled_from([np.float32, np.float64])))


def assert_near(actual: np.ndarray, y: np.ndarray) -> None:
    assert actual.shape == y.shape
    np.testing.assert_allclose(actual, y, rtol=0, atol=TOLERANCE[y.dtype.type] * np.abs(y).max())


@settings(deadline=None)
@given(stft=transforms(), y=audio())
def test_inverse_gives_back_any_audio(stft, y):
    before = y.copy()
    Z = stft.forward(y)
    kept = Z.copy()
    back = stft.inverse(Z, y.shape[1])
    assert_near(back, y)
    assert back.dtype == y.dtype
    assert Z.dtype == (np.complex64 if y.dtype == np.float32 else np.complex128)
    assert Z.shape == (len(y), len(stft.frequencies), stft.n_frames(y.shape[1]))
    np.testing.assert_array_equal(y, before)
    np.testing.assert_array_equal(Z, kept)


@settings(deadline=None)
@given(
    stft=transforms(),
    y=audio(),
    frames=st.integers(1, 40),
    sizes=st.lists(st.integers(1, 40), min_size=1),
)
def test_blocks_equal_the_whole_to_the_bit(stft, y, frames, sizes):
    whole = stft.forward(y)
    blocks = list(stft.forward_blocks(y, frames))
    assert all(block.shape[-1] <= frames for block in blocks)
    np.testing.assert_array_equal(np.concatenate(blocks, axis=-1), whole)

    uneven = np.split(whole, [cut for cut in accumulate(sizes) if cut < whole.shape[-1]], axis=-1)
    audio_blocks = list(stft.inverse_blocks(uneven, y.shape[1]))
    whole_audio = stft.inverse(whole, y.shape[1])
    np.testing.assert_array_equal(np.concatenate(audio_blocks, axis=-1), whole_audio)


@pytest.mark.parametrize(("window", "hop"), [("boxcar", 8), ("hamming", 5), ("hann", 1)])
@pytest.mark.parametrize("length", [1, 3, 4, 5, 8, 9, 24])
def test_frame_by_frame_where_frames_overlap_least_and_most(window, hop, length):
    stft, y = Stft(SR, 8, hop, window), np.arange(1.0, length + 1)
    back = list(stft.inverse_blocks(stft.forward_blocks(y, 1), length))
    assert_near(np.concatenate(back, axis=-1), y[np.newaxis])


def test_no_rounding_piles_up_where_thousands_of_frames_overlap():
    y = np.random.default_rng(0).uniform(-1, 1, (1, 3000)).astype(np.float32)
    stft = Stft(SR, 4096, 1)
    assert_near(stft.inverse(stft.forward(y), 3000), y)


def test_blocks_equal_the_whole_at_full_size():
    y = np.random.default_rng(0).standard_normal((2, 700_000)).astype(np.float32)
    stft = Stft(SR)
    Z = stft.forward(y)  # more frames than `inverse` takes at a time
    np.testing.assert_array_equal(np.concatenate(list(stft.forward_blocks(y, 100)), axis=-1), Z)
    once = stft.inverse_blocks([Z], y.shape[1])
    np.testing.assert_array_equal(next(once), stft.inverse(Z, y.shape[1]))
    in_c_order = stft.inverse(np.ascontiguousarray(Z), y.shape[1])
    np.testing.assert_array_equal(in_c_order, stft.inverse(Z, y.shape[1]))


def test_inverse_blocks_are_yielded_as_they_come():
    stft, asked = Stft(SR, 64), []

    def blocks():
        for block in stft.forward_blocks(np.ones(10_000), 10):
            asked.append(block)
            yield block

    audio_blocks = stft.inverse_blocks(blocks(), 10_000)
    next(audio_blocks)
    assert len(asked) == 1


@settings(deadline=None, max_examples=30)
@example(length=1, channels=8, sources=3, binary=False, seed=0)
@example(length=50_000, channels=8, sources=6, binary=False, seed=0)
@given(
    length=st.integers(1, 50_000),
    channels=st.sampled_from([1, 8]),
    sources=st.integers(1, 6),
    binary=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_stems_add_up_to_the_mix(length, channels, sources, binary, seed):
    rng = np.random.default_rng(seed)
    y = (100 * rng.uniform(-1, 1, (channels, length))).astype(np.float32)
    stft = Stft(SR)
    Z = stft.forward(y)
    shape = stft.features(Z).shape
    parts = [rng.random(shape, dtype=np.float32) ** 4 for _ in range(sources)]
    masks = binary_masks(parts) if binary else soft_masks(parts)
    total = sum(stft.inverse(stft.lift(mask) * Z, length) for mask in masks)
    assert total.dtype == np.float32
    assert_near(total, y)


@settings(deadline=None)
@given(stft=transforms(), y=audio(), exponent=st.integers(-100, 100))
def test_scale_and_channel_order_pass_through(stft, y, exponent):
    scale = y.dtype.type(2.0**exponent)
    Z = stft.forward(y)
    V = stft.features(Z)
    np.testing.assert_array_equal(stft.forward(y[::-1]), Z[::-1])
    np.testing.assert_allclose(stft.features(Z[::-1]), V, rtol=1e-6)
    # A power of two changes no digit, as long as nothing gets so small that digits are dropped.
    floor = np.abs(V).max() * (1e-6 if y.dtype == np.float32 else 1e-14)
    np.testing.assert_allclose(stft.features(stft.forward(y * scale)) / scale, V, atol=floor)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_features_at_extreme_scales(scale):
    y = np.random.default_rng(0).standard_normal((2, 5000)).astype(np.float32)
    stft = Stft(SR, 512)
    scaled = stft.features(stft.forward(y * np.float32(scale)))
    np.testing.assert_allclose(scaled / scale, stft.features(stft.forward(y)), rtol=1e-4)


@pytest.mark.parametrize("power", [1.0, 2.0, 0.5])
@pytest.mark.parametrize("channels", [1, 3])
def test_features_are_the_root_mean_square_over_channels(power, channels):
    y = np.random.default_rng(0).standard_normal((channels, 3000))
    stft = Stft(SR, 256, power=power)
    Z = stft.forward(y)
    V = stft.features(Z)
    np.testing.assert_allclose(V, np.sqrt((np.abs(Z) ** 2).mean(axis=0)) ** power, rtol=1e-12)
    assert V.T.flags.c_contiguous
    assert stft.features(np.ascontiguousarray(Z)).T.flags.c_contiguous


def test_opposite_phases_do_not_cancel():
    y = np.sin(np.arange(2000) / 5)
    stft = Stft(SR, 256)
    np.testing.assert_allclose(
        stft.features(stft.forward(np.stack([y, -y]))), stft.features(stft.forward(y)), rtol=1e-12
    )


def test_axes_are_in_hertz_and_seconds():
    stft = Stft(sr=8000, n_fft=512, hop=128)
    y = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)
    y[:4000] = 0
    V = stft.features(stft.forward(y))
    assert stft.frequencies[V[:, -5].argmax()] == 1000
    times = stft.times(V.shape[1])
    assert times[-1] >= 1 > times[-2]
    onset = np.argmax(V.max(axis=0) > V.max() / 2)
    assert abs(times[onset] - 0.5) <= 128 / 8000


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_frames_are_centred_on_multiples_of_hop_in_zeros_as_librosas_are(dtype, window):
    import librosa

    y = np.random.default_rng(0).standard_normal(4096).astype(dtype)
    ours = Stft(SR, 512, window=window).forward(y)[0]
    theirs = librosa.stft(
        y, n_fft=512, hop_length=128, window=window, center=True, pad_mode="constant"
    )
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("n_fft", [16, 63, 64])
@pytest.mark.parametrize("window", WINDOWS)
def test_refused_hops_are_those_that_leave_gaps(n_fft, window):
    from scipy.signal import get_window

    squared = get_window(window, n_fft) ** 2
    best = largest_hop(n_fft, window)

    def condition(hop: int) -> float:
        """Peak over the least sum within the first two frames' centres, with only those two."""
        summed = np.zeros(n_fft + hop)
        summed[:n_fft] += squared
        summed[hop:] += squared
        lowest = summed[n_fft // 2 : n_fft // 2 + hop].min()
        return squared.max() / lowest if lowest else math.inf

    assert [hop for hop in range(1, n_fft + 1) if condition(hop) <= 10] == [*range(1, best + 1)]


def test_a_hop_that_nola_lets_pass_is_refused():
    from scipy.signal import check_NOLA

    assert check_NOLA("hann", 2048, 2048 - 1500)
    with pytest.raises(ParameterError, match="the largest hop that works is 1405"):
        Stft(SR, 2048, 1500)
    assert Stft(SR, 2048, 1405).hop == 1405


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"sr": 99},
            "sr is 99; it must be a whole number of Hz from 100 to 1500000; did you mean 99000",
        ),
        ({"sr": 1_500_001}, "sr is 1500001; it must"),
        ({"sr": 44100.0}, "sr is 44100.0; it must"),
        ({"n_fft": 1}, "n_fft must be an integer from 2"),
        ({"n_fft": 2**40}, "n_fft must"),
        ({"n_fft": True}, "n_fft must"),
        ({"hop": 0}, "hop must be an integer from 1 to 4096, got 0"),
        ({"hop": 4097}, "hop must"),
        ({"hop": "512"}, "hop must"),
        ({"power": 0}, "power must be a finite number above 0, got 0"),
        ({"power": math.nan}, "power must"),
        ({"power": math.inf}, "power must"),
        ({"window": "hunn"}, "window 'hunn' is unknown"),
        ({"window": "kaiser"}, "needs parameters"),
        ({"window": ("kaiser", 5)}, "must be the name of a window"),
    ],
)
def test_bad_parameters_are_named(arguments, message):
    with pytest.raises(ParameterError, match=message):
        Stft(**{"sr": SR} | arguments)


def test_bad_arrays_are_refused():
    stft = Stft(SR, 512)
    Z = stft.forward(np.ones(1000))
    with pytest.raises(ShapeError, match="transposed"):
        stft.forward(np.ones((1000, 2)))
    with pytest.raises(ContentError, match="sample 3"):
        stft.forward_blocks(np.array([0, 0, 0, np.nan]), 10)
    with pytest.raises(ParameterError, match="frames"):
        stft.forward_blocks(np.ones(1000), 0)
    with pytest.raises(ShapeError, match="257 frequencies"):
        stft.inverse(Z[:, 1:], 1000)
    with pytest.raises(ShapeError, match="257 frequencies"):
        stft.features(Z[0])
    with pytest.raises(ParameterError, match="must be complex"):
        stft.inverse(np.abs(Z), 1000)
    with pytest.raises(ShapeError, match="has 9 frames where 2000 samples have 17"):
        stft.inverse(Z, 2000)
    with pytest.raises(ShapeError, match="has 9 frames where 10 samples have 2"):
        stft.inverse(Z, 10)
    with pytest.raises(ParameterError, match="length"):
        stft.inverse_blocks([Z], 0)


def test_parameters_survive_json():
    stft: Transform = Stft(np.int64(48000), n_fft=1024, window="hamming", power=2)
    assert stft.to_dict() == {
        "kind": "stft",
        "sr": 48000,
        "n_fft": 1024,
        "hop": 256,
        "window": "hamming",
        "power": 2.0,
    }
    assert transform_from(json.loads(json.dumps(stft.to_dict()))) == stft


@pytest.mark.parametrize(
    ("sr", "n_fft"),
    [(100, 8), (8000, 1024), (16000, 2048), (44100, 4096), (96000, 8192), (1_500_000, 131072)],
)
def test_default_n_fft_is_near_93_ms(sr, n_fft):
    assert default_n_fft(sr) == n_fft
    assert Stft(sr, default_n_fft(sr)).n_fft == n_fft


def test_default_n_fft_refuses_what_is_no_sample_rate():
    with pytest.raises(ParameterError, match="sr"):
        default_n_fft(0)
