"""Tags of audio files, such as title and artist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, cast

from nmfaudio._common.files.sources import Source
from nmfaudio.audio.io.covers import front_cover
from nmfaudio.audio.io.decoding import open_audio
from nmfaudio.audio.io.extra_tags import COVER, EXTRA_TAGS, cover_text, read_extra_tags
from nmfaudio.audio.io.formats import FORMATS
from nmfaudio.audio.io.pyav import PyavSound

_KEYS = (
    *("title", "artist", "album", "date", "genre", "tracknumber", "comment"),
    *("copyright", "license"),
)
# As libsndfile 1.2 writes and reads them back; w64 and au have none.
_ALL = frozenset(_KEYS)
_HELD: dict[str, frozenset[str]] = {
    "WAV": _ALL - {"license"} | {*EXTRA_TAGS},
    "FLAC": _ALL | {COVER},
    "AIFF": frozenset({"title", "artist", "comment", "copyright", COVER}),
    "CAF": _ALL,
    "OGG": _ALL | {COVER},
    "MP3": _ALL - {"copyright", "license"} | {COVER},
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
    ['artist', 'comment', 'copyright', 'cover', 'title']
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
        that the file has, and three of other forms: time_reference, samples from midnight to the
        beginning of a broadcast wave file; markers, see `nmfaudio.audio.io.markers`; and cover, its
        picture in base64.

    Raises
    ------
    AudioFileError
        The file cannot be opened.

    Warns
    -----
    AudioWarning
        A picture is too large, see `nmfaudio.audio.io.covers.read_cover`.
    """
    with open_audio(source) as audio:
        found: Mapping[str, str] = audio.sound.copy_metadata()
        audio.steady.patches = ()  # which hide the pictures from libFLAC
        extra = read_extra_tags(cast(BinaryIO, audio.steady), audio.size)
        if isinstance(audio.sound, PyavSound):
            cover = front_cover(audio.sound.pictures())
            extra |= {} if cover is None else {COVER: cover_text(cover)}
        audio.check_readable()
    return {key: found[key] for key in _KEYS if found.get(key)} | extra
