"""Opening of files for reading."""

from __future__ import annotations

import errno
import io
import os
import stat
from contextlib import suppress
from typing import BinaryIO, TypeAlias

from nmfaudio._common.files import system
from nmfaudio._common.files.names import show
from nmfaudio.errors import AudioFileError, ParameterError

MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""Exceptions of code that takes parsed content for what it should be."""

Source: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes] | BinaryIO


def open_source(source: Source) -> tuple[BinaryIO, int]:
    """Open a regular file, or rewind a binary file object.

    Parameters
    ----------
    source : str, bytes, os.PathLike or binary file object
        A file object must be seekable.

    Returns
    -------
    file : BinaryIO
        Buffered if opened here, so that reads are short at the end only.
    size : int
        Size in bytes.

    Raises
    ------
    AudioFileError
        The file does not exist, is not readable, or is not a regular file.
    ParameterError
        `source` is neither a path nor a seekable binary file object.
    """
    if isinstance(source, str | bytes | os.PathLike):
        return _open_path(source)
    if not (hasattr(source, "read") and hasattr(source, "seek")):
        raise ParameterError(
            f"got {type(source).__name__}, need a path or a seekable binary file object; "
            "read a pipe into io.BytesIO first"
        )
    size = source.seek(0, io.SEEK_END)
    source.seek(0)
    return source, size


def read_bytes(source: Source, limit: int, need: str = "") -> bytes:
    """Read a file whole, if it is not too large for what it should be.

    Parameters
    ----------
    source : str, bytes, os.PathLike or binary file object
    limit : int
        Largest size in bytes.
    need : str
        What to give instead, for messages.

    Returns
    -------
    bytes

    Raises
    ------
    AudioFileError
        The file cannot be read, is not a regular file, or is larger.
    ParameterError
        `source` is neither a path nor a seekable binary file object.
    """
    file, size = open_source(source)
    label, hint = show(source), need and f"; {need}"
    try:
        if size > limit:
            raise AudioFileError(f"{label}: has {size} bytes, at most {limit} are read{hint}")
        content = io.BytesIO()
        while part := file.read(limit + 1 - content.tell()):  # an unbuffered file may give less
            content.write(part)
            if content.tell() > limit:
                raise AudioFileError(f"{label}: grows while it is read; wait{hint}")
        return content.getvalue()
    except AudioFileError:
        raise
    except OSError as error:
        raise AudioFileError(f"{label}: {os.strerror(error.errno or 0)}{hint}") from None
    finally:
        if file is not source:
            close_source(file)


def close_source(file: BinaryIO) -> None:
    """Close a file that was read, of which no error matters any more.

    Parameters
    ----------
    file : BinaryIO
    """
    with suppress(OSError):
        file.close()


def read_text(source: Source, limit: int, need: str = "") -> str:
    """Read a text file in UTF-8, with or without a mark at its beginning, as `read_bytes` does.

    Parameters
    ----------
    source : str, bytes, os.PathLike or binary file object
    limit : int
        Largest size in bytes.
    need : str
        What to give instead, for messages.

    Returns
    -------
    str

    Raises
    ------
    AudioFileError
        The file cannot be read, is larger, or is not text.
    """
    try:
        return read_bytes(source, limit, need).decode("utf-8-sig")
    except UnicodeDecodeError:
        hint = need and f"; {need}"
        raise AudioFileError(f"{show(source)}: not a text file{hint}") from None


def _open_path(path: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> tuple[BinaryIO, int]:
    """Open a regular file and return it with its size."""
    label = show(path)
    try:
        raw = os.fsencode(path)
        _refuse_special(os.stat(raw).st_mode, label)
        # A FIFO that has replaced the file since the check must not block.
        descriptor = os.open(raw, os.O_RDONLY | system.NONBLOCK | system.BINARY)
        try:
            size = os.fstat(descriptor).st_size
            return open(descriptor, "rb"), size
        except OSError:
            os.close(descriptor)
            raise
    except AudioFileError:
        raise
    except OSError as error:
        raise AudioFileError(f"{label}: {os.strerror(error.errno or 0)}") from None
    except ValueError:  # a NUL character
        raise AudioFileError(f"{label}: no file can have this name; correct it") from None


def _refuse_special(mode: int, label: str) -> None:
    """Raise an `AudioFileError` for folders, FIFOs, sockets and devices."""
    if stat.S_ISDIR(mode):
        raise AudioFileError(
            f"{label}: {os.strerror(errno.EISDIR)}; name the files in it, "
            f"for instance {label}/*.wav"
        )
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
        kind = kinds.get(stat.S_IFMT(mode), "a device")
        raise AudioFileError(
            f"{label}: is {kind}, not a regular file; give a file, or - to read standard input"
        )
