"""Separation block by block: hpss, drums and guided, whose templates are learned on an excerpt."""

from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.audio.preparation import Prepared, prepared
from nmfaudio.dictionaries import drum_blocks
from nmfaudio.kernels.threads import get_threads, set_threads
from nmfaudio.separators import block_fits, blockwise, saved_fits
from nmfaudio.separators.blockwise import BLOCK, Block
from nmfaudio.separators.exemplar_fit import exemplar_model
from nmfaudio.separators.inputs import SeparationInput

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
    monkeypatch.setattr(blockwise, "LEARNING_FRAMES", LEARNING)
    monkeypatch.setattr(blockwise, "EVIDENCE_FRAMES", LEARNING)


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
    monkeypatch.setattr(blockwise, "BLOCK", stream.inputs.n_frames)
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


@every_separator
def test_recordings_within_the_excerpt_have_nearly_the_stems_of_a_call(separator):
    y = recording(BLOCK, 1)
    stems, streamed = separator(y, SR), separator.stream(y, SR)
    assert tuple(stems) == streamed.names
    blocks = dict(zip(streamed.names, rendered(streamed), strict=True))
    for name in stems:
        error = np.linalg.norm(blocks[name] - stems[name]) / np.linalg.norm(y)
        assert error < 0.2, (name, error)


@pytest.mark.parametrize("known", [False, True], ids=["shipped kit", "onsets"])
def test_hits_of_a_long_recording_are_about_those_of_a_call(known, monkeypatch):
    monkeypatch.setattr(blockwise, "LEARNING_FRAMES", 256)  # of 346
    monkeypatch.setattr(drum_blocks, "ADAPTED", 512)  # of 691
    y, sr = na.read(na.example("drums"), stop=4)
    score = [n for n in na.read_notes(na.example("drums", "score.mid")) if n.onset < 4]
    separator = na.DrumSeparator(hits=True, onsets=score if known else None)
    notes, streamed = separator(y, sr).notes, separator.stream(y, sr).learned.notes
    scores = na.metrics.evaluate_transcription(notes, streamed, drums=True).drums
    assert set(scores) == {"kick", "snare", "hihat"}
    assert min(f for _, _, f in scores.values()) > 0.85, scores


def test_hits_within_the_excerpt_are_those_of_a_call():
    y = recording(200)
    separator = na.DrumSeparator(hits=True, max_iter=5)
    whole, streamed = separator(y, SR).notes, separator.stream(Lazy(y), SR).learned.notes
    assert [hit.track for hit in whole] == [hit.track for hit in streamed] != []
    for field in ("onset", "velocity"):  # to rounding: bands of blocks are other matrix products
        expected, values = ([getattr(hit, field) for hit in hits] for hits in (whole, streamed))
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


def test_centred_slices_are_those_of_the_prepared_recording():
    y = recording(40) + np.float32(0.5)
    centred = Prepared(Lazy(y), SR, SR)
    np.testing.assert_array_equal(centred[:, 100:200], prepared(y, SR, SR)[:, 100:200])


@pytest.mark.parametrize("lags", [1, 2, 3, 4, 5, 14])
def test_windows_of_blocks_are_those_of_the_recording(lags):
    rng = np.random.default_rng(lags)
    V, W = rng.random((40, 97), np.float32), rng.random((lags, 40, 3), np.float32)
    inputs = SeparationInput(np.zeros((1, 96 * 19)), na.Stft(SR, 78, 19), 0, None)
    assert inputs.n_frames == V.shape[1]
    model = exemplar_model(W, V.dtype, convolutive=False, beta_loss=0.5)
    fit = block_fits.ExemplarWindows(4, lags)
    whole = fit(model, Block(inputs, 0, 97, V)).H
    for first, last in ((0, 30), (30, 61), (61, 97)):
        start, stop = max(first - lags, 0), min(last + lags, 97)
        H = fit(model, Block(inputs, start, stop, V[:, start:stop])).H
        relevant = slice(max(first - lags + 1, 0), last)
        np.testing.assert_array_equal(
            H[:, relevant.start - start : last - start], whole[:, relevant]
        )
