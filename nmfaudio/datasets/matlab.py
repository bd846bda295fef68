"""Reading of cells and matrices from MATLAB files of version 5.

``scipy.io.loadmat`` ends the process where one byte of such a file is wrong.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

_HEADER_BYTES = 128
_MAX_BYTES = 2**26  # of a decompressed variable
_MAX_DEPTH = 8  # of cells within cells
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8"}
_NUMBERS |= {13: "u8"}
_SIZE, _MATRIX, _COMPRESSED = 5, 14, 15
_CELL, _FIRST_NUMERIC, _LAST_NUMERIC = 1, 6, 15  # classes of matrices


def read_variable(content: bytes, name: str) -> Any:
    """Read a variable.

    Parameters
    ----------
    content : bytes
        Of the file.
    name : str
        Of the variable.

    Returns
    -------
    list or np.ndarray [shape=(row, column)]
        A list for a cell array, in MATLAB's order, of lists and matrices of float64.

    Raises
    ------
    ValueError
        The file is damaged or of another version, or has no such variable of cells or real numbers.
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[126:_HEADER_BYTES])
    if order is None:
        raise ValueError("it is no MATLAB file of version 5")
    for kind, data in _elements(content[_HEADER_BYTES:], order):
        if kind == _COMPRESSED:
            ((kind, data),) = _elements(_decompressed(data), order)
        found, elements = _split(data, order) if kind == _MATRIX else ("", [])
        if found == name:
            return _value(elements, order)
    raise ValueError(f"it has no variable {name}")


def _decompressed(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _MAX_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from None


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Types and contents of consecutive elements."""
    position = 0
    while position < len(data):
        if position + 8 > len(data):
            raise ValueError("it is cut short")
        kind, size = struct.unpack_from(f"{order}II", data, position)
        if kind >> 16:  # up to four bytes in place of the size
            kind, size, start = kind & 0xFFFF, kind >> 16, position + 4
            position += 8
        else:
            start = position + 8
            position = start + size + (-size % 8 if kind != _COMPRESSED else 0)
        if start + size > len(data):
            raise ValueError("it is cut short")
        yield kind, data[start : start + size]


def _split(data: bytes, order: str) -> tuple[str, list[tuple[int, bytes]]]:
    """Name and elements of a matrix; neither of one that is not as others are."""
    elements = list(_elements(data, order))
    return (elements[2][1].decode("latin1"), elements) if len(elements) > 3 else ("", [])


def _value(elements: list[tuple[int, bytes]], order: str, depth: int = 0) -> Any:
    """Value of a matrix or a cell array."""
    (_, flags), (kind, size), _, *parts = elements
    if len(flags) < 4 or kind != _SIZE:
        raise ValueError("a matrix has no kind or no size")
    cells = struct.unpack_from(f"{order}I", flags)[0] & 0xFF
    shape = _numbers(kind, size, order).tolist()
    if cells == _CELL and depth < _MAX_DEPTH:
        if math.prod(shape) != len(parts) or any(kind != _MATRIX for kind, _ in parts):
            raise ValueError("a cell array does not have as many cells as it should")
        inner = [_split(part, order)[1] for _, part in parts]
        return [_value(each, order, depth + 1) if each else np.empty((0, 0)) for each in inner]
    if _FIRST_NUMERIC <= cells <= _LAST_NUMERIC and len(parts) == 1:
        return _numbers(*parts[0], order).astype(np.float64).reshape(shape, order="F")
    raise ValueError("it has another kind of value than cells and real numbers")


def _numbers(kind: int, data: bytes, order: str) -> np.ndarray:
    """Numbers of an element, which may be stored in a smaller type than they are of."""
    if kind not in _NUMBERS:
        raise ValueError("it has numbers of an unknown type")
    return np.frombuffer(data, f"{order}{_NUMBERS[kind]}")
