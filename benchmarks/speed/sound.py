"""Test signals: three minutes made of the samples, and their spectrograms."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np

from nmfaudio.audio.io import read

SAMPLES = Path(__file__).parent.parent.parent / "audio_samples"
SR = 44_100
N_FFT, HOP = 2048, 512


@dataclass(frozen=True)
class Sizes:
    """Seconds of audio for each nominal length, and the ranks; `QUICK` only tests the program."""

    seconds: dict[str, float]
    ranks: tuple[int, ...]


FULL = Sizes({"30 s": 30, "3 min": 180}, (8, 32, 128))
QUICK = Sizes({"30 s": 1, "3 min": 2}, (8, 32, 128))


@functools.cache
def excerpts() -> list[np.ndarray]:
    """Mixtures of the samples [shape=(2, sample)]."""
    mixtures = [read(path) for path in sorted(SAMPLES.glob("*/mixture.*"))]
    assert all(mixture.sr == SR for mixture in mixtures)
    return [np.broadcast_to(m.samples, (2, m.samples.shape[-1])) for m in mixtures]


def recording(seconds: float) -> np.ndarray:
    """Stereo signal [shape=(2, sample)]: the samples in turn, each time at a different level.

    A noise floor of −90 dB makes repetitions differ and keeps every bin above zero, which
    scikit-learn and torchnmf require for Itakura–Saito.
    """
    rng = np.random.default_rng(0)
    count, pieces = round(seconds * SR), []
    while sum(piece.shape[1] for piece in pieces) < count:
        gain = rng.uniform(0.5, 1.0, (2, 1))
        pieces.append(gain * excerpts()[len(pieces) % len(excerpts())])
    y = np.concatenate(pieces, axis=1)[:, :count]
    return (y + 10 ** (-90 / 20) * rng.standard_normal(y.shape)).astype(np.float32)


@functools.cache
def spectrogram(seconds: float, dtype: str) -> np.ndarray:
    """Magnitudes [shape=(freq, time)] in Fortran order, as librosa returns them."""
    V = np.abs(librosa.stft(recording(seconds).mean(0), n_fft=N_FFT, hop_length=HOP))
    assert V.flags.f_contiguous
    assert V.min() > 0
    return V.astype(dtype, order="F")


def initial_factors(V: np.ndarray, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Random factors of these shapes, scaled so that their product has about the mean of V."""
    rng = np.random.default_rng(0)
    rank = shapes[-1][0]
    lags = shapes[0][0] if len(shapes[0]) == 3 else 1
    scale = np.sqrt(V.mean() / (rank * lags))
    return [(scale * np.abs(rng.standard_normal(shape))).astype(V.dtype) for shape in shapes]
