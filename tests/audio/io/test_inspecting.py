"""Inspecting: the facts are those of the samples, whatever the blocks."""

import io
import json
import math

import numpy as np
import pytest
import soundfile

from nmfaudio.audio.io import inspect, read, read_header
from nmfaudio.errors import AudioFileError

SR = 8000


def stored(samples, subtype="FLOAT", container="WAV", sr=SR):
    file = io.BytesIO()
    soundfile.write(file, samples, sr, format=container, subtype=subtype)
    file.seek(0)
    return file


def test_facts_of_a_known_file():
    time = np.arange(40000) / SR
    samples = np.stack([0.5 * np.sin(2 * np.pi * 100 * time), np.full(40000, 0.25)], axis=1)
    samples[:4000] = samples[32000:] = 0
    file = stored(samples)
    info = inspect(file)
    assert (info.format, info.subtype, info.channels, info.sr) == ("WAV", "FLOAT", 2, SR)
    assert (info.frames, info.duration, info.bytes) == (40000, 5.0, len(file.getvalue()))
    assert info.peak == pytest.approx((20 * math.log10(0.5), 20 * math.log10(0.25)), abs=1e-6)
    rms = np.sqrt((samples**2).mean(axis=0))
    assert info.rms == pytest.approx(tuple(20 * np.log10(rms)), abs=1e-6)
    assert info.dc_offset == pytest.approx((0, 0.25 * 28 / 40), abs=1e-6)
    assert (info.silence_start, info.silence_end) == (0.5, 1.0)
    assert (info.clipped, info.nonfinite) == (0, 0)
    assert [note.split(",")[0] for note in info.notes] == ["channel 2 has a DC offset of 0.175"]
    assert json.loads(json.dumps(info.to_dict(), allow_nan=False))["peak"] == list(info.peak)


def test_clipped_samples_are_counted_in_integers_and_floats():
    samples = np.array([[0.5], [1.0], [-1.0], [0.99]])
    for subtype in ("PCM_16", "PCM_24", "FLOAT"):
        assert inspect(stored(samples, subtype)).clipped == 2
    assert inspect(stored(samples, "PCM_16", "FLAC")).clipped == 2


def test_silence_has_no_level():
    info = inspect(stored(np.zeros((100, 2))))
    assert (info.peak, info.rms) == ((None, None), (None, None))
    assert "is silent" in info.notes
    assert info.silence_start == 100 / SR
    json.dumps(info.to_dict(), allow_nan=False)


def test_channels_that_are_related():
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, 30000)
    notes = inspect(stored(np.stack([wave, wave, -wave, 0 * wave], axis=1), "PCM_16")).notes
    assert notes == (
        "channel 2 is the same as channel 1",
        "channel 3 is channel 1 inverted",
        "channel 4 is silent",
    )


def test_samples_that_are_not_finite_are_counted_and_left_out():
    samples = np.full((10, 1), 0.5)
    samples[3:5] = np.nan
    info = inspect(stored(samples))
    assert info.nonfinite == 2
    assert info.peak == pytest.approx((20 * math.log10(0.5),))
    assert "2 samples are NaN, infinite or beyond 1e+32" in info.notes


def test_suspicions_and_damage_are_notes():
    data = stored(
        np.random.default_rng(0).uniform(-1, 1, (200_000, 1)), "PCM_16", "FLAC"
    ).getvalue()
    half = inspect(io.BytesIO(data[: len(data) // 2]))
    assert 90_000 < half.frames < 110_000
    assert "cannot be decoded from" in half.notes[0]
    wav = stored(np.full((1000, 1), 0.1), "PCM_16").getvalue()
    assert "cut short" in inspect(io.BytesIO(wav[:-100])).notes[0]


def test_a_file_without_frames_and_an_odd_rate():
    info = inspect(stored(np.zeros((0, 1)), "PCM_16", sr=50))
    assert (info.frames, info.duration) == (0, 0.0)
    assert any("50 Hz" in note for note in info.notes)
    assert "has no frames" in info.notes


def test_what_is_no_audio_is_refused(tmp_path):
    path = tmp_path / "x.wav"
    path.write_text("hello")
    with pytest.raises(AudioFileError, match="not an audio file"):
        inspect(path)


def test_a_large_dc_offset_is_suspicious(tmp_path):
    y = np.sin(np.arange(8000) / 10).astype(np.float32) / 4
    for name, offset in (("level.wav", 0.0), ("off.wav", 0.3)):
        soundfile.write(tmp_path / name, y + np.float32(offset), 8000, subtype="FLOAT")
    assert not any("DC offset" in note for note in inspect(tmp_path / "level.wav").notes)
    assert any("DC offset of 0.3" in note for note in inspect(tmp_path / "off.wav").notes)


@pytest.mark.parametrize(
    ("container", "subtype"),
    [("WAV", "PCM_16"), ("WAV", "DOUBLE"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("MP3", None)],
)
def test_a_header_has_the_facts_of_the_samples(container, subtype):
    file = stored(np.zeros((5000, 2)), subtype, container)
    header, audio = read_header(file), read(file)
    assert (header.format, header.subtype, header.sr) == (audio.format, audio.subtype, audio.sr)
    assert (header.channels, header.frames) == audio.samples.shape
    assert header.dtype == audio.samples.dtype


@pytest.mark.parametrize("total", [0, (1 << 36) - 1])
def test_a_length_that_cannot_be_is_unknown(total):
    data = stored(np.zeros((5000, 1)), "PCM_16", "FLAC").getvalue()
    fields = int.from_bytes(data[18:26], "big") & ~((1 << 36) - 1) | total
    header = read_header(io.BytesIO(data[:18] + fields.to_bytes(8, "big") + data[26:]))
    assert (header.channels, header.sr, header.frames) == (1, SR, None)
