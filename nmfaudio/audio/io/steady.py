"""File objects for libraries that read and write by callbacks."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, BinaryIO


class Steady(io.RawIOBase):
    """File object whose methods raise nothing: callbacks of a library would print and lose it.

    libsndfile by itself hides many errors of the system, or takes them for the end of a file.

    Parameters
    ----------
    file : BinaryIO
    patches : sequence of tuple of int and bytes, optional
        Positions of bytes that are replaced while reading, and their replacements.

    Attributes
    ----------
    patches : sequence of tuple of int and bytes
        Those that further reads get.
    failure : BaseException or None
        What reading or writing has raised first, such as an OSError; the file seems to end there.
    """

    def __init__(self, file: BinaryIO, patches: Sequence[tuple[int, bytes]] = ()) -> None:
        self._file, self.patches = file, patches
        self.failure: BaseException | None = None

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):  # to before the begin, as damaged files ask
            return self._file.tell()

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        if self.failure is not None:
            return 0
        view, size = memoryview(buffer), 0
        try:
            position = self._file.tell()
            while part := self._file.read(len(view) - size):  # an unbuffered file may give less
                view[size : size + len(part)] = part
                size += len(part)
        except BaseException as error:
            self.failure = error
            return 0
        for start, replacement in self.patches:
            for index, byte in enumerate(replacement, start=start - position):
                if 0 <= index < size:
                    view[index] = byte
        return size

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        size = len(rest)
        try:
            while self.failure is None and rest:
                rest = rest[self._file.write(rest) :]
        except BaseException as error:
            self.failure = error
        return size if self.failure is None else 0
