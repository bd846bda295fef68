"""Printable paths for messages, and safe file names."""

from __future__ import annotations

import os
import re
import unicodedata

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
    return name.encode()[:_MAX_BYTES].decode(errors="ignore").rstrip(". ") or "unnamed"


def _escape(character: str) -> str:
    """Backslash escape of an unprintable character."""
    if "\udc80" <= character <= "\udcff":  # surrogate of a byte that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
