"""Arrays on disk, for what may be too large for the memory."""

from __future__ import annotations

import errno
import math
import mmap
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from nmfaudio._common.files.names import show
from nmfaudio.errors import OutputError


def scratch_array(
    blocks: Iterable[np.ndarray], shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    """Write an array to a temporary file, and return it mapped into memory.

    The file has no name, so that the system removes it with the array, whatever happens. Its pages
    stay in memory only as long as nothing else needs it. The folder is that of `tempfile`, which
    the environment variable ``TMPDIR`` chooses.

    Parameters
    ----------
    blocks : iterable of np.ndarray [shape=(row, …)]
        Consecutive rows of the array, C-contiguous.
    shape : tuple of int
        Shape of the array.
    dtype : np.dtype
        Type of the array and of the blocks.

    Returns
    -------
    np.ndarray
        C-contiguous; changes of its entries are lost with it.

    Raises
    ------
    OutputError
        The array does not fit on the disk, or cannot be written.

    Examples
    --------
    >>> rows = scratch_array([np.ones((2, 3)), np.zeros((1, 3))], (3, 3), np.dtype(float))
    >>> rows.sum(axis=1).tolist()
    [3.0, 3.0, 0.0]
    """
    size = math.prod(shape) * dtype.itemsize
    with _reported(size):
        if shutil.disk_usage(tempfile.gettempdir()).free < size:
            raise OSError(errno.ENOSPC, "")
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
    with file:
        # Written instead of mapped: a full disk is an error here, and a signal there.
        for block in blocks:
            rest = block.data.cast("B")
            with _reported(size):
                while rest:
                    rest = rest[file.write(rest) :]
        with _reported(size):
            mapped = mmap.mmap(file.fileno(), size)
    return np.frombuffer(mapped, dtype).reshape(shape)


@contextmanager
def _reported(size: int) -> Iterator[None]:
    """Raise an `OutputError` for a failure of the system."""
    try:
        yield
    except OSError as error:
        raise _error(os.strerror(error.errno) if error.errno else str(error), size) from None


def _error(reason: str, size: int) -> OutputError:
    """Return the error for an array that cannot be written."""
    try:
        folder = tempfile.gettempdir()
        place = f"{show(folder)}: has {shutil.disk_usage(folder).free / 2**20:.0f} MiB free"
    except OSError:  # no folder can be written to
        place = "temporary folder"
    return OutputError(
        f"{place}, and {size / 2**20:.0f} MiB of temporary data cannot be written: {reason}; free "
        "space, choose another folder by the environment variable TMPDIR, or learn from a part of "
        "the frames"
    )
