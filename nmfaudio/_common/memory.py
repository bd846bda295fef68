"""Constants of memory estimates, and sizes in words."""

from __future__ import annotations

import re

from nmfaudio.errors import ParameterError

PROCESS = 200 * 2**20
"""Bytes of a process with all libraries loaded, as measured."""

_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def parse_size(text: str) -> int:
    """Parse a number of bytes such as ``2G``, ``500M`` or ``1.5GiB``.

    Parameters
    ----------
    text : str

    Returns
    -------
    int
        Bytes; the units are powers of 1,024.

    Raises
    ------
    ParameterError
        The text is no size.

    Examples
    --------
    >>> parse_size("2G")
    2147483648
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    size = 0 if match is None else int(float(match[1]) * 1024 ** _UNITS[match[2].upper()])
    if size < 1:
        raise ParameterError(f"{text!r} is not a size; write a number and a unit, as in 500M or 2G")
    return size
