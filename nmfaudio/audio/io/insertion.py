"""Insertion of bytes and chunks into complete files."""

from __future__ import annotations

from typing import BinaryIO, Literal

_RF64_SIZE = 20  # position of the size of an RF64 file
_MOVED = 2**20  # bytes moved at a time


def append_chunk(file: BinaryIO, name: bytes, content: bytes) -> None:
    """Add a chunk at the end of a complete WAV, RF64 or AIFF file.

    Parameters
    ----------
    file : BinaryIO
        Open for reading and writing; its position is changed.
    name : bytes
        Identifier of four bytes.
    content : bytes
    """
    file.seek(0)
    head = file.read(4)
    order: Literal["little", "big"] = "big" if head == b"FORM" else "little"
    size = file.seek(0, 2)
    chunk = name + len(content).to_bytes(4, order) + content + bytes(len(content) % 2)
    file.write(bytes(size % 2) + chunk)
    end = file.tell()
    file.seek(_RF64_SIZE if head == b"RF64" else 4)
    file.write((end - 8).to_bytes(8 if head == b"RF64" else 4, order))


def insert_bytes(file: BinaryIO, position: int, content: bytes) -> None:
    """Insert bytes into a file, and move all that follow.

    Parameters
    ----------
    file : BinaryIO
        Open for reading and writing; its position is changed.
    position : int
    content : bytes
    """
    stop = file.seek(0, 2)
    while stop > position:  # from the end on, so that nothing is overwritten
        start = max(stop - _MOVED, position)
        file.seek(start)
        block = file.read(stop - start)
        file.seek(start + len(content))
        file.write(block)
        stop = start
    file.seek(position)
    file.write(content)
