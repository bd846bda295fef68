"""Pages of Ogg files, and the comments in their headers (RFC 3533, RFC 7845, Vorbis I)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from nmfaudio.audio.io.insertion import insert_bytes

_MOST_BYTES = 2**25  # of the headers
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def read_page(file: BinaryIO, position: int) -> bytes | None:
    """Read the page at a position.

    Parameters
    ----------
    file : BinaryIO
        Its position is changed.
    position : int

    Returns
    -------
    bytes or None
        None unless it is complete and undamaged.
    """
    file.seek(position)
    head = file.read(27)
    if len(head) < 27 or not head.startswith(b"OggS"):
        return None
    lacing = file.read(head[26])
    length = sum(lacing)
    body = file.read(length)
    page = head + lacing + body
    if len(page) < 27 + head[26] + length:
        return None
    blank = page[:22] + bytes(4) + page[26:]
    return page if checksum(blank) == int.from_bytes(page[22:26], "little") else None


def checksum(data: bytes) -> int:
    """CRC-32 of Ogg: the polynomial of zlib, with reversed bits and the initial value 0.

    Parameters
    ----------
    data : bytes
        Page whose checksum is 0.

    Returns
    -------
    int
    """
    mirrored = zlib.crc32(data.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def number_pages(file: BinaryIO) -> None:
    """Number the pages from 0 and the stream 0, instead of at random: equal audio has equal bytes.

    Parameters
    ----------
    file : BinaryIO
        Complete and of one stream; its position is changed.
    """
    position = number = 0
    while (page := read_page(file, position)) is not None:
        numbers = bytes(4) + number.to_bytes(4, "little")
        blank = page[:14] + numbers + bytes(4) + page[26:]
        file.seek(position + 14)
        file.write(numbers + checksum(blank).to_bytes(4, "little"))
        position, number = position + len(page), number + 1


def read_comments(file: BinaryIO) -> Iterator[bytes]:
    """Read the comments of the first stream.

    Parameters
    ----------
    file : BinaryIO
        Its position is changed.

    Yields
    ------
    bytes
        Such as ``b"TITLE=Song"``; none if the headers are damaged or have more than 32 MiB.
    """
    packets, _ = _read_packets(file, 2)
    if len(packets) < 2:
        return
    packet, position = packets[1], _count_position(packets[1])
    count = _integer(packet, position)
    while count > 0 and position + 8 <= len(packet):
        position, count = position + 4, count - 1
        length = _integer(packet, position)
        if position + 4 + length <= len(packet):
            yield packet[position + 4 : position + 4 + length]
        position += length


def add_comment(file: BinaryIO, comment: bytes) -> None:
    """Add a comment to a file that libsndfile has written; its pages are to be numbered then.

    Parameters
    ----------
    file : BinaryIO
        Complete and of one stream, open for reading and writing; its position is changed.
    comment : bytes
        Such as ``b"TITLE=Song"``.
    """
    first = read_page(file, 0) or b""
    # The codebooks of Vorbis share pages with the comments.
    packets, end = _read_packets(file, 3 if b"\x01vorbis" in first else 2)
    if not packets:  # the system could not read, which `Steady` has kept
        return
    at = _count_position(packets[1])
    count = _integer(packets[1], at) + 1
    added = _bytes(count) + _bytes(len(comment)) + comment
    packets[1] = packets[1][:at] + added + packets[1][at + 4 :]
    pages = b"".join(page for packet in packets[1:] for page in _pages(packet))
    insert_bytes(file, end, bytes(len(first) + len(pages) - end))
    file.seek(len(first))
    file.write(pages)


def _read_packets(file: BinaryIO, count: int) -> tuple[list[bytes], int]:
    """First packets of the first stream, and the end of their last page."""
    position, serial = 0, None
    packets: list[bytes] = []
    part = bytearray()
    while len(part) <= _MOST_BYTES and (page := read_page(file, position)) is not None:
        position += len(page)
        serial = page[14:18] if serial is None else serial
        if page[14:18] != serial:
            continue
        start = 27 + page[26]
        for length in page[27:start]:
            part += page[start : start + length]
            start += length
            if length < 255:  # the packet ends
                packets.append(bytes(part))
                part.clear()
        if len(packets) >= count:
            return packets[:count], position
    return [], position


def _count_position(packet: bytes) -> int:
    """Position of the number of comments, after signature and vendor."""
    start = len(b"OpusTags" if packet.startswith(b"OpusTags") else b"\x03vorbis")
    return start + 4 + _integer(packet, start)


def _pages(packet: bytes) -> Iterator[bytes]:
    """Pages of one packet, of stream and number 0."""
    lacing = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    for start in range(0, len(lacing), 255):
        segments = lacing[start : start + 255]
        body = packet[255 * start : 255 * start + sum(segments)]
        ends = segments[-1] < 255
        position = bytes(8) if ends else b"\xff" * 8  # -1: no packet ends on the page
        head = b"OggS\0" + bytes([start > 0]) + position + bytes(8)
        rest = bytes([len(segments)]) + segments + body
        yield head + checksum(head + bytes(4) + rest).to_bytes(4, "little") + rest


def _integer(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 4], "little")


def _bytes(number: int) -> bytes:
    return number.to_bytes(4, "little")
