"""Tags of audio files, such as title and artist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, cast

from nmfaudio._common.files.sources import Source
from nmfaudio.audio.io.broadcast import read_time_reference
from nmfaudio.audio.io.decoding import open_audio
from nmfaudio.audio.io.encoding import TIME_REFERENCE
from nmfaudio.audio.io.formats import FORMATS

_KEYS = (
    *("title", "artist", "album", "date", "genre", "tracknumber", "comment"),
    *("copyright", "license"),
)
# As libsndfile 1.2 writes and reads them back; w64 and au have none.
_ALL = frozenset(_KEYS)
_HELD: dict[str, frozenset[str]] = {
    "WAV": _ALL - {"license"} | {TIME_REFERENCE},
    "FLAC": _ALL,
    "AIFF": frozenset({"title", "artist", "comment", "copyright"}),
    "CAF": _ALL,
    "OGG": _ALL,
    "MP3": _ALL - {"copyright", "license"},
}


def held_tags(format: str) -> frozenset[str]:
    """Names of the tags that files of a format can hold.

    Parameters
    ----------
    format : str
        A key of `FORMATS`.

    Returns
    -------
    frozenset of str
        Empty for a format without tags.

    Examples
    --------
    >>> sorted(held_tags("aiff"))
    ['artist', 'comment', 'copyright', 'title']
    """
    return _HELD.get(FORMATS[format][0], frozenset())


def read_tags(source: Source) -> dict[str, str]:
    """Read the tags of a file.

    Parameters
    ----------
    source : str, bytes, os.PathLike or binary file object

    Returns
    -------
    dict of str to str
        Those of title, artist, album, date, genre, tracknumber, comment, copyright and license
        that the file has, and time_reference: samples from midnight to the beginning of a broadcast
        wave file.

    Raises
    ------
    AudioFileError
        The file cannot be opened.
    """
    with open_audio(source) as audio:
        found: Mapping[str, str] = audio.sound.copy_metadata()
        samples = read_time_reference(cast(BinaryIO, audio.steady), audio.size)
        audio.check_readable()
    tags = {key: found[key] for key in _KEYS if found.get(key)}
    return tags if samples is None else tags | {TIME_REFERENCE: str(samples)}
