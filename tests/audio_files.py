"""Audio files as bytes, sound and broken, for the tests of what reads them."""

import io
import warnings

import numpy as np
import soundfile

from nmfaudio.audio.io import read
from nmfaudio.errors import AudioWarning

SR = 8000


def noise(frames=20000, channels=2, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (frames, channels)).astype(np.float32)


def encode(samples, container="WAV", subtype="PCM_16", sr=SR, **options):
    file = io.BytesIO()
    channels = samples.shape[1]
    with soundfile.SoundFile(file, "w", sr, channels, subtype, format=container, **options) as out:
        for start in range(0, len(samples), 16384):
            out.write(samples[start : start + 16384])
    return file.getvalue()


def saved(tmp_path, data, name="x.wav"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def decoded(data):
    with soundfile.SoundFile(io.BytesIO(data)) as file:  # soundfile.read seeks, which MP3 minds
        return file.read(file.frames, dtype="float64", always_2d=True).T


def quietly(path, **options):
    """Read, keeping the warnings to the recording."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioWarning)
        return read(path, **options)
