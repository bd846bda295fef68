"""Processes that run tasks: one thread and one task each, with limits of time and memory.

They are started anew, not forked, and load nothing of the main script, so that scripts need no
``if __name__ == "__main__"``. A process that dies or is over a limit is replaced.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import IO, Any, NamedTuple, Self, cast

from nmfaudio._common.processors import usable_processors
from nmfaudio._common.worker import receive, send
from nmfaudio.errors import ParameterError, WorkerError

GRACE = 3.0
"""Seconds between the request to end, upon which temporary files are removed, and the kill."""

_START = (
    "import sys; sys.path[:] = sys.argv[2:];"
    "from nmfaudio._common.worker import main; main(int(sys.argv[1]))"
)
_OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # on Windows
_ONE_THREAD = dict.fromkeys(
    (
        "NMFAUDIO_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)


class WorkerProcess:
    """Process that runs one task after another, started when it is needed.

    Parameters
    ----------
    time_limit : float, optional
        Seconds that a task may take.
    memory_limit : int, optional
        Bytes of memory that the process may have; an allocation beyond fails with `MemoryError`.

    Raises
    ------
    ParameterError
        There is a limit of memory on Windows.

    Examples
    --------
    >>> worker = WorkerProcess()
    >>> worker.run(pow, 2, 3)
    8
    >>> worker.end()
    """

    def __init__(self, *, time_limit: float | None = None, memory_limit: int | None = None) -> None:
        if memory_limit and sys.platform == "win32":
            raise ParameterError(
                "there is a limit of memory, and Windows has none for processes; leave it out"
            )
        self._time_limit = time_limit
        self._memory_limit = memory_limit
        self._running: _Running | None = None
        self._lock = threading.Lock()
        self._closed = False

    def run(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        """Run a task and wait for it.

        Parameters
        ----------
        function : callable
            Function at the top of a module that the process can import.
        *arguments : Any

        Returns
        -------
        Any

        Raises
        ------
        WorkerError
            The process died, or the task took too long.
        Exception
            Error of the task.
        """
        running = self._started()
        try:
            send(running.tasks, pickle.dumps((function, arguments)))
            message = running.outcomes.get(timeout=self._time_limit)
        except Empty:
            self.end()
            raise WorkerError(
                f"took more than {self._time_limit:g} s and was ended; raise the time limit",
                exit_code=6,
            ) from None
        except OSError:
            message = None
        if message is None:
            raise self._death(running.process)
        succeeded, outcome = pickle.loads(message)
        if succeeded:
            return outcome
        if isinstance(outcome, MemoryError):
            self.end()  # its memory may be in pieces
        raise outcome

    def end(self, *, for_good: bool = False) -> None:
        """End the process; the next task starts another, unless it is `for_good`."""
        with self._lock:
            self._closed = self._closed or for_good
            running = self._running
        if running is not None:
            running.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                running.process.wait(GRACE)
            running.process.kill()
            running.process.wait()
            running.close()

    def _started(self) -> _Running:
        """Process and the pipes to it, after starting it if there is none."""
        with self._lock:
            if self._closed:
                raise WorkerError("the executor is shut down")
            if self._running is not None:
                if self._running.process.poll() is None:
                    return self._running
                self._running.close()
            self._running = _start(self._memory_limit or 0)
            return self._running

    def _death(self, process: subprocess.Popen[bytes]) -> WorkerError:
        """Error about a process whose connection ended."""
        try:
            code = process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.end()
            code = process.returncode
        if code >= 0:
            return WorkerError(f"its process ended with exit code {code}; run it alone to see why")
        name = signal.Signals(-code).name
        hint = "; the memory may have been full" if name == "SIGKILL" else ""
        return WorkerError(f"its process was ended by {name}{hint}")


class _Running(NamedTuple):
    """Process with its pipes; `outcomes` ends with None when the process ends."""

    process: subprocess.Popen[bytes]
    tasks: IO[bytes]
    outcomes: SimpleQueue[bytes | None]

    def close(self) -> None:
        """Close the pipe of the tasks of a process that has ended."""
        with suppress(OSError):  # part of a task may be left
            self.tasks.close()


def _start(memory_limit: int) -> _Running:
    process = subprocess.Popen(
        [sys.executable, "-c", _START, str(memory_limit), *sys.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | _ONE_THREAD,
        # Ctrl-C reaches the parent alone, which ends the process.
        process_group=0,
        creationflags=_OWN_GROUP,
    )
    outcomes: SimpleQueue[bytes | None] = SimpleQueue()
    reader = cast(IO[bytes], process.stdout)
    threading.Thread(target=_collect, args=(reader, outcomes), daemon=True).start()
    return _Running(process, cast(IO[bytes], process.stdin), outcomes)


def _collect(pipe: IO[bytes], outcomes: SimpleQueue[bytes | None]) -> None:
    """Queue the outcomes of a process until it ends; pipes have no time limit on Windows."""
    with pipe:
        try:
            while True:
                outcomes.put(receive(pipe))
        except (EOFError, OSError, ValueError):
            outcomes.put(None)


class ProcessExecutor:
    """Executor on processes of its own: one task at a time in each, further ones wait.

    Parameters
    ----------
    workers : int, optional
        Number of processes, by default one per processor.
    time_limit : float, optional
        Seconds that a task may take.
    memory_limit : int, optional
        Bytes of memory that each process may have.

    Raises
    ------
    ParameterError
        The number of processes or a limit is not positive.

    Examples
    --------
    >>> with ProcessExecutor(2) as executor:
    ...     [task.result() for task in [executor.submit(pow, 2, 3), executor.submit(abs, -1)]]
    [8, 1]
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        time_limit: float | None = None,
        memory_limit: int | None = None,
    ) -> None:
        numbers = {"workers": workers, "time_limit": time_limit, "memory_limit": memory_limit}
        for name, value in numbers.items():
            if value is not None and not value > 0:
                raise ParameterError(f"{name} must be above 0, got {value}")
        count = usable_processors() if workers is None else workers
        self._tasks: SimpleQueue[Any] = SimpleQueue()
        self._workers = [
            WorkerProcess(time_limit=time_limit, memory_limit=memory_limit) for _ in range(count)
        ]
        self._threads: list[threading.Thread] = []
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Put a task at the end of the queue.

        Parameters
        ----------
        function : callable
            Function at the top of a module.
        *arguments : Any
            Paths, numbers and texts.

        Returns
        -------
        concurrent.futures.Future

        Raises
        ------
        RuntimeError
            The executor is shut down.
        """
        if self._closed:
            raise RuntimeError("the executor is shut down")
        future: Future[Any] = Future()
        self._tasks.put((future, function, arguments))
        if len(self._threads) < len(self._workers):
            worker = self._workers[len(self._threads)]
            thread = threading.Thread(target=self._serve, args=(worker,), daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def shutdown(self) -> None:
        """End all processes; waiting tasks are cancelled, running ones fail."""
        self._closed = True
        while not self._tasks.empty():
            self._tasks.get()[0].cancel()
        for _ in self._threads:
            self._tasks.put(None)
        enders = [
            threading.Thread(target=worker.end, kwargs={"for_good": True})
            for worker in self._workers
        ]
        for thread in enders:
            thread.start()
        for thread in (*enders, *self._threads):
            thread.join()

    def _serve(self, worker: WorkerProcess) -> None:
        """Run tasks of the queue on one process."""
        while (task := self._tasks.get()) is not None:
            future, function, arguments = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = worker.run(function, *arguments)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            del task, future  # keep no results alive while waiting
