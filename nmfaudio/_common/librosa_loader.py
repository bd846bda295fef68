"""Lazy import of librosa, by one process at a time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any


@cache
def load_librosa() -> Any:
    """Import librosa together with the functions that it compiles on import.

    Numba caches a compiled function and its callers in separate files. If two processes compile at
    the same time, files of both may remain, and every later process that loads them crashes. So
    processes take turns.

    Returns
    -------
    module
    """
    import librosa

    with _exclusive():
        import librosa.core
    return librosa


@contextmanager
def _exclusive() -> Iterator[None]:
    """Lock out other processes of this user; no lock where the system provides none."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    descriptor = None
    path = os.path.join(tempfile.gettempdir(), f"nmfaudio-librosa-{os.getuid()}.lock")
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)
