"""Recordings are prepared and analysed block by block as in one piece, bit for bit."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.audio import preparation
from nmfaudio.audio.feature_blocks import analysed, analysed_blocks
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.preparation import Prepared, prepared

RNG = np.random.default_rng(0)


class Lazy(LazyAudio):
    def __init__(self, y):
        self._y, self.shape, self.dtype = y, y.shape, y.dtype

    def __getitem__(self, key):
        return self._y[key].copy()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rates", [(44100, 22050), (48000, 22050), (8000, 22050), (8000, 8000)])
@pytest.mark.parametrize("samples", [1, 9000])
def test_slices_are_those_of_the_whole(rates, samples, dtype, monkeypatch):
    monkeypatch.setattr(preparation, "_RESAMPLED", 1000)
    monkeypatch.setattr(preparation, "_SUMMED", 700)
    y = (RNG.standard_normal((2, samples)) + 0.5).astype(dtype)
    whole, blocks = prepared(y, *rates), Prepared(Lazy(y), *rates)
    assert blocks.shape == whole.shape
    assert blocks.dtype == whole.dtype == dtype
    end = whole.shape[1]
    for first, last in ((0, 10), (5, 600), (590, 2500), (2500, end), (0, end), (end, end + 9)):
        assert np.array_equal(blocks[:, first:last], whole[:, first:last])


def test_no_constant_offset_is_left():
    y = RNG.standard_normal((2, 5000)) + np.array([[3.0], [-1.0]])
    assert np.abs(Prepared(y, 8000, 8000)[:, :].mean(axis=1)).max() < 1e-12


@pytest.mark.parametrize(
    "transform",
    [na.Stft(8000, 512), na.Stft(8000, 511, 100), na.Stft(8000, 64, 43), na.Cqt(16000)],
    ids=["stft", "odd", "little overlap", "cqt"],
)
@pytest.mark.parametrize("samples", [1, 700, 6000])
def test_features_of_blocks_are_those_of_the_whole(transform, samples):
    y = RNG.standard_normal((2, samples)).astype(np.float32)
    V = analyse(y, transform)
    for frames in (3, 48, 500):
        blocks = list(analysed_blocks(Lazy(y), transform, frames))
        assert [first for first, _ in blocks] == list(range(0, V.shape[1], frames))
        assert np.array_equal(np.concatenate([block for _, block in blocks], axis=1), V)
    assert np.array_equal(analysed(y, transform, V.shape[1] - 1, 10**6), V[:, -1:])
