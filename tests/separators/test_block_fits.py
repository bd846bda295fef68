"""Separation block by block: hpss, drums and guided, whose templates are learned on an excerpt."""

from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.kernels.threads import get_threads, set_threads
from nmfaudio.separators import saved_fits, streaming
from nmfaudio.separators.streaming import BLOCK, Block

SR = 8000
LEARNING = 192  # frames, of about 1060


class Lazy(LazyAudio):
    """Recording that only slices of samples can be read from."""

    def __init__(self, y):
        self._y, self.shape, self.dtype = y, y.shape, y.dtype

    def __getitem__(self, key):
        channels, _ = key
        assert channels == slice(None)
        return self._y[key].copy()

    def max(self):
        return self._y.max()

    def min(self):
        return self._y.min()


def recording(frames=2 * BLOCK + 100, channels=2, hop=64, seed=0):
    """Tones that change, and decaying bursts of noise, at different positions."""
    rng, n = np.random.default_rng(seed), frames * hop
    t = np.arange(n) / SR
    pitch = 300 * 2 ** (rng.integers(0, 12, n // 4000 + 1) / 12)
    tones = np.sin(2 * np.pi * np.cumsum(np.repeat(pitch, 4000)[:n]) / SR)
    noise = rng.standard_normal(n) * np.exp(-((t * 3) % 1) / 0.1)
    gains = rng.uniform(0.2, 1, (2, channels, 1))
    return (0.3 * gains[0] * tones + 0.3 * gains[1] * noise).astype(np.float32)


def example_of(seed):
    return recording(60, 1, seed=seed)[0]


FINE = {"n_fft": 256, "hop": 64}
PLAIN = {"spatial": "mask", "refine": "none"}
EXAMPLES = {"one": example_of(1), "two": example_of(2)}
DRUMS = na.DrumSeparator(max_iter=2, **FINE)
SEPARATORS = {
    "hpss": na.HpssSeparator(n_components=4, models=2, max_iter=10, **FINE),
    "hpss, residual": na.HpssSeparator(
        n_components=4, models=2, lags=2, max_iter=10, residual=True, **FINE, **PLAIN
    ),
    "drums": DRUMS,
    "drums, onsets": replace(
        DRUMS, onsets={"kick": [0.5, 3.8], "snare": [1.0], "hihat": [3.0, 3.5]}, **PLAIN
    ),
    "guided": na.GuidedSeparator(example=EXAMPLES, max_iter=5, **FINE),
    "guided, rest": na.GuidedSeparator(
        example={"one": EXAMPLES["one"]}, n_free=3, max_iter=5, **FINE, **PLAIN
    ),
    "guided, adapt": na.GuidedSeparator(example=EXAMPLES, adapt=1.0, max_iter=5, **FINE, **PLAIN),
    "guided, is": na.GuidedSeparator(example=EXAMPLES, beta_loss=0, max_iter=5, **FINE, **PLAIN),
}
every_separator = pytest.mark.parametrize("separator", SEPARATORS.values(), ids=SEPARATORS)


@pytest.fixture
def short_excerpts(monkeypatch):
    monkeypatch.setattr(streaming, "LEARNING_FRAMES", LEARNING)
    monkeypatch.setattr(streaming, "EVIDENCE_FRAMES", LEARNING)


@pytest.fixture
def threads():
    before = get_threads()
    yield set_threads
    set_threads(before)


def rendered(stream):
    return np.concatenate(list(stream.blocks()), axis=-1)


@every_separator
def test_blocks_sum_to_the_recording_and_equal_one_block(
    separator, short_excerpts, threads, monkeypatch
):
    y = recording()
    stream = separator.stream(y, SR)
    assert stream.inputs.n_frames > 2 * BLOCK
    assert "V" not in vars(stream.inputs)  # never the spectrogram of the whole recording
    stems = rendered(stream)
    np.testing.assert_allclose(stems.sum(axis=0), y, atol=1e-5)
    threads(3)
    np.testing.assert_array_equal(rendered(stream), stems)
    monkeypatch.setattr(streaming, "BLOCK", stream.inputs.n_frames)
    np.testing.assert_array_equal(rendered(stream), stems)


@every_separator
def test_a_lazy_recording_gives_the_bytes_of_an_array(separator, short_excerpts):
    y = recording(BLOCK + 50, 1)
    array, lazy = (separator.stream(audio, SR) for audio in (y, Lazy(y)))
    np.testing.assert_array_equal(rendered(array), rendered(lazy))
    assert array.learned.groups == lazy.learned.groups


@every_separator
@pytest.mark.parametrize("samples", [1, 100, 3000])
def test_recordings_shorter_than_a_halo(separator, samples):
    if getattr(separator, "onsets", None):
        separator = replace(separator, onsets={"kick": [0.0]})
    y = recording()[:, :samples]
    stream = separator.stream(y, SR)
    np.testing.assert_allclose(rendered(stream).sum(axis=0), y, atol=1e-5)


@every_separator
def test_silence_within_a_recording_stays_silent(separator, short_excerpts):
    y = recording(BLOCK + 200, 1)
    y[:, 10_000:30_000] = 0
    stems = rendered(replace(separator, **PLAIN).stream(y, SR))
    assert not stems[..., 11_000:29_000].any()


@every_separator
def test_a_fit_survives_its_file(separator, short_excerpts):
    y = recording(BLOCK + 50, 1)
    stream = separator.stream(y, SR)
    again = saved_fits.unpack(saved_fits.pack(stream.learned.fit))
    assert again == stream.learned.fit
    V = stream.inputs.frames(100, 140)
    models = [
        fit(stream.learned.decomposition, Block(stream.inputs, 100, 140, V)).H
        for fit in (again, stream.learned.fit)
    ]
    np.testing.assert_array_equal(*models)
    assert models[0].any()


def test_a_fit_without_a_kind_has_no_file():
    class Fit:
        halo = 0

    assert saved_fits.pack(Fit()) is None
    with pytest.raises(na.ParameterError, match="block fit"):
        saved_fits.unpack({"kind": "unknown"})
