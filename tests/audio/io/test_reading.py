"""Reading: what is in the file comes out."""

import io
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from audio_files import SR, decoded, encode, noise, saved
from hypothesis import given, settings
from hypothesis import strategies as st

import nmfaudio as na
from nmfaudio.audio.io import read
from nmfaudio.errors import AudioWarning, ContentError, ParameterError


@pytest.mark.parametrize(
    ("container", "subtype", "dtype"),
    [
        ("WAV", "PCM_U8", np.float32),
        ("WAV", "PCM_16", np.float32),
        ("WAV", "PCM_24", np.float32),
        ("WAV", "PCM_32", np.float64),
        ("WAV", "FLOAT", np.float32),
        ("WAV", "DOUBLE", np.float64),
        ("WAV", "ULAW", np.float32),
        ("WAV", "MS_ADPCM", np.float32),
        ("WAVEX", "PCM_24", np.float32),
        ("RF64", "PCM_16", np.float32),
        ("W64", "PCM_24", np.float32),
        ("AIFF", "PCM_S8", np.float32),
        ("AIFF", "DOUBLE", np.float64),
        ("AU", "PCM_16", np.float32),
        ("CAF", "ALAC_24", np.float32),
        ("FLAC", "PCM_24", np.float32),
        ("OGG", "VORBIS", np.float32),
        ("OGG", "OPUS", np.float32),
        ("MP3", "MPEG_LAYER_III", np.float32),
    ],
)
def test_reads_what_is_there_exactly_and_without_a_warning(tmp_path, container, subtype, dtype):
    data = encode(noise(), container, subtype)
    recording = read(saved(tmp_path, data, "x"))
    assert recording.samples.dtype == dtype
    assert recording.samples.flags.c_contiguous
    np.testing.assert_array_equal(recording.samples, decoded(data))
    assert (recording.sr, recording.format, recording.subtype) == (SR, container, subtype)
    assert (recording.warnings, recording.offset) == ((), 0)
    np.testing.assert_array_equal(read(io.BytesIO(data)).samples, recording.samples)


def test_big_endian_wav_reads():
    data = encode(noise(100), endian="BIG")
    assert data.startswith(b"RIFX")
    np.testing.assert_array_equal(read(io.BytesIO(data)).samples, decoded(data))


@pytest.mark.parametrize("channels", [1, 2, 3, 8])
@pytest.mark.parametrize("frames", [1, 16384, 16385])
def test_any_length_and_number_of_channels(frames, channels):
    data = encode(noise(frames, channels))
    recording = read(io.BytesIO(data))
    assert recording.samples.shape == (channels, frames)
    np.testing.assert_array_equal(recording.samples, decoded(data))


def test_silence_reads_without_a_warning():
    assert not read(io.BytesIO(encode(np.zeros((7, 1), np.float32)))).samples.any()


@pytest.mark.parametrize(
    "name", [b"caf\xe9.wav", b"two\nlines.wav", b"-x.wav", "naïve.wav".encode()]
)
def test_any_name_reads_as_bytes_and_as_text(tmp_path, name):
    raw = os.path.join(os.fsencode(tmp_path), name)
    with open(raw, "wb") as file:
        file.write(encode(noise(50)))
    assert read(raw).samples.shape == (2, 50)
    assert read(os.fsdecode(raw)).samples.shape == (2, 50)
    assert read(Path(os.fsdecode(raw))).samples.shape == (2, 50)


@settings(max_examples=30)
@given(st.data())
def test_a_stretch_is_that_part_of_the_whole(data):
    container, subtype = data.draw(
        st.sampled_from(
            [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")]
        )
    )
    if container not in _CONTENT:  # tones, since an MP3 of noise survives a bad seek
        tones = np.sin(np.arange(20000) * 0.3 * np.array([[1], [2]])) * noise().T.clip(0.1)
        _CONTENT[container] = encode(tones.T.astype(np.float32) / 2, container, subtype)
    content = _CONTENT[container]
    first = data.draw(st.integers(0, 19998))
    last = data.draw(st.integers(first + 1, 20000))
    part = read(io.BytesIO(content), start=first / SR, stop=last / SR)
    assert part.offset == first
    np.testing.assert_array_equal(part.samples, decoded(content)[:, first:last])


_CONTENT: dict[str, bytes] = {}


@pytest.mark.parametrize("first", [100, 9000, 19713, 19998])
def test_a_stretch_of_an_ogg_file_is_where_it_should_be(first):
    content = encode(noise(), "OGG", "VORBIS")
    part = read(io.BytesIO(content), start=first / SR, stop=(first + 1) / SR)
    np.testing.assert_array_equal(part.samples, decoded(content)[:, first : first + 1])


@pytest.mark.parametrize("subtype", ["GSM610", "IMA_ADPCM"])
def test_a_stretch_of_what_cannot_seek(subtype):
    content = encode(noise(20000, 1), "WAV", subtype)
    part = read(io.BytesIO(content), start=1.0, stop=1.5)
    np.testing.assert_array_equal(part.samples, decoded(content)[:, SR : SR * 3 // 2])


def test_start_alone_goes_to_the_end():
    content = encode(noise())
    recording = read(io.BytesIO(content), start=1.0)
    np.testing.assert_array_equal(recording.samples, decoded(content)[:, SR:])


@pytest.mark.parametrize(
    ("start", "stop"), [(2.5, None), (0.0, 3.0), (-1.0, None), (1.0, 1.0), (float("nan"), None)]
)
def test_a_stretch_outside_the_file_is_refused(start, stop):
    with pytest.raises(ParameterError, match=r"2\.500 s|seconds"):
        read(io.BytesIO(encode(noise())), start=start, stop=stop)


def test_no_frames():
    for container in ("WAV", "AIFF"):
        with pytest.raises(ContentError, match="no frames"):
            read(io.BytesIO(encode(noise(0), container)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite(value):
    samples = noise()
    samples[16500, 1] = samples[17000] = value
    data = encode(samples, subtype="FLOAT")
    with pytest.raises(
        ContentError, match=r"3 samples are NaN, infinite or beyond 1e\+32, the first at 2\.062 s"
    ):
        read(io.BytesIO(data))
    with pytest.warns(
        AudioWarning, match=r"3 samples are NaN, infinite or beyond 1e\+32.*now zero"
    ):
        recording = read(io.BytesIO(data), nonfinite="zero", strict=True)
    np.testing.assert_array_equal(recording.samples.T, np.where(np.isfinite(samples), samples, 0))


def test_read_unpacks_as_samples_and_sample_rate(tmp_path):
    na.write(tmp_path / "x.wav", noise().T, SR)
    audio = na.read(tmp_path / "x.wav")
    y, sr = audio
    assert y is audio.samples
    assert sr == SR
    assert (audio.format, audio.subtype, audio.warnings, audio.offset) == ("WAV", "FLOAT", (), 0)
    assert isinstance(audio, na.audio.DecodedAudio)
    with pytest.raises(AttributeError):
        audio.sr = 1


@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG", "MP3"])
def test_audio_is_held_once_while_it_is_read(tmp_path, container):
    subtype = {"OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}.get(container, "PCM_16")
    path = saved(tmp_path, encode(noise(frames=1_000_000), container, subtype), "x")
    read(path, stop=0.1)  # imports
    tracemalloc.start()
    samples = read(path).samples
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.3 * samples.nbytes
