"""Tags that libsndfile neither reads nor writes, as text among the others.

They are the time stamp of broadcast waves, markers and the cover; of a cover the text is base64.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import BinaryIO

from nmfaudio.audio.io.broadcast import append_time_reference, read_time_reference
from nmfaudio.audio.io.covers import read_cover, write_cover
from nmfaudio.audio.io.markers import append_markers, excerpt_markers, read_markers
from nmfaudio.audio.io.ogg import number_pages

TIME_REFERENCE = "time_reference"
MARKERS = "markers"
COVER = "cover"
EXTRA_TAGS = (TIME_REFERENCE, MARKERS, COVER)
"""Names of these tags."""


def read_extra_tags(file: BinaryIO, size: int) -> dict[str, str]:
    """Read the tags of a file that libsndfile does not read.

    Parameters
    ----------
    file : BinaryIO
        Its position is changed.
    size : int
        Size of the file in bytes.

    Returns
    -------
    dict of str to str
        Those of `EXTRA_TAGS` that the file has.

    Warns
    -----
    AudioWarning
        A picture is too large, see `read_cover`.
    """
    samples, cover = read_time_reference(file, size), read_cover(file, size)
    found = {
        TIME_REFERENCE: None if samples is None else str(samples),
        MARKERS: read_markers(file, size),
        COVER: None if cover is None else cover_text(cover),
    }
    return {name: text for name, text in found.items() if text is not None}


def excerpt_tags(tags: Mapping[str, str], start: int) -> dict[str, str]:
    """Move the time stamp and the markers to an excerpt.

    Parameters
    ----------
    tags : mapping of str to str
    start : int
        First sample of the excerpt.

    Returns
    -------
    dict of str to str
        All tags.
    """
    moved = dict(tags)
    if TIME_REFERENCE in moved:
        moved[TIME_REFERENCE] = str((int(moved[TIME_REFERENCE]) + start) % 2**64)
    if MARKERS in moved:
        moved[MARKERS] = excerpt_markers(moved[MARKERS], start)
    return moved


def cover_text(image: bytes) -> str:
    """Return the text of a cover.

    Parameters
    ----------
    image : bytes

    Returns
    -------
    str
    """
    return b64encode(image).decode("ascii")


def write_extra_tags(file: BinaryIO, container: str, samples: int, tags: Mapping[str, str]) -> None:
    """Add these tags to a complete file that libsndfile has written, and number pages of Ogg.

    Parameters
    ----------
    file : BinaryIO
        Open for reading and writing; its position is changed.
    container : str
        As libsndfile names it.
    samples : int
        Number of samples of the file.
    tags : mapping of str to str
        Those of `EXTRA_TAGS` are written, which must be among `held_tags` of the format.
    """
    if TIME_REFERENCE in tags:
        append_time_reference(file, int(tags[TIME_REFERENCE]))
    if MARKERS in tags:
        append_markers(file, tags[MARKERS], samples)
    if COVER in tags:
        write_cover(file, container, b64decode(tags[COVER]))
    if container == "OGG":
        number_pages(file)
