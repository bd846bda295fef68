"""Paths made fit for messages, and texts made fit for file names."""

from __future__ import annotations

import os
import re
import unicodedata

_LONGEST = 120  # bytes: leaves room for suffixes under the usual limit of 255
_FORBIDDEN = re.compile(r'[/\\<>:"|?*]')
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")  # devices on Windows


def show(path: object) -> str:
    """A path, or the name of a file object, as one printable line for messages.

    Parameters
    ----------
    path : str, bytes, os.PathLike or file object

    Returns
    -------
    str
        Bytes that are not UTF-8, control characters and line breaks come out as backslash escapes.

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
    """A text from anywhere (a track's or a stem's name) as the name of one file.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Without separators, control characters, leading dots or dashes, or names that are devices
        on some system; at most 120 bytes; never empty. A safe name stays as it is.

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
    return name.encode()[:_LONGEST].decode(errors="ignore").rstrip(". ") or "unnamed"


def _escape(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte that was not UTF-8, as os.fsdecode keeps it
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
