"""Reading: what is in the file comes out, and what is wrong with it is said."""

import io
import os
import socket
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from nmfaudio.errors import AudioFileError, AudioWarning, ContentError, ParameterError
from nmfaudio.io import read
from nmfaudio.io.containers import _ogg_checksum, survey

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


def with_wav_size(data, size):
    at = data.index(b"data") + 4
    return data[:at] + struct.pack("<I", size) + data[at + 4 :]


def with_flac_total(data, total):
    fields = int.from_bytes(data[18:26], "big") & ~((1 << 36) - 1) | total
    return data[:18] + fields.to_bytes(8, "big") + data[26:]


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


# --- files that cannot be opened -----------------------------------------------------------


def test_a_missing_file(tmp_path):
    with pytest.raises(AudioFileError, match=r"no\.wav: No such file or directory"):
        read(tmp_path / "no.wav")


def test_a_directory_says_to_name_its_files(tmp_path):
    with pytest.raises(AudioFileError, match="Is a directory; name the files in it"):
        read(tmp_path)


def test_a_loop_of_links(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "a")
    with pytest.raises(AudioFileError, match="Too many levels of symbolic links"):
        read(tmp_path / "a")


def test_no_permission(tmp_path, monkeypatch):
    path = saved(tmp_path, b"RIFF")
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read everything

        def refuse(*_):
            raise PermissionError(13, "whatever")

        monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(AudioFileError, match=r"x\.wav: Permission denied"):
        read(path)


def test_a_name_with_a_nul_character():
    with pytest.raises(AudioFileError, match=r"a\\x00b: no file can have this name"):
        read("a\0b")


def test_a_fifo_a_socket_and_a_device_are_refused_and_nothing_hangs(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(AudioFileError, match="is a FIFO"):
        read(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        home = os.getcwd()
        os.chdir(tmp_path)  # a socket's whole name must be short
        try:
            listener.bind("socket")
        finally:
            os.chdir(home)
        with pytest.raises(AudioFileError, match="is a socket"):
            read(tmp_path / "socket")
    with pytest.raises(AudioFileError, match="is a device"):
        read("/dev/null")


def test_an_empty_file(tmp_path):
    with pytest.raises(AudioFileError, match="not an audio file: it is empty"):
        read(saved(tmp_path, b""))


@pytest.mark.parametrize(
    "data",
    [
        b"Dear Sir or Madam,\n" * 100,
        encode(noise())[:30],
        encode(noise())[:12] + bytes(500),
        bytes(range(256)) * 20,
    ],
    ids=["text", "half a header", "broken header", "binary"],
)
def test_what_is_no_audio_is_shown_by_its_first_bytes(tmp_path, data):
    with pytest.raises(AudioFileError) as caught:
        read(saved(tmp_path, data))
    assert "not an audio file" in str(caught.value)
    assert repr(data[:16]) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_raw_file_is_not_guessed_at(tmp_path):
    with (
        open(saved(tmp_path, bytes(1000), "x.raw"), "rb") as file,
        pytest.raises(AudioFileError, match="not an audio file"),
    ):
        read(file)


def test_no_channels_and_no_sample_rate():
    data = encode(noise(100))
    with pytest.raises(AudioFileError, match="channel count is zero"):
        read(io.BytesIO(data[:22] + b"\0\0" + data[24:]))
    with pytest.raises(AudioFileError, match="not an audio file"):
        read(io.BytesIO(data[:24] + bytes(4) + data[28:]))


@pytest.mark.parametrize("sr", [1, 99, 1_500_001])
def test_sample_rates_that_are_none_are_refused(sr):
    with pytest.raises(ParameterError, match=f"{sr} Hz"):
        read(io.BytesIO(encode(noise(100), sr=sr)))


@pytest.mark.parametrize("sr", [100, 1_500_000])
def test_the_outermost_sample_rates_are_taken(sr):
    assert read(io.BytesIO(encode(noise(100), sr=sr))).sr == sr


def test_what_is_no_source_is_refused():
    with pytest.raises(ParameterError, match="need a path or a seekable binary file object"):
        read(3)
    with pytest.raises(ParameterError, match="nonfinite='keep'"):
        read(io.BytesIO(), nonfinite="keep")


# --- headers that do not fit ---------------------------------------------------------------


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
    assert "76000 bytes behind the 1000 frames" in recording.warnings[0]


def test_what_ordinarily_follows_the_audio_is_not_suspicious():
    data = encode(noise(100))
    for tail in (b"LIST\4\0\0\0INFO", b"TAG" + b"x" * 125, bytes(512), b"junk\3\0\0\0abc"):
        assert read(io.BytesIO(data + tail)).warnings == ()


def test_an_empty_wav_with_another_chunk_is_empty_not_streamed():
    data = with_wav_size(encode(noise(0)), 0) + b"LIST\4\0\0\0INFO"
    with pytest.raises(ContentError, match="no frames"):
        read(io.BytesIO(data))


# --- damage in the middle ------------------------------------------------------------------


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
    with pytest.warns(AudioWarning, match="200000 frames are declared, only") as caught:
        recording = read(io.BytesIO(data[: len(data) // 2]))
    assert f"only {recording.samples.shape[1]} were decoded" in str(caught[0].message)


def test_a_damaged_mp3_says_when():
    data = encode(noise(200_000), "MP3", "MPEG_LAYER_III")
    middle = len(data) // 2
    broken = data[:middle] + b"\x55" * 20_000 + data[middle + 20_000 :]
    with pytest.raises(AudioFileError, match=r"from 1\d\.\d+ s on of 25\.000 s: damaged"):
        read(io.BytesIO(broken))
    assert quietly(io.BytesIO(broken), salvage=True).samples.shape[1] > 80_000


# --- content ------------------------------------------------------------------------------


def test_no_frames():
    for container in ("WAV", "AIFF"):
        with pytest.raises(ContentError, match="no frames"):
            read(io.BytesIO(encode(noise(0), container)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite(value):
    samples = noise()
    samples[16500, 1] = samples[17000] = value
    data = encode(samples, subtype="FLOAT")
    with pytest.raises(ContentError, match=r"3 samples are NaN or infinite, the first at 2\.062 s"):
        read(io.BytesIO(data))
    with pytest.warns(AudioWarning, match="3 samples are NaN or infinite.*now zero"):
        recording = read(io.BytesIO(data), nonfinite="zero", strict=True)
    np.testing.assert_array_equal(recording.samples.T, np.where(np.isfinite(samples), samples, 0))


# --- the surveyor itself ------------------------------------------------------------------


def test_the_ogg_checksum_is_the_one_in_the_pages():
    data = encode(noise(100), "OGG", "VORBIS")
    length = 27 + data[26] + sum(data[27 : 27 + data[26]])
    page = data[:length]
    stored = int.from_bytes(page[22:26], "little")
    assert _ogg_checksum(page[:22] + bytes(4) + page[26:]) == stored


@settings(max_examples=200)
@given(
    st.sampled_from([b"RIFF", b"RIFX", b"RF64", b"FORM", b"riff", b".snd", b"OggS"]),
    st.binary(max_size=300),
)
def test_a_survey_of_anything_ends(magic, rest):
    data = magic + rest
    facts = survey(io.BytesIO(data), len(data))
    assert facts.held <= len(data)
    assert facts.unclaimed <= len(data)


@settings(max_examples=100)
@given(st.integers(0, 1 << 40), st.sampled_from(["WAV", "W64", "RF64", "AIFF", "AU"]), st.data())
def test_a_survey_of_a_broken_header_ends(bits, container, data):
    content = bytearray(encode(noise(50), container))
    at = data.draw(st.integers(4, 120))
    content[at : at + 5] = bits.to_bytes(6, "little")[:5]
    facts = survey(io.BytesIO(bytes(content)), len(content))
    assert facts.held <= len(content)
