"""A file that is changed while it is read is refused, whoever reads it."""

import os

import pytest
from processes import QUICK

import nmfaudio as na
from nmfaudio.audio.io import decoding, open_track
from nmfaudio.cli import main
from nmfaudio.errors import AudioFileError


def grow(path):
    with open(path, "ab") as file:
        file.write(bytes(1000))


def shrink(path):
    os.truncate(path, os.stat(path).st_size - 1000)


@pytest.fixture(params=[grow, shrink, os.utime])
def changing(request, monkeypatch, song):
    """Song that is changed after its second block was decoded."""
    original, decoded = decoding.Decoder.decode, []

    def decode(self, frames):
        block = original(self, frames)
        decoded.append(frames)
        if len(decoded) == 2:
            request.param(song)
        return block

    monkeypatch.setattr(decoding.Decoder, "decode", decode)
    return song


@pytest.mark.parametrize("function", [na.read, open_track])
def test_it_is_refused(changing, function):
    with pytest.raises(AudioFileError, match=r"song\.wav: was changed while it was read; wait"):
        function(changing)


def test_nothing_is_made_of_it(changing, tmp_path, capfd):
    assert main(["separate", *QUICK, str(changing), "-o", str(tmp_path / "out")]) == 3
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"nmfaudio: error: {changing}: was changed while it was read")
    assert not (tmp_path / "out").exists()
