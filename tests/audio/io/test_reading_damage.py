"""Reading: headers that do not fit and damage in the middle are noticed and said."""

import io
import os
import struct

import numpy as np
import pytest
from audio_files import SR, decoded, encode, noise, quietly, saved

from nmfaudio.audio.io import read
from nmfaudio.audio.io.library_messages import collected_messages
from nmfaudio.errors import AudioFileError, AudioWarning, ContentError, ParameterError


def with_wav_size(data, size):
    at = data.index(b"data") + 4
    return data[:at] + struct.pack("<I", size) + data[at + 4 :]


def with_flac_total(data, total):
    fields = int.from_bytes(data[18:26], "big") & ~((1 << 36) - 1) | total
    return data[:18] + fields.to_bytes(8, "big") + data[26:]


@pytest.mark.parametrize("container", ["WAV", "RF64", "W64", "AIFF", "AU"])
def test_a_file_cut_short_is_read_with_the_counts(tmp_path, container):
    data = encode(noise(), container)
    path = saved(tmp_path, data[: len(data) // 2])
    with pytest.warns(AudioWarning, match="cut short: the header declares 20000 frames") as caught:
        recording = read(path)
    frames = recording.samples.shape[1]
    assert 9900 < frames < 10100
    assert f"{frames} frames were decoded" in str(caught[0].message)
    assert recording.warnings == (str(caught[0].message),)
    np.testing.assert_array_equal(recording.samples, decoded(data)[:, :frames])
    with pytest.raises(AudioFileError, match=r"cut short.*strict"):
        read(path, strict=True)


def test_a_cut_short_big_endian_wav_is_noticed():
    data = encode(noise(), endian="BIG")
    assert "cut short" in quietly(io.BytesIO(data[:-4000])).warnings[0]


@pytest.mark.parametrize(
    "size", [0, 0xFFFFFFFF, 0xFFFFFFFF - 36, 0x7FFFF000, 0x7FFFFFFF, 0x80000000 - 4096]
)
def test_a_streamed_wav_is_read_to_its_end_with_a_note(tmp_path, size):
    data = encode(noise())
    path = saved(tmp_path, with_wav_size(data, size))
    before = path.read_bytes()
    with pytest.warns(AudioWarning, match="does not say how long it is.*20000 frames"):
        recording = read(path)
    np.testing.assert_array_equal(recording.samples, decoded(data))
    np.testing.assert_array_equal(quietly(io.BytesIO(before)).samples, recording.samples)
    part = quietly(path, start=1.0, stop=1.5)
    np.testing.assert_array_equal(part.samples, decoded(data)[:, SR : SR * 3 // 2])
    assert path.read_bytes() == before


def test_a_streamed_rf64_is_read_to_its_end():
    data = encode(noise(), "RF64")
    at = data.index(b"ds64") + 8
    recording = quietly(io.BytesIO(data[:at] + bytes(24) + data[at + 24 :]))
    np.testing.assert_array_equal(recording.samples, decoded(data))
    assert "does not say how long" in recording.warnings[0]


def test_a_streamed_au_is_ordinary():
    data = encode(noise(), "AU")
    recording = read(io.BytesIO(data[:8] + b"\xff" * 4 + data[12:]))
    np.testing.assert_array_equal(recording.samples, decoded(data))


@pytest.mark.parametrize("frames", [20000, 16384, 5])
def test_a_streamed_flac_is_read_to_its_last_frame(tmp_path, frames):
    data = encode(noise(frames), "FLAC")
    path = saved(tmp_path, with_flac_total(data, 0))
    for source in (path, io.BytesIO(path.read_bytes())):
        with pytest.warns(AudioWarning, match=f"all {frames} frames"):
            recording = read(source)
        np.testing.assert_array_equal(recording.samples, decoded(data))


def test_a_stretch_of_a_streamed_flac(tmp_path):
    data = encode(noise(), "FLAC")
    path = saved(tmp_path, with_flac_total(data, 0))
    part = quietly(path, start=1.0, stop=2.25)
    np.testing.assert_array_equal(part.samples, decoded(data)[:, 8000:18000])
    with pytest.raises(ParameterError, match="does not lie within"):
        quietly(path, start=1.0, stop=9.0)
    with pytest.raises(ParameterError, match="does not lie within"):
        quietly(path, start=8.0)


def test_a_header_that_claims_the_moon_costs_nothing():
    data = with_flac_total(encode(noise(), "FLAC"), (1 << 36) - 1)
    with pytest.warns(AudioWarning, match="68719476735 frames are declared, only 20000"):
        recording = read(io.BytesIO(data))
    np.testing.assert_array_equal(recording.samples, decoded(encode(noise(), "FLAC")))


def test_a_wav_that_declares_too_little_is_noticed():
    data = with_wav_size(encode(noise()), 4000)
    recording = quietly(io.BytesIO(data))
    assert recording.samples.shape[1] == 1000
    assert "76000 bytes after the 1000 frames" in recording.warnings[0]


def test_what_ordinarily_follows_the_audio_is_not_suspicious():
    data = encode(noise(100))
    for tail in (b"LIST\4\0\0\0INFO", b"TAG" + b"x" * 125, bytes(512), b"junk\3\0\0\0abc"):
        assert read(io.BytesIO(data + tail)).warnings == ()


def test_an_empty_wav_with_another_chunk_is_empty_not_streamed():
    data = with_wav_size(encode(noise(0)), 0) + b"LIST\4\0\0\0INFO"
    with pytest.raises(ContentError, match="no frames"):
        read(io.BytesIO(data))


def damaged(data, at=0.5, length=60):
    middle = int(len(data) * at)
    return data[:middle] + b"\x55" * length + data[middle + length :]


@pytest.mark.parametrize("container", ["file", "stream"])
def test_a_damaged_flac_says_when_and_can_be_salvaged(tmp_path, container):
    data = encode(noise(200_000), "FLAC")
    broken = damaged(data)
    source = saved(tmp_path, broken) if container == "file" else io.BytesIO(broken)
    with pytest.raises(AudioFileError, match=r"from 1[12]\.\d+ s on of 25\.000 s: damaged"):
        read(source)
    recording = quietly(source, salvage=True)
    frames = recording.samples.shape[1]
    assert 80_000 < frames < 110_000
    np.testing.assert_array_equal(recording.samples, decoded(data)[:, :frames])
    assert f"{frames} frames that could be decoded were kept" in recording.warnings[0]
    before = read(source, start=1.0, stop=2.0)  # an undamaged stretch is fine
    np.testing.assert_array_equal(before.samples, decoded(data)[:, SR : 2 * SR])


def test_a_flac_cut_short_says_when():
    data = encode(noise(200_000), "FLAC")
    with pytest.raises(AudioFileError, match="damaged or cut short there"):
        read(io.BytesIO(data[: len(data) // 2]))


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_damaged_ogg_says_when_and_can_be_salvaged(subtype):
    data = encode(noise(200_000, 1), "OGG", subtype)
    broken = io.BytesIO(damaged(data, length=1))
    with pytest.raises(AudioFileError, match=r"from 1[0-3]\.\d+ s on.*: damaged"):
        read(broken)
    recording = quietly(broken, salvage=True)
    assert recording.samples.shape[1] > 100_000
    assert "frames that could be decoded were kept" in recording.warnings[-1]


def test_a_missing_ogg_page_is_noticed():
    data = encode(noise(200_000), "OGG", "VORBIS")
    starts = [at for at in range(len(data)) if data.startswith(b"OggS", at)]
    with pytest.raises(AudioFileError, match="damaged"):
        read(io.BytesIO(data[: starts[4]] + data[starts[5] :]))


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_cut_short_is_noticed(subtype):
    data = encode(noise(200_000), "OGG", subtype)
    recording = quietly(io.BytesIO(data[: len(data) * 2 // 3]))
    assert 100_000 < recording.samples.shape[1] < 150_000
    assert "cut short: its last page is missing" in recording.warnings[0]


def test_an_ogg_cut_before_any_audio():
    data = encode(noise(), "OGG", "OPUS")
    with pytest.raises(AudioFileError, match="cut short before any audio"):
        read(io.BytesIO(data[:200]))


def test_junk_behind_an_ogg_is_harmless():
    assert read(io.BytesIO(encode(noise(), "OGG", "VORBIS") + b"x" * 3000)).warnings == ()


def test_an_mp3_cut_short_is_read_with_the_counts():
    data = encode(noise(200_000), "MP3", "MPEG_LAYER_III")
    recording = quietly(io.BytesIO(data[: len(data) // 2]))
    decoder, counts = recording.warnings
    assert "damaged or cut short, the decoder reports: Xing stream size off" in decoder
    frames = recording.samples.shape[1]
    assert f"200000 frames are declared, only {frames} were decoded" in counts


def test_what_the_decoder_says_of_an_mp3_is_a_warning_of_ours(capfd):
    data = bytearray(encode(noise(20_000), "MP3", "MPEG_LAYER_III"))
    for place in range(len(data) // 2, len(data), 97):
        data[place] = 0
    with pytest.warns(AudioWarning, match="damaged or cut short, the decoder reports: deq"):
        read(io.BytesIO(data))
    assert capfd.readouterr().err == ""
    messages = []
    with collected_messages(messages):
        os.write(2, b"Warning: odd\nanother line\n[src/libmpg123/layer3.c:f():9] error: broken\n")
    assert messages == ["odd", "broken"]
    assert capfd.readouterr().err == "another line\n"


def test_samples_too_large_for_sums_are_like_infinite_ones():
    y = np.full((1, 9), 1e31)
    y[0, 3] = -1.1e32
    with pytest.raises(ContentError, match=r"1 sample is NaN, infinite or beyond 1e\+32, the fir"):
        read(io.BytesIO(encode(y.T, "WAV", "DOUBLE")))
    y[0, 3] = -1e32
    assert read(io.BytesIO(encode(y.T, "WAV", "DOUBLE"))).samples.max() == 1e31


def test_a_damaged_mp3_says_when():
    data = encode(noise(200_000), "MP3", "MPEG_LAYER_III")
    middle = len(data) // 2
    broken = data[:middle] + b"\x55" * 20_000 + data[middle + 20_000 :]
    with pytest.raises(AudioFileError, match=r"from 1\d\.\d+ s on of 25\.000 s: damaged"):
        read(io.BytesIO(broken))
    assert quietly(io.BytesIO(broken), salvage=True).samples.shape[1] > 80_000
