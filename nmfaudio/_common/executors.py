"""Tasks on an executor: in this process, on processes of its own, or on another engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import count
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol

from nmfaudio._common.extras import missing_extra
from nmfaudio.errors import NmfAudioError, ParameterError, WorkerError

WINDOW = 1024
"""Default number of tasks that are submitted and not yet finished."""


class Submitted(Protocol):
    """Task that was submitted to an executor."""

    def result(self) -> Any:
        """Wait for the task; return its result, or raise its error."""


class Executor(Protocol):
    """Anything that runs functions: the only two methods that tasks need."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Submitted:
        """Begin a task, now or later."""


class InProcessExecutor:
    """Executor that runs each task in this process, when it is submitted.

    Examples
    --------
    >>> InProcessExecutor().submit(max, 1, 2).result()
    2
    """

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Run a task.

        Parameters
        ----------
        function : callable
        *arguments : Any

        Returns
        -------
        concurrent.futures.Future
            Finished; errors are raised by its ``result()``.
        """
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def as_executor(
    executor: Any = None, *, time_limit: float | None = None, memory_limit: int | None = None
) -> Iterator[Executor]:
    """Provide an executor, and end the one that was made for it.

    Parameters
    ----------
    executor : None, "processes", int, str, or object
        None runs tasks in this process. ``"processes"`` is one process per processor, an int that
        number of processes, a string such as ``"tcp://host:8786"`` the address of a Dask
        scheduler. A Dask ``Client`` and any object with ``submit(function, *arguments)`` are used
        as they are, and left open.
    time_limit : float, optional
        Seconds that a task may take on processes of this package.
    memory_limit : int, optional
        Bytes of memory that each such process may have.

    Yields
    ------
    Executor

    Raises
    ------
    ParameterError
        `executor` is none of these, or no scheduler answers at its address.
    MissingExtraError
        An address is given, and Dask is not installed.

    Examples
    --------
    >>> with as_executor() as engine:
    ...     engine.submit(pow, 2, 3).result()
    8
    """
    if executor is None:
        yield InProcessExecutor()
    elif executor == "processes" or (isinstance(executor, int) and not isinstance(executor, bool)):
        from nmfaudio._common.processes import ProcessExecutor

        workers = executor if isinstance(executor, int) else None
        limits = {"time_limit": time_limit, "memory_limit": memory_limit}
        with ProcessExecutor(workers, **limits) as own:  # type: ignore[arg-type]
            yield own
    elif isinstance(executor, str) and "://" in executor:
        with dask_client(executor) as client:
            yield client.get_executor(pure=False)
    elif callable(getattr(executor, "get_executor", None)):
        # Dask takes a second call of a function with the same arguments for the first one.
        yield executor.get_executor(pure=False)
    elif callable(getattr(executor, "submit", None)):
        yield executor
    else:
        raise ParameterError(
            f"executor must be None, 'processes', a number of processes, the address of a Dask"
            f" scheduler or an object with submit(function, *arguments), got {executor!r}"
        )


def dask_client(address: str) -> Any:
    """Connect to a Dask scheduler.

    Parameters
    ----------
    address : str
        Such as ``tcp://host:8786``.

    Returns
    -------
    distributed.Client
        To be used in a ``with`` statement.

    Raises
    ------
    MissingExtraError
        Dask's scheduler is not installed.
    ParameterError
        No scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise missing_extra("dask", "Dask schedulers") from None
    try:
        return Client(address, timeout=10)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"{address}: no Dask scheduler answers ({error}); start one with dask scheduler, and"
            " give the address that it prints"
        ) from None


def map_tasks(
    function: Callable[..., Any],
    arguments: Iterable[tuple[Any, ...]],
    executor: Any = None,
    *,
    window: int | None = None,
    retries: int = 2,
) -> Iterator[Any]:
    """Call a function with each tuple of arguments, and yield the results in that order.

    Parameters
    ----------
    function : callable
        Function at the top of a module.
    arguments : iterable of tuple
        Paths, numbers and texts. Large results lie on disk, under names that say what they are
        of; a task that finds its result returns at once.
    executor : object, optional
        As `as_executor` takes it. Only ``submit`` and ``result()`` are used, and ``cancel()`` of
        tasks that are not needed any more, where there is one.
    window : int, optional
        Largest number of tasks that are submitted and not yet yielded, by default 1,024.
    retries : int
        Number of times that a task is submitted again after an error that is not one of this
        package, or after the death of its process. In this process there is none.

    Yields
    ------
    Any
        Result of each call.

    Raises
    ------
    Exception
        The error of the first task that failed.

    Examples
    --------
    >>> list(map_tasks(pow, [(2, 1), (2, 2), (2, 3)]))
    [2, 4, 8]
    """
    with as_executor(executor) as engine:
        window, retries = _bounds(engine, window, retries)
        pending: deque[_Task] = deque()
        waiting = iter(arguments)
        try:
            while True:
                for each in _first(waiting, window - len(pending)):
                    pending.append(_Task(function, each, retries))
                    pending[-1].submit(engine)
                if not pending:
                    return
                task = pending[0]
                while not task.take(engine):
                    pass
                pending.popleft()
                if task.error is not None:
                    raise task.error
                yield task.value
        finally:
            for task in pending:
                task.cancel()


def completed_tasks(
    function: Callable[..., Any],
    arguments: Iterable[tuple[Any, ...]],
    executor: Any = None,
    *,
    window: int | None = None,
    retries: int = 2,
) -> Iterator[tuple[int, Any, Exception | None]]:
    """Call a function with each tuple of arguments, and yield each outcome as soon as it is known.

    Parameters
    ----------
    function, executor, window, retries
        As in `map_tasks`.
    arguments : iterable of tuple
        As in `map_tasks`. An iterator is asked again whenever an outcome was yielded, and may then
        have tasks that follow from it.

    Yields
    ------
    number : int
        Position in `arguments`.
    result : Any
        Result of the call, None if it failed.
    error : Exception or None
        Error of the last attempt.

    Examples
    --------
    >>> [(number, result) for number, result, error in completed_tasks(pow, [(2, 1), (2, 2)])]
    [(0, 2), (1, 4)]
    """
    with as_executor(executor) as engine:
        window, retries = _bounds(engine, window, retries)
        ended: SimpleQueue[_Task] = SimpleQueue()
        running: dict[int, _Task] = {}
        waiting, numbers = iter(arguments), count()
        try:
            while True:
                for each in _first(waiting, window - len(running)):
                    number = next(numbers)
                    running[number] = task = _Task(function, each, retries, number)
                    task.submit(engine)
                    task.notify(ended)
                if not running:
                    return
                task = ended.get()
                if task.take(engine):
                    del running[task.number]
                    yield task.number, task.value, task.error
                else:
                    task.notify(ended)
        finally:
            for task in running.values():
                task.cancel()


def _bounds(engine: Executor, window: int | None, retries: int) -> tuple[int, int]:
    """Window and retries; in this process one task at a time, and none a second time."""
    if isinstance(engine, InProcessExecutor):
        return 1, 0
    return max(1, WINDOW if window is None else window), retries


def _first(items: Iterator[Any], number: int) -> Iterator[Any]:
    """Next items, `number` at most."""
    for _ in range(number):
        try:
            yield next(items)
        except StopIteration:
            return


class _Task:
    """One call of a function, with the attempts that are left."""

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        retries: int,
        number: int = 0,
    ) -> None:
        self.number = number
        self.value: Any = None
        self.error: Exception | None = None
        self._call = (function, *arguments)
        self._retries = retries
        self._submitted: Any = None

    def submit(self, engine: Executor) -> None:
        """Submit the call; an executor that refuses it counts as a failed attempt."""
        try:
            self._submitted = engine.submit(*self._call)
        except Exception as error:
            self._submitted = failed = Future[Any]()
            failed.set_exception(error)

    def notify(self, ended: SimpleQueue[_Task]) -> None:
        """Put this task into a queue when it has ended."""
        listen = getattr(self._submitted, "add_done_callback", None)
        if listen is not None:
            listen(lambda _: ended.put(self))
        else:
            Thread(target=self._wait, args=(ended,), daemon=True).start()

    def _wait(self, ended: SimpleQueue[_Task]) -> None:
        try:
            self._submitted.result()
        except Exception:  # raised again when the result is taken
            pass
        finally:
            ended.put(self)

    def take(self, engine: Executor) -> bool:
        """Take the outcome, True; or submit the call again after an error, False."""
        try:
            self.value = self._submitted.result()
        except Exception as error:
            own = isinstance(error, NmfAudioError) and not isinstance(error, WorkerError)
            if not own and self._retries > 0:
                self._retries -= 1
                self._submitted = None  # Dask keeps the outcome as long as anybody has it
                self.submit(engine)
                return False
            self.error = error
        return True

    def cancel(self) -> None:
        """Cancel the call, where the executor can."""
        cancel = getattr(self._submitted, "cancel", None)
        if cancel is not None:
            cancel()
