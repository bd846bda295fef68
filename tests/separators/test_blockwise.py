"""Separation of long recordings by blind NMF, block by block."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.separators import blockwise
from nmfaudio.separators.inputs import SeparationInput

SR = 8000
FINE = {"n_fft": 256, "n_components": 4, "max_iter": 10}


def recording(seconds=6.0, channels=2, seed=0):
    """Tones and bursts of noise at different positions."""
    rng, t = np.random.default_rng(seed), np.arange(round(seconds * SR)) / SR
    tones = np.sin(2 * np.pi * 440 * 2 ** (np.floor(2 * t) % 5 / 12) * t)
    noise = rng.standard_normal(len(t)) * np.exp(-((t * 3) % 1) / 0.1)
    gains = rng.uniform(0.2, 1, (2, channels, 1))
    return (0.3 * gains[0] * tones + 0.3 * gains[1] * noise).astype(np.float32)


@pytest.fixture
def short_excerpts(monkeypatch):
    monkeypatch.setattr(blockwise, "LEARNING_FRAMES", 200)
    monkeypatch.setattr(blockwise, "EVIDENCE_FRAMES", 192)


def rendered(stream):
    return np.concatenate(list(stream.blocks()), axis=-1)


@pytest.mark.parametrize("beta", [0, 0.5, 1, 1.3, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_have_the_bytes_of_one_block(beta, dtype, short_excerpts, monkeypatch):
    y = recording().astype(dtype)
    y[:, 20_000:30_000] = 0
    stream = na.BlindSeparator(beta_loss=beta, **FINE).stream(y, SR)
    assert stream.inputs.n_frames > blockwise.BLOCK
    stems = rendered(stream)
    np.testing.assert_allclose(stems.sum(axis=0), y, atol=1e-5)
    assert stems.dtype == dtype
    monkeypatch.setattr(blockwise, "BLOCK", stream.inputs.n_frames)
    assert rendered(stream).tobytes() == stems.tobytes()


@pytest.mark.parametrize(
    "settings", [{"refine": "consistent"}, {"refine": "misi"}, {"mask": "binary"}]
)
def test_every_kind_of_rendering_sums_to_the_recording(settings, short_excerpts):
    y = recording()
    stems = rendered(na.BlindSeparator(n_sources=3, **settings, **FINE).stream(y, SR))
    np.testing.assert_allclose(stems.sum(axis=0), y, atol=1e-5)


@pytest.mark.parametrize("exponent", [-40, 40])
def test_an_extreme_level_scales_the_stems(exponent, short_excerpts):
    y, separator = recording(), na.BlindSeparator(**FINE)
    stems = rendered(separator.stream(y, SR))
    scaled = rendered(separator.stream(y * np.float32(2.0**exponent), SR))
    np.testing.assert_allclose(scaled * 2.0**-exponent, stems, atol=1e-4)


def test_templates_of_spread_frames_fit_nearly_as_well_as_those_of_all(short_excerpts):
    y = recording(12.0, channels=1)
    separator = na.BlindSeparator(n_fft=256, n_components=4)
    learned = separator.stream(y, SR).learned
    inputs = SeparationInput(y, separator.transform(SR), 0, None)
    whole = separator.model(inputs).decomposition
    block = blockwise.Block(inputs, 0, inputs.n_frames, inputs.V)
    fitted = learned.fit(learned.decomposition, block)
    loss = whole.divergence.value(inputs.V, fitted.model(), None)
    assert loss < 1.02 * whole.losses[-1]


def test_spread_frames_are_frames_of_the_spectrogram():
    y = recording()
    inputs = SeparationInput(y, na.Stft(SR, 256), 0, None)
    for count, run in ((90, 1), (96, 16), (10**6, 1)):
        V, indices = inputs.spread_frames(count, run)
        assert len(indices) == min(count, inputs.n_frames)
        np.testing.assert_array_equal(V, inputs.V[:, indices])
    np.testing.assert_allclose(inputs.levels, inputs.V.sum(axis=0), rtol=1e-6)
    assert inputs.peak == inputs.V.max()


def test_a_separator_that_cannot_learn_from_an_excerpt_says_so():
    class Whole(na.separators.NmfSeparator):
        def model(self, inputs):
            raise AssertionError

        def size(self):
            return 1, 1

    with pytest.raises(na.errors.LimitError, match="Whole needs the whole recording in memory"):
        Whole().stream(recording(), SR)


def test_channels_are_checked_before_any_work():
    separator = na.BlindSeparator(n_components=2, max_iter=2, n_fft=256)
    y = np.random.default_rng(0).standard_normal((33, 400))
    for call in (separator, separator.stream):
        with pytest.raises(
            ParameterError, match=r"has 33 channels, .* up to 32; set spatial='mask'"
        ):
            call(y, 8000)
        with pytest.raises(ShapeError, match="looks transposed"):
            call(y[:, :20], 8000)
    stems = na.BlindSeparator(n_components=2, max_iter=2, n_fft=256, spatial="mask")(y, 8000)
    assert all(stem.shape == y.shape for stem in stems.values())
