"""librosa, loaded by one process at a time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any


@cache
def load_librosa() -> Any:
    """Import librosa, with the loops that it compiles when it is first used.

    Numba keeps such a loop and what calls it in two files. Where two processes compile at a time,
    one file of each may stay, and whoever loads both crashes from then on. So they take turns.
    """
    import librosa

    with _turn():
        import librosa.core
    return librosa


@contextmanager
def _turn() -> Iterator[None]:
    """While no other process of this user is within; at once where that cannot be arranged."""
    try:
        import fcntl
    except ImportError:  # not on Windows
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
