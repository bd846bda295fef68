"""Printable paths for messages, and safe file names."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable

AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".aif", ".aifc", ".caf", ".w64", ".rf64"),
    *(".wave", ".oga", ".au", ".snd", ".voc", ".sph", ".nist"),
    *(".m4a", ".m4b", ".aac", ".mka", ".weba", ".wma"),  # with the extra m4a
)
"""Suffixes of the audio files that folders are searched for.

Those of libsndfile's formats for samplers, telephones and matrices are left out, and those of
videos, which often lie beside recordings of the same sound.
"""

_MAX_BYTES = 120  # leaves space for suffixes below the usual limit of 255
_FORBIDDEN = re.compile(r'[/\\<>:"|?*]')
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")  # devices on Windows


def show(path: object) -> str:
    """Format a path, or the name of a file object, as one printable line.

    Parameters
    ----------
    path : str, bytes, os.PathLike or file object

    Returns
    -------
    str
        Bytes that are not UTF-8, control characters and line breaks become backslash escapes.

    Examples
    --------
    >>> show(b"caf\\xe9\\n.wav")
    'caf\\\\xe9\\\\n.wav'
    """
    if not isinstance(path, str | bytes | os.PathLike):
        path = getattr(path, "name", None)
        if not isinstance(path, str | bytes | os.PathLike):
            return "<stream>"
    return "".join(c if c.isprintable() else _escape(c) for c in os.fsdecode(path))


def no_audio_files(folder: object) -> str:
    """Message about a folder that has no audio files.

    Parameters
    ----------
    folder : str, bytes or os.PathLike

    Returns
    -------
    str
        One line, with the suffixes that are needed.
    """
    *most, last = AUDIO_SUFFIXES
    suffixes = f"{', '.join(most)} or {last}"
    return (
        f"{show(folder)}: has no audio files; name a folder with files that end in {suffixes}, or"
        " each video by itself"
    )


def safe_name(text: str) -> str:
    """Turn any text, such as the name of a track, into a safe file name.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        At most 120 bytes and never empty, without separators, control characters, leading dots or
        dashes, and names of devices on any system. Safe names are unchanged.

    Examples
    --------
    >>> safe_name("../AC/DC: live")
    '_AC_DC_ live'
    """
    name = unicodedata.normalize("NFC", text)
    name = "".join(c if c.isprintable() else "_" for c in _FORBIDDEN.sub("_", name))
    name = name.lstrip(".- ").rstrip(". ")
    if _RESERVED.match(name):
        name = f"_{name}"
    return _cut(name, _MAX_BYTES) or "unnamed"


def distinct_names(texts: Iterable[str]) -> list[str]:
    """Turn texts into safe file names that are distinct on every file system.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    list of str
        Safe names in the order of the texts. Of those that differ in nothing but case or in
        Unicode normalisation, the later ones are numbered.

    Examples
    --------
    >>> distinct_names(["a/b", "a_b", "A_B", "bass"])
    ['a_b', 'a_b-2', 'A_B-3', 'bass']
    """
    plain = [safe_name(text) for text in texts]
    used: set[str] = set()
    kept = {file_key(name) for name in plain}  # a number must not make one of these
    names = []
    for name in plain:
        candidate, number = name, 1
        while file_key(candidate) in used or (number > 1 and file_key(candidate) in kept):
            number += 1
            candidate = f"{_cut(name, _MAX_BYTES - len(f'-{number}'))}-{number}"
        used.add(file_key(candidate))
        names.append(candidate)
    return names


def file_key(name: str) -> str:
    """Text that is equal for names of the same file on some file system.

    Parameters
    ----------
    name : str
        Name or path.

    Returns
    -------
    str
        Without case, in Unicode's normal form.

    Examples
    --------
    >>> file_key("Bass.wav") == file_key("bass.WAV")
    True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return folded.casefold()


def _cut(name: str, size: int) -> str:
    """Beginning of a name, of at most `size` bytes."""
    return name.encode()[:size].decode(errors="ignore").rstrip(". ")


def _escape(character: str) -> str:
    """Backslash escape of an unprintable character."""
    if "\udc80" <= character <= "\udcff":  # surrogate of a byte that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
