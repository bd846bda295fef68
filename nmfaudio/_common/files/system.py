"""Differences of operating systems: flags of open files, locks, processes, folders."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

BINARY = getattr(os, "O_BINARY", 0)
"""Flag of ``os.open`` without which Windows translates the ends of lines."""

NONBLOCK = getattr(os, "O_NONBLOCK", 0)
"""Flag of ``os.open`` without which opening a FIFO waits for a writer; Windows has no FIFOs."""

_LOCKED_BYTE = 1 << 30  # beyond the content: what is locked, no process can read on Windows
_QUERY_LIMITED_INFORMATION = 0x1000
_STILL_ACTIVE = 259


def lock(descriptor: int) -> None:
    """Lock a file until its descriptor is closed or the process ends.

    Parameters
    ----------
    descriptor : int
        Of a file open for writing.

    Raises
    ------
    BlockingIOError
        Another process has locked it.
    OSError
        The file system has no locks.
    """
    if sys.platform == "win32":
        _lock_on_windows(descriptor)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_running(process: int) -> bool:
    """Return whether a process of this machine runs.

    Parameters
    ----------
    process : int
        Its number.

    Returns
    -------
    bool
        True also where the system does not tell.
    """
    if sys.platform == "win32":  # where os.kill would end or interrupt it
        return _is_running_on_windows(process)
    else:  # noqa: RET505, mypy takes what follows for unreachable on Windows
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        except (OSError, OverflowError):
            return True
        return True


def sync(path: Path) -> None:
    """Flush a file to the disk.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
        It cannot be opened or written.
    """
    descriptor = os.open(path, os.O_RDWR | BINARY)  # Windows flushes what may be written only
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Flush the names of the files in a folder to the disk, where the system can.

    Parameters
    ----------
    folder : Path
    """
    with suppress(OSError):  # Windows opens no folders, and some network drives flush none
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _lock_on_windows(descriptor: int) -> None:
    import msvcrt

    position = os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except OSError as error:
        raise BlockingIOError(*error.args) from None
    finally:
        os.lseek(descriptor, position, os.SEEK_SET)


def _is_running_on_windows(process: int) -> bool:
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    handle = kernel.OpenProcess(_QUERY_LIMITED_INFORMATION, False, process)
    if not handle:
        denied = 5
        return bool(kernel.GetLastError() == denied)
    try:
        code = ctypes.c_ulong()
        known = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        return not known or code.value == _STILL_ACTIVE
    finally:
        kernel.CloseHandle(handle)
