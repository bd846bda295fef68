"""Files opened for reading, with the reason in plain words where that fails."""

from __future__ import annotations

import errno
import io
import os
import stat
from typing import BinaryIO, TypeAlias, cast

from nmfaudio._common.files.names import show
from nmfaudio.errors import AudioFileError, ParameterError

Source: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes] | BinaryIO


def open_source(source: Source) -> tuple[BinaryIO, int]:
    """Open a regular file, or take a binary file object as it is.

    Parameters
    ----------
    source : str, bytes, os.PathLike or binary file object
        A file object must be seekable; it is rewound.

    Returns
    -------
    file : BinaryIO
        Unbuffered when opened here, so that its descriptor and its position agree.
    size : int
        Bytes.

    Raises
    ------
    AudioFileError
        If there is no such file, or it may not be read, or it is no regular file.
    ParameterError
        If `source` is neither a path nor a seekable binary file object.
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


def _open_path(path: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> tuple[BinaryIO, int]:
    label = show(path)
    try:
        raw = os.fsencode(path)
        _refuse_special(os.stat(raw).st_mode, label)
        # Without O_NONBLOCK a FIFO that took the file's place since would hang us.
        descriptor = os.open(raw, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except AudioFileError:
        raise
    except OSError as error:
        raise AudioFileError(f"{label}: {os.strerror(error.errno or 0)}") from None
    except ValueError:  # a NUL character
        raise AudioFileError(f"{label}: no file can have this name") from None
    return cast(BinaryIO, open(descriptor, "rb", buffering=0)), os.fstat(descriptor).st_size


def _refuse_special(mode: int, label: str) -> None:
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
