"""Structure of audio files: declared and actual amounts of audio.

libsndfile reads a truncated WAV or Ogg file as if it were complete, and a WAV file whose length was
never filled in as if it were empty. So the headers are read here, and compared by `Decoder`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from nmfaudio.audio.io.ogg import read_page

_Order = Literal["little", "big"]

PICTURE_BLOCK = 6
"""Kind of a FLAC block."""

_PADDING_BLOCK = 1
_LAST_BLOCK = 128  # flag of the last block before the audio
_MOST_BLOCKS = 4096


@dataclass(frozen=True)
class Survey:
    """Declared and actual structure of a file; the defaults describe an undamaged one."""

    declared: int | None = None
    """Bytes of audio declared in the header; None if it does not declare them."""
    available: int = 0
    """Bytes from the begin of the audio to the end of the file."""
    streamed: bool = False
    """Whether the length was never filled in; the audio then extends to the end of the file."""
    undeclared: int = 0
    """Bytes after the audio that are neither padding nor another chunk."""
    patches: tuple[tuple[int, bytes], ...] = ()
    """Positions and bytes to replace in the header so that libsndfile reads the audio."""
    ends_early: bool = False
    """Whether an Ogg stream lacks its last page."""
    damaged_after: int | None = None
    """Position in samples before the first Ogg page that is damaged or missing."""


def survey(file: BinaryIO, size: int) -> Survey:
    """Read the structure of a WAV (RIFF, RIFX, RF64), W64, AIFF, AU, FLAC or Ogg file.

    Parameters
    ----------
    file : BinaryIO
        Seekable; its position is changed.
    size : int
        Size of the file in bytes.

    Returns
    -------
    Survey
        The defaults for any other kind of file.
    """
    file.seek(0)
    surveyor = _SURVEYORS.get(file.read(4))
    return surveyor(file, size) if surveyor else Survey()


def chunks(file: BinaryIO, size: int, order: _Order) -> Iterator[tuple[bytes, int, int]]:
    """Chunks of a RIFF, RF64 or FORM file: identifier, position of the content, declared size."""
    position, long_size = 12, 0  # long_size: of the audio of RF64
    while position + 8 <= size:
        file.seek(position)
        head = file.read(8)
        length = int.from_bytes(head[4:], order)
        if head[:4] == b"ds64":
            long_size = int.from_bytes(file.read(16)[8:], order)
        yield head[:4], position + 8, length
        if head[:4] == b"data" and length == 0xFFFFFFFF:
            length = long_size or length
        position += 8 + length + length % 2  # chunks are padded to even lengths


def flac_blocks(file: BinaryIO, start: int) -> Iterator[tuple[int, int, int]]:
    """Blocks before the audio of a FLAC stream at a position: kind, position, declared size."""
    file.seek(start)
    position = start + 4
    if file.read(4) != b"fLaC":
        return
    for _ in range(_MOST_BLOCKS):
        file.seek(position)
        head = file.read(4)
        if len(head) < 4:
            return
        length = int.from_bytes(head[1:], "big")
        yield head[0] & ~_LAST_BLOCK, position, length
        if head[0] & _LAST_BLOCK:
            return
        position += 4 + length


def _riff(file: BinaryIO, size: int) -> Survey:
    return _chunked(file, size, "little", b"data", 0)


def _rifx(file: BinaryIO, size: int) -> Survey:
    return _chunked(file, size, "big", b"data", 0)


def _form(file: BinaryIO, size: int) -> Survey:
    return _chunked(file, size, "big", b"SSND", 8)  # the audio follows its offset and block size


def _chunked(file: BinaryIO, size: int, order: _Order, target: bytes, skipped: int) -> Survey:
    """Survey of a file of chunks; audio begins `skipped` bytes into the chunk `target`."""
    long_size = None  # position and value of RF64's 64-bit size
    for name, start, length in chunks(file, size, order):
        if name == b"ds64":
            file.seek(start + 8)
            long_size = (start + 8, int.from_bytes(file.read(8), order))
        if name != target:
            continue
        available = max(size - start - skipped, 0)
        if long_size is not None and length == 0xFFFFFFFF:
            position, length = long_size
            patch = (position, available.to_bytes(8, order))
        else:
            patch = (start - 4, b"\xff" * 4)  # libsndfile then reads to the end
        if length == 0 and target == b"data" and _undeclared(file, start, size, order):
            return Survey(available=available, streamed=True, patches=(patch,))
        if length > available and _means_unknown(length):
            return Survey(available=available, streamed=True)
        tail = _undeclared(file, start + length + length % 2, size, order)
        return Survey(declared=max(length - skipped, 0), available=available, undeclared=tail)
    return Survey()


def _means_unknown(length: int) -> bool:
    """Return whether a length stands for unknown: writers to a pipe declare 2 or 4 GiB."""
    return any(0 < limit - length <= 4200 for limit in (2**31, 2**32))


def _undeclared(file: BinaryIO, position: int, size: int, order: _Order) -> int:
    """Number of bytes from a position on; 0 if they are chunks, a tag or padding."""
    remaining = size - position
    if remaining <= 0:
        return 0
    file.seek(position)
    head = file.read(4096)
    if head.startswith(b"TAG") and remaining == 128:  # an ID3v1 tag
        return 0
    if remaining < 4096 and not head.strip(b"\0"):
        return 0
    while position + 8 <= size:
        file.seek(position)
        head = file.read(8)
        if not (head[:4].isascii() and head[:4].decode("ascii").isprintable()):
            return remaining
        length = int.from_bytes(head[4:], order)
        position += 8 + length + length % 2
    return remaining if position < size or position > size + 1 else 0


def _w64(file: BinaryIO, size: int) -> Survey:
    position = 40  # after the identifiers and the size of the file
    while position + 24 <= size:
        file.seek(position)
        head = file.read(24)
        length = int.from_bytes(head[16:], "little")  # includes these 24 bytes
        if head[:4] == b"data":
            return Survey(declared=max(length - 24, 0), available=size - position - 24)
        position += max(length + -length % 8, 24)
    return Survey()


def _au(file: BinaryIO, size: int) -> Survey:
    start, length = (int.from_bytes(file.read(4), "big") for _ in range(2))
    available = max(size - start, 0)
    if length == 0xFFFFFFFF:  # defined as an unknown length
        return Survey(available=available)
    return Survey(declared=length, available=available)


def _flac(file: BinaryIO, size: int) -> Survey:
    """Survey that makes padding of pictures: libFLAC reads no file in which one is damaged."""
    patches = []
    for kind, position, _ in flac_blocks(file, 0):
        if kind == PICTURE_BLOCK:
            file.seek(position)
            flags = int.from_bytes(file.read(1), "big") & _LAST_BLOCK
            patches.append((position, bytes([flags | _PADDING_BLOCK])))
    return Survey(patches=tuple(patches))


def _ogg(file: BinaryIO, size: int) -> Survey:
    position, granule, ended = 0, 0, False
    expected: dict[bytes, int] = {}  # next page number of each logical stream
    while position < size:
        page = read_page(file, position)
        if page is None:
            if ended or not _finds_page(file, position + 1):
                break  # no audio follows
            return Survey(damaged_after=granule)
        serial, number = page[14:18], int.from_bytes(page[18:22], "little")
        if number != expected.get(serial, number):
            return Survey(damaged_after=granule)
        expected[serial] = number + 1
        ended = bool(page[5] & 4)
        granule = max(granule, int.from_bytes(page[6:14], "little", signed=True))
        position += len(page)
    return Survey(ends_early=not ended)


def _finds_page(file: BinaryIO, position: int) -> bool:
    """Return whether another page starts at or after a position."""
    file.seek(position)
    end = b""
    while block := file.read(1 << 16):
        if b"OggS" in end + block:
            return True
        end = block[-3:]
    return False


_SURVEYORS: dict[bytes, Callable[[BinaryIO, int], Survey]] = {
    b"RIFF": _riff,
    b"RF64": _riff,
    b"RIFX": _rifx,
    b"FORM": _form,
    b"riff": _w64,
    b".snd": _au,
    b"fLaC": _flac,
    b"OggS": _ogg,
}
