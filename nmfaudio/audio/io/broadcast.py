"""Time stamps of broadcast wave files: samples from midnight to the beginning of a recording.

They tell workstations where the recording stands. libsndfile has no public function for them in
Python. The chunk is that of EBU Tech 3285, version 1.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from nmfaudio.audio.io.containers import chunks
from nmfaudio.audio.io.insertion import append_chunk

_CHUNK = struct.Struct("<256s32s32s10s8sQH254s")
_TIME = 5  # index of the time stamp


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
    content = _CHUNK.pack(b"", b"nmfaudio", b"", b"", b"", samples, 1, b"")
    append_chunk(file, b"bext", content)
