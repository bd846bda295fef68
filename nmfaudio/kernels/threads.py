"""How many threads work, and how parts are dealt to them.

Plain Python threads over kernels that release the GIL: as fast as Numba's own threading layers,
and safe after a fork, from several Python threads at once and beside BLAS, which those are not.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import partial
from queue import SimpleQueue

_chosen: int | None = None


def set_threads(count: int | None) -> None:
    """Set how many threads work from now on; None goes back to the default."""
    global _chosen
    _chosen = count


def get_threads() -> int:
    """How many threads work: as set, else ``NMFAUDIO_NUM_THREADS``, else the usable CPUs.

    Within `parallel_for_each` it is the share of the job that asks.
    """
    crew = _crew.get()
    if crew is not None:
        return crew.share()
    if _chosen is not None:
        return _chosen
    wanted = os.environ.get("NMFAUDIO_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def parallel_for(work: Callable[[range], None], parts: int) -> None:
    """Call `work` with the parts 0 … `parts` − 1 dealt out to the threads, and wait for all.

    Which thread gets a part must not matter to the result.
    """
    count = max(1, min(get_threads(), parts))
    failures: list[BaseException] = []

    def guarded(first: int) -> None:
        try:
            work(range(first, parts, count))
        except BaseException as failure:
            failures.append(failure)

    done: SimpleQueue[None] = SimpleQueue()
    for first in range(1, count):
        _worker().take(partial(guarded, first), done)
    guarded(0)
    for _ in range(1, count):
        done.get()
    if failures:
        raise failures[0]


class _Worker:
    """A thread that waits for its next task: on a processor of its own, where a new one might begin
    on that of the thread that made it."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[tuple[Callable[[], None], SimpleQueue[None]]] = SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def take(self, task: Callable[[], None], done: SimpleQueue[None]) -> None:
        self._tasks.put((task, done))

    def _work(self) -> None:
        while True:
            task, done = self._tasks.get()
            task()
            _idle.append(self)
            done.put(None)
            del task, done  # nothing of a task lives on while waiting


_idle: list[_Worker] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # threads do not live on in a child


def _worker() -> _Worker:
    try:
        return _idle.pop()
    except IndexError:
        return _Worker()


def parallel_for_each(job: Callable[[int], None], count: int) -> None:
    """Call `job` with 0 … `count` − 1, one job to a thread, and wait for all.

    It is for jobs that deal parts themselves: those that run share the threads, so the last one,
    when there is nothing left to run beside it, gets them all. How many threads a job has, and
    which other jobs have ended, must not matter to its result. After a failure no job begins.
    """
    crew = _ThreadPool(get_threads(), count)
    failures: list[BaseException] = []

    def work() -> None:
        token = _crew.set(crew)
        try:
            while (number := crew.next_job()) is not None:
                job(number)
        except BaseException as failure:
            failures.append(failure)
            crew.dismiss()
        finally:
            crew.leave()
            _crew.reset(token)

    helpers = [
        # The caller's context holds, among others, what NumPy does about overflow.
        threading.Thread(target=copy_context().run, args=(work,), daemon=True)
        for _ in range(1, crew.working)
    ]
    try:
        for helper in helpers:
            helper.start()
        work()
        for helper in helpers:
            helper.join()
    finally:  # an interrupt while waiting, too, ends it with the jobs that run
        crew.dismiss()
    if failures:
        raise failures[0]


class _ThreadPool:
    """Threads that take whole jobs, and the number of threads they share."""

    def __init__(self, threads: int, jobs: int) -> None:
        self.working = max(1, min(threads, jobs))
        self._threads = threads
        self._jobs = iter(range(jobs))
        self._lock = threading.Lock()

    def next_job(self) -> int | None:
        with self._lock:
            return next(self._jobs, None)

    def dismiss(self) -> None:
        with self._lock:
            self._jobs = iter(range(0))

    def leave(self) -> None:
        with self._lock:
            self.working -= 1

    def share(self) -> int:
        return max(1, self._threads // max(1, self.working))


_crew: ContextVar[_ThreadPool | None] = ContextVar("_crew", default=None)
