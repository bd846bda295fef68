"""Lazy import of librosa, by one process at a time."""

from __future__ import annotations

import importlib
import importlib.util
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
    with _exclusive():
        try:
            _compile_librosa()
        except ImportError:
            raise
        except Exception as error:  # of Numba or pickle, which may raise anything
            _forgo_cache(error)
            _compile_librosa()
    import librosa

    return librosa


def _compile_librosa() -> None:
    """Import the modules that compile when imported; librosa alone imports them later."""
    for module in ("util.utils", "core.audio", "core.pitch"):
        importlib.import_module(f"librosa.{module}")


def _forgo_cache(error: Exception) -> None:
    """Make Numba cache in a temporary folder, and warn.

    librosa cannot be imported where its machine code can be kept nowhere, or was kept and is
    damaged.
    """
    import atexit
    import shutil
    import warnings

    import numba

    from nmfaudio.errors import AudioWarning

    folder = tempfile.mkdtemp(prefix="nmfaudio-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    kept = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    numba.config.CACHE_DIR = folder  # type: ignore[attr-defined]
    reason = str(error).partition("\n")[0] or type(error).__name__
    spec = importlib.util.find_spec("librosa")
    place = kept or (spec and spec.origin and os.path.dirname(spec.origin)) or "librosa"
    warnings.warn(
        f"{place}: the machine code of librosa cannot be kept or is damaged ({reason}); every run"
        " compiles it again: delete the *.nbi and *.nbc files there, or set NUMBA_CACHE_DIR to a"
        " writable folder",
        AudioWarning,
        stacklevel=3,
    )


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
