"""Time stamps of broadcast wave files: samples from midnight to the beginning of a recording.

They tell workstations where the recording stands. libsndfile has no public function for them in
Python. The chunk is that of EBU Tech 3285, version 1.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from nmfaudio.audio.io.containers import chunks

_CHUNK = struct.Struct("<256s32s32s10s8sQH254s")
_TIME = 5  # index of the time stamp
_RF64_SIZE = 20  # position of the size of an RF64 file


def read_time_reference(file: BinaryIO, size: int) -> int | None:
    """Read the time stamp of a WAV file.

    Parameters
    ----------
    file : BinaryIO
        Its position is changed.
    size : int
        Size of the file in bytes.

    Returns
    -------
    int or None
        None if the file has none, or is of another format.
    """
    file.seek(0)
    head = file.read(12)
    if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
        for name, start, length in chunks(file, size, "little"):
            if name == b"bext" and length >= _CHUNK.size:
                file.seek(start)
                content = file.read(_CHUNK.size)
                if len(content) == _CHUNK.size:
                    return int(_CHUNK.unpack(content)[_TIME])
    return None


def append_time_reference(file: BinaryIO, samples: int) -> None:
    """Add a time stamp at the end of a complete WAV or RF64 file.

    Parameters
    ----------
    file : BinaryIO
        Open for reading and writing; its position is changed.
    samples : int
        From 0 to 2⁶⁴ - 1.
    """
    size = file.seek(0, 2)
    content = _CHUNK.pack(b"", b"nmfaudio", b"", b"", b"", samples, 1, b"")
    file.write(bytes(size % 2) + b"bext" + struct.pack("<I", len(content)) + content)
    end = file.tell()
    file.seek(0)
    is_long = file.read(4) == b"RF64"
    file.seek(_RF64_SIZE if is_long else 4)
    file.write(struct.pack("<Q" if is_long else "<I", end - 8))
