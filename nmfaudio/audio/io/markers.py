"""Markers of WAV files: positions with labels, in the chunks ``cue `` and ``LIST adtl``.

libsndfile has no public function for them in Python. Here they are text, so that they travel with
the tags: a JSON list of positions and labels, whose bytes, of no known encoding, are Latin-1.
"""

from __future__ import annotations

import json
import struct
from typing import BinaryIO

from nmfaudio.audio.io.containers import chunks
from nmfaudio.audio.io.insertion import append_chunk

_MOST_BYTES = 2**20  # of each chunk, some 43,000 markers
_CUE = struct.Struct("<II4sIII")  # number, order, chunk, two positions of other chunks, sample


def read_markers(file: BinaryIO, size: int) -> str | None:
    """Read the markers of a WAV file.

    Parameters
    ----------
    file : BinaryIO
        Its position is changed.
    size : int
        Size of the file in bytes.

    Returns
    -------
    str or None
        None if the file has none, more than 1 MiB of them, or is of another format.
    """
    file.seek(0)
    head = file.read(12)
    if head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
        return None
    positions: dict[int, int] = {}
    labels: dict[int, str] = {}
    for name, start, length in chunks(file, size, "little"):
        if name in (b"cue ", b"LIST") and length <= _MOST_BYTES:
            file.seek(start)
            content = file.read(length)
            if name == b"cue ":
                positions |= _positions(content)
            elif content[:4] == b"adtl":
                labels |= _labels(content)
    pairs = sorted((position, labels.get(key, "")) for key, position in positions.items())
    return json.dumps(pairs) if pairs else None


def excerpt_markers(text: str, start: int) -> str:
    """Move markers to an excerpt.

    Parameters
    ----------
    text : str
        Result of `read_markers`.
    start : int
        First sample of the excerpt.

    Returns
    -------
    str
        Markers from there on, whose positions count from it.
    """
    return json.dumps([[at - start, label] for at, label in json.loads(text) if at >= start])


def append_markers(file: BinaryIO, text: str, samples: int) -> None:
    """Add markers at the end of a complete WAV or RF64 file.

    Parameters
    ----------
    file : BinaryIO
        Open for reading and writing; its position is changed.
    text : str
        Result of `read_markers`.
    samples : int
        Number of samples of the file; markers after its end are left out.
    """
    pairs = [pair for pair in json.loads(text) if pair[0] <= samples]
    cues, labels = [], [b"adtl"]
    for number, (position, label) in enumerate(pairs, start=1):
        cues.append(_CUE.pack(number, position, b"data", 0, 0, position))
        content = struct.pack("<I", number) + label.encode("latin-1") + b"\0"
        labels.append(b"labl" + struct.pack("<I", len(content)) + content)
        labels.append(bytes(len(content) % 2))
    if cues:
        append_chunk(file, b"cue ", struct.pack("<I", len(cues)) + b"".join(cues))
        append_chunk(file, b"LIST", b"".join(labels))


def _positions(content: bytes) -> dict[int, int]:
    """Samples of the markers in a chunk, by their numbers."""
    count = int.from_bytes(content[:4], "little")
    complete = content[4 : 4 + _CUE.size * count]
    complete = complete[: len(complete) - len(complete) % _CUE.size]
    return {cue[0]: cue[-1] for cue in _CUE.iter_unpack(complete)}


def _labels(content: bytes) -> dict[int, str]:
    """Labels in a chunk, by the numbers of the markers."""
    labels, position = {}, 4
    while position + 12 <= len(content):
        length = int.from_bytes(content[position + 4 : position + 8], "little")
        start, stop = position + 12, position + 8 + length
        if content[position : position + 4] == b"labl" and start <= stop <= len(content):
            number = int.from_bytes(content[start - 4 : start], "little")
            labels[number] = content[start:stop].partition(b"\0")[0].decode("latin-1")
        position = stop + length % 2
    return labels
