"""Pictures in ID3v2 tags, versions 2 to 4 (id3.org)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from nmfaudio.audio.io.insertion import insert_bytes

FRONT_COVER = 3
"""Kind of picture, also in FLAC files."""

_HEAD = 10  # bytes
_FRAME_NAME = re.compile(rb"[A-Z0-9]{3,4}")
# Descriptions end with a zero, of two bytes in UTF-16; other readers allow 64 characters.
_DESCRIPTION = re.compile(rb"[^\0]{,1024}\0", re.DOTALL)
_WIDE_DESCRIPTION = re.compile(rb"(?:..){,512}?\0\0", re.DOTALL)
_WIDE = (1, 2)  # encodings of text: UTF-16 with and without a mark of the byte order
# Flags of the tag and, by version, of frames.
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40
_ENCODED = {3: 0xC0, 4: 0x0C}  # compressed or encrypted
_GROUPED = {3: 0x20, 4: 0x40}  # a byte before the content
_FRAME_UNSYNCHRONISED, _LENGTH_FIRST = 0x02, 0x01  # version 4


def tag_size(head: bytes) -> int:
    """Return the declared size of a tag.

    Parameters
    ----------
    head : bytes
        First ten bytes of a file or chunk.

    Returns
    -------
    int
        Size with these ten bytes; 0 if no tag begins.
    """
    if len(head) < _HEAD or head[:3] != b"ID3" or head[3] not in (2, 3, 4):
        return 0
    return _HEAD + _seven_bits(head[6:10])


def make_tag(mime: str, image: bytes) -> bytes:
    """Make a tag of version 3 of a front cover alone.

    Parameters
    ----------
    mime : str
        Its type, such as ``"image/png"``.
    image : bytes

    Returns
    -------
    bytes
    """
    content = b"\0" + mime.encode("ascii") + bytes([0, FRONT_COVER, 0]) + image
    frame = b"APIC" + len(content).to_bytes(4, "big") + bytes(2) + content
    return b"ID3\3\0\0" + _as_seven_bits(len(frame)) + frame


def add_picture(file: BinaryIO, tag: bytes) -> None:
    """Add a tag at the beginning of an MP3 file, or its frame to the tag that is there.

    Parameters
    ----------
    file : BinaryIO
        Written by libsndfile, whose tags have version 3, too; open for reading and writing.
    tag : bytes
        Result of `make_tag`.
    """
    file.seek(0)
    size = tag_size(file.read(_HEAD))
    if not size:
        insert_bytes(file, 0, tag)
        return
    insert_bytes(file, _HEAD, tag[_HEAD:])
    file.seek(_HEAD - 4)
    file.write(_as_seven_bits(size + len(tag) - 2 * _HEAD))


def pictures(tag: bytes) -> Iterator[tuple[int, bytes]]:
    """Read the pictures of a tag.

    Parameters
    ----------
    tag : bytes

    Yields
    ------
    kind : int
        Such as `FRONT_COVER`.
    image : bytes
        Complete frames only, neither compressed nor encrypted.
    """
    if not tag_size(tag):
        return
    for name, content in _frames(tag[3], tag[5], tag[_HEAD:]):
        if name not in (b"APIC", b"PIC"):
            continue
        # After the encoding, PIC has a type of three bytes.
        rest = content[4:] if name == b"PIC" else content[1:].partition(b"\0")[2]
        pattern = _WIDE_DESCRIPTION if content[0] in _WIDE else _DESCRIPTION
        if description := pattern.match(rest, 1):
            yield rest[0], rest[description.end() :]


def _frames(version: int, flags: int, body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and decoded contents of frames."""
    if flags & _UNSYNCHRONISED and version < 4:
        body = body.replace(b"\xff\0", b"\xff")
    position = 0
    if flags & _EXTENDED and version > 2:
        length = body[:4]
        position = _seven_bits(length) if version == 4 else 4 + int.from_bytes(length, "big")
    name_size, head_size = (3, 6) if version == 2 else (4, 10)
    while _FRAME_NAME.fullmatch(name := body[position : position + name_size]):
        field = body[position + name_size : position + 2 * name_size]
        size = _seven_bits(field) if version == 4 else int.from_bytes(field, "big")
        start = position + head_size
        content = body[start : start + size]
        if not size or len(content) < size:
            return
        if version > 2:
            frame_flags = body[start - 1]
            if version == 4 and flags & _UNSYNCHRONISED:
                frame_flags |= _FRAME_UNSYNCHRONISED
            content = _decoded(version, frame_flags, content)
        if content:
            yield name, content
        position = start + size


def _decoded(version: int, flags: int, content: bytes) -> bytes:
    """Content of a frame; empty if it is compressed or encrypted."""
    if flags & _ENCODED[version]:
        return b""
    start = 1 if flags & _GROUPED[version] else 0
    if version == 4:
        start += 4 if flags & _LENGTH_FIRST else 0
        if flags & _FRAME_UNSYNCHRONISED:
            return content[start:].replace(b"\xff\0", b"\xff")
    return content[start:]


def _seven_bits(data: bytes) -> int:
    """Integer of seven bits of each byte."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 127
    return number


def _as_seven_bits(number: int) -> bytes:
    """Four bytes of seven bits each."""
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))
