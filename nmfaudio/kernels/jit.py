"""How every loop of this package is compiled."""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.caching import IndexDataCacheFile

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    # Sums may be reordered for vector units and multiplies fused into adds; NaN and infinity keep
    # their meaning, which "fast" would take away.
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
}


VECTORS_WANTED = os.environ.get("NMFAUDIO_VECTORS", "1") != "0"

# Kernels call each other across files, and Numba looks only at the file of the one it loads: so
# kept machine code is valid while no file of this package has changed, nor what they are made of.
STAMP = (
    VECTORS_WANTED,
    *(
        (path.name, path.stat().st_mtime, path.stat().st_size)
        for path in sorted(Path(__file__).parent.glob("*.py"))
    ),
)
# In the names of the files too: Numba reads an index before it looks how old that is, and one that
# speaks of types which are no more cannot be read.
NAME = hashlib.sha256(repr(STAMP).encode()).hexdigest()[:8]


def kernel(function: F) -> F:
    """Compile on first use, for float32 and float64 as they come, and keep the machine code."""
    try:
        return _kept(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        _keep_for_this_process()
    try:
        return _kept(function)
    except RuntimeError:  # nor can a temporary one
        compiled: F = numba.njit(**OPTIONS)(function)
        return compiled


def _kept(function: F) -> F:
    compiled: Any = numba.njit(cache=True, **OPTIONS)(function)
    cache = compiled._cache
    cache._cache_file = IndexDataCacheFile(  # type: ignore[no-untyped-call]
        cache._cache_path, f"{cache._impl.filename_base}-{NAME}", STAMP
    )
    return compiled  # type: ignore[no-any-return]


@functools.cache
def _keep_for_this_process() -> None:
    """A temporary place for machine code; librosa, too, cannot be imported without any."""
    folder = tempfile.mkdtemp(prefix="nmfaudio-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    numba.config.CACHE_DIR = folder  # type: ignore[attr-defined]
