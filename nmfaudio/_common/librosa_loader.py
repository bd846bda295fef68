"""Import of modules of librosa, without what they load and compile for functions not called here.

By itself, the first access to `librosa.stft` loads scipy.signal, scipy.stats and others, and
compiles 32 functions for peaks, pitches and zero crossings.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from types import ModuleType
from typing import Any, TypeVar

from nmfaudio._common.cache_folder import cache_folder
from nmfaudio._common.files.system import BINARY, lock

T = TypeVar("T")

# Modules that librosa imports as a whole, and uses within functions.
_DEFERRED = (
    "audioread",
    "pooch",
    "resampy",
    "samplerate",
    "scipy.interpolate",
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.signal",
    "scipy.sparse",
    "soxr",
)
_PATIENCE = 120.0  # seconds to wait for a process that compiles
_PAUSE = 0.02  # seconds between two looks at the lock
_lock = threading.RLock()


@cache
def load_librosa(module: str) -> Any:
    """Import a module of librosa so that it loads and compiles more when its functions need it.

    Parameters
    ----------
    module : str
        Name within librosa, such as ``"core.spectrum"``.

    Returns
    -------
    module
    """

    def load() -> ModuleType:
        # Functions would import this module when called, and compile what it defines.
        importlib.import_module("librosa.util.utils")
        return importlib.import_module(f"librosa.{module}")

    with _lock, _deferred_modules(), _deferred_compiling():
        return _with_cache(load)


class _DeferredModule(ModuleType):
    """Stand-in for a module, which is imported when one of its attributes is used."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def _deferred_modules() -> Iterator[None]:
    """Let an import of one of `_DEFERRED` load it when it is used.

    ``import scipy.signal`` binds scipy, which imports its submodules on access by itself.
    """
    added = {name: _DeferredModule(name) for name in _DEFERRED if name not in sys.modules}
    sys.modules.update(added)
    try:
        yield
    finally:
        for name, module in added.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


@contextmanager
def _deferred_compiling() -> Iterator[None]:
    """Let functions of librosa that Numba would compile on import be compiled when called."""
    import numba

    decorators = {name: getattr(numba, name) for name in ("guvectorize", "vectorize")}
    for name, decorator in decorators.items():
        setattr(numba, name, _deferring(decorator))
    try:
        yield
    finally:
        for name, decorator in decorators.items():
            setattr(numba, name, decorator)


def _deferring(decorator: Callable[..., Any]) -> Callable[..., Any]:
    """Variant of a decorator with arguments that has no effect until the function is called."""

    def with_arguments(*args: Any, **options: Any) -> Any:
        if args and callable(args[0]):  # without arguments, and compiled when called anyway
            return decorator(*args, **options)

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            @cache
            def compiled() -> Any:
                return _with_cache(lambda: decorator(*args, **options)(function))

            @wraps(function)
            def call(*values: Any, **named: Any) -> Any:
                return compiled()(*values, **named)

            return call

        return decorate

    return with_arguments


def _with_cache(load: Callable[[], T]) -> T:
    """Call a function that may use Numba's cache, one process at a time.

    Numba caches a compiled function and its callers in separate files. If two processes compile at
    the same time, files of both may remain, and every later process that loads them crashes. So
    processes take turns.
    """
    with _exclusive() as alone, _caches_that_may_fail():
        if not alone:
            _forgo_cache(f"another process has been compiling it for {_PATIENCE:.0f} s")
            return load()
        try:
            return load()
        except ImportError:
            raise
        except Exception as error:  # of Numba or pickle, which may raise anything
            _forgo_cache(str(error).partition("\n")[0] or type(error).__name__)
            return load()


@contextmanager
def _caches_that_may_fail() -> Iterator[None]:
    """Let functions that are defined here run where their machine code cannot be written.

    Numba saves it when a function is first called, and passes on the error of a full disk.
    """
    from numba.core import caching, dispatcher
    from numba.np.ufunc import ufuncbuilder

    class Cache(caching.FunctionCache):
        def save_overload(self, signature: Any, data: Any) -> None:
            try:
                super().save_overload(signature, data)  # type: ignore[no-untyped-call]
            except OSError as error:
                _warn(str(error.strerror or error))

    modules: tuple[Any, ...] = (dispatcher, ufuncbuilder)
    for module in modules:
        module.FunctionCache = Cache
    try:
        yield
    finally:
        for module in modules:
            module.FunctionCache = caching.FunctionCache


def _forgo_cache(reason: str) -> None:
    """Make Numba cache in a temporary folder from now on, and warn.

    librosa cannot be imported where its machine code can be kept nowhere, or was kept and is
    damaged.
    """
    import atexit
    import shutil

    import numba

    folder = tempfile.mkdtemp(prefix="nmfaudio-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _warn(reason)
    numba.config.CACHE_DIR = folder  # type: ignore[attr-defined]


@cache
def _warn(reason: str) -> None:
    import warnings

    import numba

    from nmfaudio.errors import AudioWarning

    place = numba.config.CACHE_DIR or _librosa_folder() or "librosa"  # type: ignore[attr-defined]
    warnings.warn(
        f"{place}: the machine code of librosa cannot be kept or is damaged ({reason}); every run"
        " compiles it again: delete the *.nbi and *.nbc files there, or set NUMBA_CACHE_DIR to a"
        " writable folder",
        AudioWarning,
        stacklevel=3,
    )


@contextmanager
def _exclusive() -> Iterator[bool]:
    """Lock out other processes of this user; False if one has the lock for `_PATIENCE` seconds."""
    path = cache_folder() / f"librosa-{zlib.crc32((_librosa_folder() or '').encode()):08x}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | BINARY, 0o600)
    except OSError:  # where nothing can be written, no machine code is, either
        yield True
        return
    try:
        yield _locked(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Wait for a lock; False if another process keeps it."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            lock(descriptor)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE)
        except OSError:  # a file system without locks
            return True


def _librosa_folder() -> str | None:
    spec = importlib.util.find_spec("librosa")
    return os.path.dirname(spec.origin) if spec and spec.origin else None
