"""What an audio file's own structure says: how much it claims, how much it holds.

libsndfile reads a shortened WAV or Ogg as if it were whole, and a WAV whose length was never
filled in as if it were empty. So the claims are read here, and compared by whoever decodes.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

_Order = Literal["little", "big"]


@dataclass(frozen=True)
class Survey:
    """Claims and facts of one file; the defaults say nothing suspicious is known."""

    declared: int | None = None
    """Bytes of audio that the header claims; None where it does not say."""
    held: int = 0
    """Bytes of audio that can be there, from where it starts to the end of the file."""
    streamed: bool = False
    """The length was never filled in: the audio goes on to the end of the file."""
    unclaimed: int = 0
    """Bytes behind the audio that are neither padding nor another chunk."""
    patch: tuple[int, bytes] | None = None
    """Where the header needs which other bytes so that libsndfile reads the audio."""
    ends_early: bool = False
    """An Ogg stream without its last page."""
    damaged_after: int | None = None
    """The last position in samples before an Ogg page that is broken or missing."""


def survey(file: BinaryIO, size: int) -> Survey:
    """Read the structure of a WAV (RIFF, RIFX, RF64), W64, AIFF, AU or Ogg file.

    Parameters
    ----------
    file : BinaryIO
        Seekable; its position is changed.
    size : int
        Bytes in the file.

    Returns
    -------
    Survey
        Of any other kind of file: nothing.
    """
    file.seek(0)
    surveyor = _SURVEYORS.get(file.read(4))
    return surveyor(file, size) if surveyor else Survey()


def chunks(file: BinaryIO, size: int, order: _Order) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a RIFF or FORM file: identifier, position of the content, declared size."""
    position = 12
    while position + 8 <= size:
        file.seek(position)
        head = file.read(8)
        length = int.from_bytes(head[4:], order)
        yield head[:4], position + 8, length
        position += 8 + length + length % 2


class Patched(io.RawIOBase):
    """A file read with some of its bytes replaced, the file itself left as it is.

    Parameters
    ----------
    file : BinaryIO
    patch : tuple of int and bytes
        The position of the replacement and the replacement.
    """

    def __init__(self, file: BinaryIO, patch: tuple[int, bytes]) -> None:
        self._file = file
        self._start, self._bytes = patch

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        position = self._file.tell()
        data = bytearray(self._file.read(len(buffer)))
        for index, byte in enumerate(self._bytes, start=self._start - position):
            if 0 <= index < len(data):
                data[index] = byte
        buffer[: len(data)] = data
        return len(data)


def _riff(file: BinaryIO, size: int) -> Survey:
    return _chunked(file, size, "little", b"data", 0)


def _rifx(file: BinaryIO, size: int) -> Survey:
    return _chunked(file, size, "big", b"data", 0)


def _form(file: BinaryIO, size: int) -> Survey:
    return _chunked(file, size, "big", b"SSND", 8)  # offset and block size come first


def _chunked(file: BinaryIO, size: int, order: _Order, wanted: bytes, skipped: int) -> Survey:
    long_size = None  # position and value of RF64's 64-bit size
    for name, start, length in chunks(file, size, order):
        if name == b"ds64":
            file.seek(start + 8)
            long_size = (start + 8, int.from_bytes(file.read(8), order))
        if name != wanted:
            continue
        held = max(size - start - skipped, 0)
        if long_size is not None and length == 0xFFFFFFFF:
            where, length = long_size
            patch = (where, held.to_bytes(8, order))
        else:
            patch = (start - 4, b"\xff" * 4)  # libsndfile then reads to the end
        if length == 0 and wanted == b"data" and _unclaimed(file, start, size, order):
            return Survey(held=held, streamed=True, patch=patch)
        if length > held and _means_unknown(length):
            return Survey(held=held, streamed=True)
        tail = _unclaimed(file, start + length + length % 2, size, order)
        return Survey(declared=max(length - skipped, 0), held=held, unclaimed=tail)
    return Survey()


def _means_unknown(length: int) -> bool:
    """Programs that write to a pipe put a size just below 2 or 4 GiB."""
    return any(0 < limit - length <= 4200 for limit in (2**31, 2**32))


def _unclaimed(file: BinaryIO, position: int, size: int, order: _Order) -> int:
    """Bytes from `position` on, unless they are chunks to the end, a tag or a little padding."""
    left = size - position
    if left <= 0:
        return 0
    file.seek(position)
    head = file.read(4096)
    if head.startswith(b"TAG") and left == 128:
        return 0
    if left < 4096 and not head.strip(b"\0"):
        return 0
    while position + 8 <= size:
        file.seek(position)
        head = file.read(8)
        if not (head[:4].isascii() and head[:4].decode("ascii").isprintable()):
            return left
        length = int.from_bytes(head[4:], order)
        position += 8 + length + length % 2
    return left if position < size or position > size + 1 else 0


def _w64(file: BinaryIO, size: int) -> Survey:
    position = 40  # behind riff, its size, and wave
    while position + 24 <= size:
        file.seek(position)
        head = file.read(24)
        length = int.from_bytes(head[16:], "little")  # counts these 24 bytes too
        if head[:4] == b"data":
            return Survey(declared=max(length - 24, 0), held=size - position - 24)
        position += max(length + -length % 8, 24)
    return Survey()


def _au(file: BinaryIO, size: int) -> Survey:
    start, length = (int.from_bytes(file.read(4), "big") for _ in range(2))
    held = max(size - start, 0)
    if length == 0xFFFFFFFF:  # the format's own way to say so
        return Survey(held=held)
    return Survey(declared=length, held=held)


def _ogg(file: BinaryIO, size: int) -> Survey:
    position, granule, ended = 0, 0, False
    expected: dict[bytes, int] = {}  # the next page number of each logical stream
    while position < size:
        page = _ogg_page(file, position)
        if page is None:
            rest_is_junk = ended or not _finds_page(file, position + 1)
            if rest_is_junk:
                break
            return Survey(damaged_after=granule)
        serial, number = page[14:18], int.from_bytes(page[18:22], "little")
        if number != expected.get(serial, number):
            return Survey(damaged_after=granule)
        expected[serial] = number + 1
        ended = bool(page[5] & 4)
        granule = max(granule, int.from_bytes(page[6:14], "little", signed=True))
        position += len(page)
    return Survey(ends_early=not ended)


def _ogg_page(file: BinaryIO, position: int) -> bytes | None:
    """The page that starts at `position`, or None if there is no whole one."""
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
    return page if _ogg_checksum(blank) == int.from_bytes(page[22:26], "little") else None


def _finds_page(file: BinaryIO, position: int) -> bool:
    file.seek(position)
    end = b""
    while block := file.read(1 << 16):
        if b"OggS" in end + block:
            return True
        end = block[-3:]
    return False


_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _ogg_checksum(data: bytes) -> int:
    """Ogg's CRC-32: zlib's polynomial, but bits in the other order and started from zero."""
    mirrored = zlib.crc32(data.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


_SURVEYORS: dict[bytes, Callable[[BinaryIO, int], Survey]] = {
    b"RIFF": _riff,
    b"RF64": _riff,
    b"RIFX": _rifx,
    b"FORM": _form,
    b"riff": _w64,
    b".snd": _au,
    b"OggS": _ogg,
}
