"""Reading: what cannot be opened says why."""

import io
import os
import socket

import pytest
from audio_files import encode, noise, saved

from nmfaudio.audio.io import read
from nmfaudio.errors import AudioFileError, ParameterError


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
    ("data", "shown"),
    [
        (b"Dear Sir or Madam,\n" * 100, "text that begins with 'Dear Sir or Mada'"),
        (encode(noise())[:30], "a damaged WAV file"),
        (encode(noise())[:12] + bytes(500), "a damaged WAV file"),
        (bytes(range(256)) * 20, "begins with 00010203 04050607 08090a0b 0c0d0e0f"),
    ],
    ids=["text", "half a header", "broken header", "binary"],
)
def test_what_is_no_audio_is_shown_by_its_first_bytes(tmp_path, data, shown):
    with pytest.raises(AudioFileError) as caught:
        read(saved(tmp_path, data))
    assert "not an audio file" in str(caught.value)
    assert shown in str(caught.value)
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
