"""Cache of the machine code of kernels, in the user's cache folder or in ``NUMBA_CACHE_DIR``.

Numba keeps machine code beside the source by default, where uninstalling a package leaves it, and
trusts whatever its files contain. Here, a file holds the code of one kernel for one signature and
processor behind a checksum. A file that is damaged or cannot be used is removed, and the kernel is
compiled again.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import re
import shutil
import sys
import time
import uuid
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

from nmfaudio._common.cache_folder import cache_folder
from nmfaudio.errors import AudioWarning

# Whether the vector kernels are to be used where they compile, see `backend`.
VECTORS_REQUESTED = os.environ.get("NMFAUDIO_VECTORS", "1") != "0"

_DIGEST = hashlib.sha256().digest_size
_STATE = re.compile("[0-9a-f]{16}")
_MAX_AGE = 30 * 86400  # seconds without use, after which the code of another state is removed


def cache_bytes() -> int:
    """Size of the files in `cache_folder`."""
    return sum(path.stat().st_size for path in cache_folder().rglob("*") if path.is_file())


@functools.cache
def _state() -> str:
    """Hash of all that machine code depends on, apart from the kernel itself and the processor.

    Kernels call each other across files, so each depends on all files of this package.
    """
    versions = numba.__version__, llvmlite.__version__, np.__version__, sys.version
    digest = hashlib.sha256(repr((*versions, VECTORS_REQUESTED)).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


class _Locator(_CacheLocator):
    """Place of the machine code, in the terms of Numba."""

    def __init__(self, function: Callable[..., Any], path: str) -> None:
        self._py_file, self._lineno = path, function.__code__.co_firstlineno

    @classmethod
    def from_function(cls, function: Callable[..., Any], path: str) -> _Locator:
        return cls(function, path)

    def ensure_cache_path(self) -> None:
        """Do nothing: the folder is made when there is something to keep."""

    def get_cache_path(self) -> str:
        return str(cache_folder() / _state())

    def get_source_stamp(self) -> str:
        return _state()

    def get_disambiguator(self) -> str:
        return str(self._lineno)


class _Impl(CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012  # as Numba declares it


class KernelCache(FunctionCache):
    """Cache of one kernel: a file for each signature and processor.

    Parameters
    ----------
    function : callable
        The kernel before compilation.
    """

    _impl_class = _Impl

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._base = self._impl.filename_base

    def _path(self, key: object) -> Path:
        # Unlike numbers counted in an index, hashes do not clash if two processes write at once.
        name = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        return Path(self.cache_path, f"{self._base}-{name}.nbc")

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Machine code, None if there is none.

        Numba would import first what it needs to compile: much of itself, scipy.linalg and cffi.
        """
        rtsys.initialize(target)  # counts references to arrays
        return self._load_overload(signature, target)

    def _load_overload(self, signature: Any, target: Any) -> Any:
        """Machine code, None if there is none that can be used."""
        key = self._index_key(signature, target.codegen())  # type: ignore[no-untyped-call]
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        _mark_as_used(path.parent)
        try:
            # The checksum comes first, because damaged machine code can crash the process.
            if hashlib.sha256(content[_DIGEST:]).digest() == content[:_DIGEST]:
                found, data = pickle.loads(memoryview(content)[_DIGEST:])
                if found == key:
                    return self._impl.rebuild(target, data)
        except Exception:  # pickle and Numba may raise anything: the kernel is compiled again
            pass
        with suppress(OSError):
            path.unlink()
        return None

    def _save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep machine code; where that fails, warn once in this process."""
        if not self._impl.check_cachable(compiled):
            return
        key = self._index_key(signature, compiled.codegen)  # type: ignore[no-untyped-call]
        content = dumps((key, self._impl.reduce(compiled)))  # type: ignore[no-untyped-call]
        path = self._path(key)
        try:
            _make_folder(path.parent)
            _replace(path, hashlib.sha256(content).digest() + content)
        except OSError as error:
            _warn(str(error.strerror or error))


def _replace(path: Path, content: bytes) -> None:
    """Write a file completely or not at all."""
    temporary = path.with_name(f"{uuid.uuid4().hex}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _make_folder(folder: Path) -> None:
    """Create the folder of this state; if it is new, remove those of states out of use."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    limit = time.time() - _MAX_AGE
    for other in folder.parent.iterdir():
        with suppress(OSError):
            if _STATE.fullmatch(other.name) and other.stat().st_mtime < limit:
                shutil.rmtree(other)


@functools.cache
def _mark_as_used(folder: Path) -> None:
    """Set the time of the last use, which `_make_folder` reads."""
    with suppress(OSError):
        os.utime(folder)


@functools.cache
def _warn(reason: str) -> None:
    warnings.warn(
        f"{cache_folder()}: machine code cannot be kept: {reason}; every run compiles it again:"
        " set NUMBA_CACHE_DIR to a writable folder",
        AudioWarning,
        stacklevel=2,
    )
