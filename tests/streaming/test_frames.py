"""Frames of a stream: those of all of the audio, bit for bit."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.streaming.frames import FrameReader


@pytest.mark.parametrize(
    ("n_fft", "hop", "length"),
    [(256, 64, 1000), (256, 100, 777), (255, 64, 1), (256, 64, 128), (250, 70, 6000)],
)
@pytest.mark.parametrize("size", [1, 50, 333, 10_000])
def test_frames_are_those_of_the_whole(n_fft, hop, length, size):
    stft = na.Stft(8000, n_fft, hop)
    y = np.random.default_rng(0).random((2, length), np.float32)
    reader = FrameReader(stft, 2)
    blocks = [Z for i in range(0, length, size) for Z in reader.push(y[:, i : i + size])]
    blocks += reader.flush()
    assert np.array_equal(np.concatenate(blocks, axis=2), stft.forward(y))
    assert (reader.received, reader.frames) == (length, stft.n_frames(length))


def test_a_frame_comes_with_its_last_sample():
    stft = na.Stft(8000, 256, 64)
    reader = FrameReader(stft, 1)
    y = np.zeros((1, 1), np.float32)
    came = [n for n in range(1, 400) if list(reader.push(y))]
    assert came == [128, 192, 256, 320, 384]


def test_without_samples_there_are_no_frames():
    assert list(FrameReader(na.Stft(8000, 256), 1).flush()) == []
