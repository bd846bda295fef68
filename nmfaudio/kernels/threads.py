"""Number of threads, and loops over them.

Plain Python threads run kernels that release the GIL. They are as fast as Numba's threading layers
and, unlike those, safe after a fork, with several calling threads, and together with BLAS.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import partial
from queue import SimpleQueue

from nmfaudio._common.processors import usable_processors
from nmfaudio.errors import ParameterError

_MOST = 4096

_chosen: int | None = None


def set_threads(count: int | None) -> None:
    """Set the number of threads; None restores the default."""
    global _chosen
    _chosen = count


def get_threads() -> int:
    """Number of threads: as set, else ``NMFAUDIO_NUM_THREADS``, else the usable processors.

    Within `parallel_for_each` it is the share of the calling job, within `parallel_for` 1.

    Raises
    ------
    ParameterError
        ``NMFAUDIO_NUM_THREADS`` is neither empty nor a whole number above 0.
    """
    if getattr(_nested, "active", False):
        return 1
    pool = _current_pool.get()
    if pool is not None:
        return pool.threads_per_job()
    if _chosen is not None:
        return _chosen
    setting = os.environ.get("NMFAUDIO_NUM_THREADS", "")
    if not setting.strip():
        return usable_processors()
    if not (setting.isascii() and setting.isdecimal() and 0 < int(setting) <= _MOST):
        raise ParameterError(
            f"NMFAUDIO_NUM_THREADS is {setting[:80]!r}; set it to a whole number from 1 to {_MOST},"
            " or unset it"
        )
    return int(setting)


def parallel_for(work: Callable[[range], None], parts: int) -> None:
    """Divide the parts 0 … `parts` − 1 among threads, call `work` with those of each, and wait.

    The result must not depend on which thread works on a part: `work` gets ranges ``first,
    first + threads, …``. If there are several threads, `work` itself runs on one.

    Raises
    ------
    BaseException
        The first failure, after all threads have ended; an interrupt at once, as they may compile
        for many seconds.
    """
    count = max(1, min(get_threads(), parts))
    failures: list[BaseException] = []

    def run(first: int) -> None:
        _nested.active = True
        try:
            work(range(first, parts, count))
        except BaseException as failure:
            failures.append(failure)
        finally:
            _nested.active = False

    if count == 1:
        work(range(parts))
        return
    done: SimpleQueue[None] = SimpleQueue()
    for first in range(1, count):
        _idle_worker().submit(partial(run, first), done)
    run(0)
    _raise_interrupt(failures)
    for _ in range(1, count):
        done.get()
    if failures:
        raise failures[0]


def _raise_interrupt(failures: list[BaseException]) -> None:
    """Raise the first failure that is no error, such as `KeyboardInterrupt`."""
    for failure in failures:
        if not isinstance(failure, Exception):
            raise failure


_nested = threading.local()  # active while a thread runs a part of a loop


class _Worker:
    """Thread that waits for tasks.

    It tends to stay on its processor; a new thread might start on the processor of its creator.
    """

    def __init__(self) -> None:
        self._tasks: SimpleQueue[tuple[Callable[[], None], SimpleQueue[None]]] = SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def submit(self, task: Callable[[], None], done: SimpleQueue[None]) -> None:
        self._tasks.put((task, done))

    def _work(self) -> None:
        """Run tasks forever; the worker is idle again before it reports a task as done."""
        while True:
            task, done = self._tasks.get()
            task()
            _idle.append(self)
            done.put(None)
            del task, done  # keep no arrays alive while waiting


_idle: list[_Worker] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # threads do not survive a fork


def _idle_worker() -> _Worker:
    """Take an idle worker, or start one."""
    try:
        return _idle.pop()
    except IndexError:
        return _Worker()


def parallel_for_each(job: Callable[[int], None], count: int) -> None:
    """Call `job` with 0 … `count` − 1, each on one thread, and wait.

    For jobs that call `parallel_for` themselves: the running jobs share the threads, and the last
    one, when no other is left, has them all. The result of a job must not depend on its number of
    threads, nor on which other jobs have ended. After a failure no further job begins.

    Raises
    ------
    BaseException
        The first failure, after all running jobs have ended; an interrupt at once.
    """
    pool = _ThreadPool(get_threads(), count)
    failures: list[BaseException] = []

    def work() -> None:
        token = _current_pool.set(pool)
        try:
            while (number := pool.next_job()) is not None:
                job(number)
        except BaseException as failure:
            failures.append(failure)
            pool.cancel()
        finally:
            pool.leave()
            _current_pool.reset(token)

    helpers = [
        # The caller's context includes, among others, NumPy's handling of overflow.
        threading.Thread(target=copy_context().run, args=(work,), daemon=True)
        for _ in range(1, pool.n_running)
    ]
    try:
        for helper in helpers:
            helper.start()
        work()
        _raise_interrupt(failures)
        for helper in helpers:
            helper.join()
    finally:  # an interrupt while waiting, too, lets no further job begin
        pool.cancel()
    if failures:
        raise failures[0]


class _ThreadPool:
    """Queue of jobs, and the threads that the running ones share."""

    def __init__(self, threads: int, jobs: int) -> None:
        self.n_running = max(1, min(threads, jobs))
        self._threads = threads
        self._jobs = iter(range(jobs))
        self._lock = threading.Lock()

    def next_job(self) -> int | None:
        """Take the number of the next job, None if there is none."""
        with self._lock:
            return next(self._jobs, None)

    def cancel(self) -> None:
        """Drop the jobs that have not begun."""
        with self._lock:
            self._jobs = iter(range(0))

    def leave(self) -> None:
        """Release the share of a thread that found no further job."""
        with self._lock:
            self.n_running -= 1

    def threads_per_job(self) -> int:
        """Number of threads for each running job."""
        return max(1, self._threads // max(1, self.n_running))


_current_pool: ContextVar[_ThreadPool | None] = ContextVar("_current_pool", default=None)
