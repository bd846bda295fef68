"""Processes that run tasks: one thread and one task each, with limits of time and memory.

They are started anew, not forked, and load nothing of the main script, so that scripts need no
``if __name__ == "__main__"``. A process that dies or is over a limit is replaced.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, Self

from nmfaudio._common.processors import usable_processors
from nmfaudio.errors import ParameterError, WorkerError

GRACE = 3.0
"""Seconds between the request to end, upon which temporary files are removed, and the kill."""

_START = (
    "import sys; sys.path[:] = sys.argv[3:];"
    "from nmfaudio._common.worker import main; main(int(sys.argv[1]), int(sys.argv[2]))"
)
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

    Examples
    --------
    >>> worker = WorkerProcess()
    >>> worker.run(pow, 2, 3)
    8
    >>> worker.end()
    """

    def __init__(self, *, time_limit: float | None = None, memory_limit: int | None = None) -> None:
        self._time_limit = time_limit
        self._memory_limit = memory_limit
        self._running: tuple[subprocess.Popen[bytes], Connection] | None = None
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
        process, connection = self._started()
        try:
            connection.send((function, arguments))
            if not connection.poll(self._time_limit):
                self.end()
                raise WorkerError(
                    f"took more than {self._time_limit:g} s and was ended; raise the time limit",
                    exit_code=6,
                )
            succeeded, outcome = connection.recv()
        except (OSError, EOFError):
            raise self._death(process) from None
        if succeeded:
            return outcome
        if isinstance(outcome, MemoryError):
            self.end()  # its memory may be in pieces
        raise outcome

    def end(self, *, for_good: bool = False) -> None:
        """End the process; the next task starts another, unless it is `for_good`."""
        with self._lock:
            self._closed = self._closed or for_good
            process = None if self._running is None else self._running[0]
        if process is not None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE)
            process.kill()
            process.wait()

    def _started(self) -> tuple[subprocess.Popen[bytes], Connection]:
        """Process and the connection to it, after starting it if there is none."""
        with self._lock:
            if self._closed:
                raise WorkerError("the executor is shut down")
            if self._running is not None:
                process, connection = self._running
                if process.poll() is None:
                    return self._running
                connection.close()
            ours, theirs = socket.socketpair()
            with theirs:
                command = [sys.executable, "-c", _START, str(theirs.fileno())]
                process = subprocess.Popen(
                    [*command, str(self._memory_limit or 0), *sys.path],
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    env=os.environ | _ONE_THREAD,
                    process_group=0,  # Ctrl-C reaches the parent alone, which ends the process
                )
            self._running = process, Connection(ours.detach())
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
        hint = "; the memory may have been full" if code == -signal.SIGKILL else ""
        return WorkerError(f"its process was ended by {name}{hint}")


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
