"""Files are read whole only if they are regular and no larger than they should be."""

import io
import os

import pytest

from nmfaudio._common.files.sources import read_bytes, read_text
from nmfaudio.errors import AudioFileError


def test_content_is_returned_up_to_the_limit(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(b"\xef\xbb\xbfcaf\xc3\xa9")
    assert read_bytes(path, 8) == path.read_bytes()
    assert read_bytes(io.BytesIO(b"ab"), 2) == b"ab"
    assert read_text(path, 8) == "café"


def test_what_is_refused_in_one_line(tmp_path, monkeypatch):
    path, fifo = tmp_path / "x.txt", tmp_path / "fifo"
    path.write_bytes(b"\xff" * 9)
    os.mkfifo(fifo)
    cases = {
        "has 9 bytes, at most 8 are read; cut it": (path, 8),
        "not a text file; cut it": (path, 9),
        "is a FIFO": (fifo, 9),
        "is a device": ("/dev/zero", 9),
        "Is a directory": (tmp_path, 9),
        "No such file": (tmp_path / "none", 9),
    }
    for message, (source, limit) in cases.items():
        with pytest.raises(AudioFileError, match=message) as caught:
            read_text(source, limit, "cut it")
        assert len(str(caught.value).splitlines()) == 1
    monkeypatch.setattr(os, "fstat", lambda _: os.stat_result((0o100644,) + (0,) * 9))
    with pytest.raises(AudioFileError, match="grows while it is read"):
        read_bytes(path, 8)


class Failing(io.BytesIO):
    def read(self, size=-1):
        raise OSError(5, "")


def test_a_failing_disk_is_no_bug():
    with pytest.raises(AudioFileError, match="Input/output error"):
        read_bytes(Failing(), 9)
