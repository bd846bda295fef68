"""Time that Numba spends compiling, in this package and in librosa."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PAUSE = 1.0  # seconds between two functions, in which compiling has not ended


class Stopwatch:
    """Seconds of compiling; loading machine code from the cache does not count.

    Numba announces when it takes its compiler lock, which it also does to load machine code, and
    each pass of the compiler. So the time for which the lock is held counts from the first pass on.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._depth = 0  # of nested locks
        self._since: float | None = None  # beginning of the first pass under the lock
        self._done = 0.0
        self._ended = -_PAUSE

    def lock(self, change: int) -> None:
        """Count a lock that was taken (1) or released (-1)."""
        with self._lock:
            self._depth += change
            if self._depth == 0 and self._since is not None:
                self._ended = self._clock()
                self._done += self._ended - self._since
                self._since = None

    def compile(self) -> None:
        """Note a pass of the compiler."""
        with self._lock:
            if self._depth > 0 and self._since is None:
                self._since = self._clock()

    @property
    def running(self) -> bool:
        """True while compiling goes on, short pauses included."""
        return self._since is not None or self._clock() - self._ended < _PAUSE

    @property
    def seconds(self) -> float:
        """Seconds of compiling until now."""
        since = self._since
        return self._done + (0.0 if since is None else self._clock() - since)


@contextmanager
def watch_compiler() -> Iterator[Stopwatch]:
    """Provide a stopwatch of the compiler while the body runs."""
    from numba.core import event

    stopwatch = Stopwatch()

    class Lock(event.Listener):
        def on_start(self, event: object) -> None:
            stopwatch.lock(1)

        def on_end(self, event: object) -> None:
            stopwatch.lock(-1)

    class Pass(event.Listener):
        def on_start(self, event: object) -> None:
            stopwatch.compile()

        def on_end(self, event: object) -> None: ...

    listeners = {"numba:compiler_lock": Lock(), "numba:run_pass": Pass()}
    for kind, listener in listeners.items():
        event.register(kind, listener)  # type: ignore[no-untyped-call]
    try:
        yield stopwatch
    finally:
        for kind, listener in listeners.items():
            event.unregister(kind, listener)  # type: ignore[no-untyped-call]
