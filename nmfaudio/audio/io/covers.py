"""Pictures of covers in audio files.

FLAC and Ogg files have blocks of FLAC (RFC 9639), MP3, WAV and AIFF files ID3v2 tags. libsndfile
knows neither. Of a picture only the image is kept, whose type is that of its first bytes.
"""

from __future__ import annotations

import warnings
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Literal

from nmfaudio.audio.io.containers import PICTURE_BLOCK, chunks, flac_blocks
from nmfaudio.audio.io.id3 import FRONT_COVER, add_picture, make_tag, pictures, tag_size
from nmfaudio.audio.io.insertion import append_chunk, insert_bytes
from nmfaudio.audio.io.ogg import add_comment, read_comments
from nmfaudio.errors import AudioWarning

MOST_BYTES = 2**23
"""Largest cover that is read."""

_MOST_TAG_BYTES = 2**24
_TYPES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}
_COMMENT = b"METADATA_BLOCK_PICTURE="
_FLAC_HEAD = 42  # bytes: signature and STREAMINFO, which libFLAC always has other blocks after

_Pictures = Iterator[tuple[int, bytes]]


def read_cover(file: BinaryIO, size: int) -> bytes | None:
    """Read the front cover of a file, or else its first picture.

    Parameters
    ----------
    file : BinaryIO
        Its position is changed.
    size : int
        Size of the file in bytes.

    Returns
    -------
    bytes or None
        Image in JPEG, PNG, GIF or WebP; None if there is none that is complete.

    Warns
    -----
    AudioWarning
        A picture has more than 8 MiB, or is among metadata of more than 16 MiB.
    """
    return front_cover(_pictures(file, size))


def front_cover(found: Iterable[tuple[int, bytes]]) -> bytes | None:
    """Choose the front cover of pictures, or else the first of them.

    Parameters
    ----------
    found : iterable of (int, bytes)
        Kinds and contents.

    Returns
    -------
    bytes or None
        None unless one is an image of a known type and of up to 8 MiB.

    Warns
    -----
    AudioWarning
        A picture is larger.
    """
    first = None
    for kind, image in found:
        if _type(image) is None or _is_too_large(len(image), MOST_BYTES):
            continue
        if kind == FRONT_COVER:
            return image
        first = first or image
    return first


def write_cover(file: BinaryIO, container: str, image: bytes) -> None:
    """Add a front cover to a complete file that libsndfile has written.

    Parameters
    ----------
    file : BinaryIO
        Open for reading and writing; its position is changed. Pages of Ogg files are to be numbered
        then.
    container : {"WAV", "RF64", "AIFF", "FLAC", "OGG", "MP3"}
        As libsndfile names it.
    image : bytes
        Result of `read_cover`.
    """
    mime = _type(image) or ""
    if container == "FLAC":
        block = _make_block(mime, image)
        insert_bytes(
            file, _FLAC_HEAD, bytes([PICTURE_BLOCK]) + len(block).to_bytes(3, "big") + block
        )
    elif container == "OGG":
        add_comment(file, _COMMENT + b64encode(_make_block(mime, image)))
    elif container == "MP3":
        add_picture(file, make_tag(mime, image))
    else:
        append_chunk(file, b"ID3 " if container == "AIFF" else b"id3 ", make_tag(mime, image))


def _type(image: bytes) -> str | None:
    """Type of an image by its first bytes; None for anything else, such as a link."""
    kind = next((mime for begin, mime in _TYPES.items() if image.startswith(begin)), None)
    return None if kind == "image/webp" and image[8:12] != b"WEBP" else kind


def _is_too_large(size: int, limit: int) -> bool:
    """Return whether a size exceeds a limit, and warn if so."""
    if size > limit:
        warnings.warn(
            "a picture is left out: covers of up to 8 MiB are copied, of metadata of up to 16 MiB",
            AudioWarning,
            stacklevel=2,
        )
    return size > limit


def _pictures(file: BinaryIO, size: int) -> _Pictures:
    """Kinds and contents of pictures in a file of any format."""
    file.seek(0)
    head = file.read(12)
    if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
        yield from _pictures_of_chunks(file, size, "little")
    elif head[:4] == b"FORM":
        yield from _pictures_of_chunks(file, size, "big")
    elif head[:4] == b"OggS":
        yield from _pictures_of_comments(file)
    else:
        yield from _pictures_of_tag(file, 0, size)
        yield from _pictures_of_blocks(file, tag_size(head))


def _pictures_of_chunks(file: BinaryIO, size: int, order: Literal["little", "big"]) -> _Pictures:
    """Pictures in the ID3 tags of a WAV or AIFF file."""
    for name, start, length in chunks(file, size, order):
        if name in (b"id3 ", b"ID3 "):
            yield from _pictures_of_tag(file, start, min(start + length, size))


def _pictures_of_tag(file: BinaryIO, start: int, stop: int) -> _Pictures:
    """Pictures in an ID3 tag that begins at a position."""
    file.seek(start)
    size = min(tag_size(file.read(10)), stop - start)
    if size > 0 and not _is_too_large(size, _MOST_TAG_BYTES):
        file.seek(start)
        yield from pictures(file.read(size))


def _pictures_of_blocks(file: BinaryIO, start: int) -> _Pictures:
    """Pictures in the blocks of a FLAC file that begins at a position."""
    for kind, position, length in flac_blocks(file, start):
        if kind == PICTURE_BLOCK:
            file.seek(position + 4)
            yield from _block_picture(file.read(length))  # less than 16 MiB


def _pictures_of_comments(file: BinaryIO) -> _Pictures:
    """Pictures in the comments of an Ogg file."""
    for comment in read_comments(file):
        if comment[: len(_COMMENT)].upper() == _COMMENT:
            try:
                block = b64decode(comment[len(_COMMENT) :])
            except ValueError:
                continue
            yield from _block_picture(block)


def _block_picture(block: bytes) -> _Pictures:
    """Picture of a FLAC block, if it is complete."""
    position = 4
    for skipped in (0, 16):  # the type, and the description with dimensions and colours
        position += 4 + int.from_bytes(block[position : position + 4], "big") + skipped
    length = int.from_bytes(block[position : position + 4], "big")
    image = block[position + 4 : position + 4 + length]
    if len(image) == length:
        yield int.from_bytes(block[:4], "big"), image


def _make_block(mime: str, image: bytes) -> bytes:
    """FLAC block of a front cover whose description is empty and whose dimensions are unknown."""
    integers = [FRONT_COVER, len(mime)]
    head = b"".join(number.to_bytes(4, "big") for number in integers)
    return head + mime.encode("ascii") + bytes(20) + len(image).to_bytes(4, "big") + image
