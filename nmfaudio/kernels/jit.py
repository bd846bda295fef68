"""Decorator that compiles every kernel, and the cache of machine code."""

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
    # Sums may be reordered for vector units, and multiplications fused with additions. NaN and
    # infinity keep their meaning, unlike with "fast".
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
}


# Whether the vector kernels are to be used where they compile, see `backend`.
VECTORS_REQUESTED = os.environ.get("NMFAUDIO_VECTORS", "1") != "0"

# Kernels call each other across files, but Numba checks only the file of the one that it loads. So
# cached machine code is valid while no file of this package and no choice of backend has changed.
STAMP = (
    VECTORS_REQUESTED,
    *(
        (path.name, path.stat().st_mtime, path.stat().st_size)
        for path in sorted(Path(__file__).parent.glob("*.py"))
    ),
)
# In the file names too: Numba unpickles an index before it compares stamps, which fails if the
# index refers to types that no longer exist.
NAME = hashlib.sha256(repr(STAMP).encode()).hexdigest()[:8]


def kernel(function: F) -> F:
    """Compile a function when it is called with new types, and cache the machine code."""
    return _compiled(function, OPTIONS)


def inlined_kernel(function: F) -> F:
    """Compile like `kernel`, and always inline the function into the kernels that call it.

    A kernel has a copy of each function that it calls, optimised once more together with it. In the
    process that compiles both, the first copy is called; where the kernel comes from the cache, the
    second. Sums that the optimiser may reorder can then differ in their last bits, unless the
    function is inlined.
    """
    return _compiled(function, OPTIONS | {"forceinline": True})


def _compiled(function: F, options: dict[str, Any]) -> F:
    try:
        return _cached(function, options)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        _use_temporary_cache()
    try:
        return _cached(function, options)
    except RuntimeError:  # nor can a temporary folder
        compiled: F = numba.njit(**options)(function)
        return compiled


def _cached(function: F, options: dict[str, Any]) -> F:
    """Compile with a cache whose files are stamped with the state of this package."""
    compiled: Any = numba.njit(cache=True, **options)(function)
    cache = compiled._cache
    cache._cache_file = IndexDataCacheFile(  # type: ignore[no-untyped-call]
        cache._cache_path, f"{cache._impl.filename_base}-{NAME}", STAMP
    )
    return compiled  # type: ignore[no-any-return]


@functools.cache
def _use_temporary_cache() -> None:
    """Make Numba cache in a temporary folder; librosa cannot be imported without a cache either."""
    folder = tempfile.mkdtemp(prefix="nmfaudio-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    numba.config.CACHE_DIR = folder  # type: ignore[attr-defined]
