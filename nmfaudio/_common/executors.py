"""Tasks on an executor: in this process, or on anything with ``submit``."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from typing import Any

from nmfaudio.errors import NmfAudioError, ParameterError

WINDOW = 1024
"""Default number of tasks that are submitted and not yet finished."""


class InProcessExecutor:
    """Executor that runs each task in this process, when it is submitted."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Run a task."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def as_executor(executor: Any = None) -> Iterator[Any]:
    """Provide an executor; None runs tasks in this process, a number in as many processes."""
    if executor is None:
        yield InProcessExecutor()
    elif isinstance(executor, int) and not isinstance(executor, bool):
        with ProcessPoolExecutor(executor, get_context("spawn"), _use_one_thread) as pool:
            yield pool
    elif callable(getattr(executor, "submit", None)):
        yield executor
    else:
        raise ParameterError(
            "executor must be None, a number of processes or an object with submit(function, "
            f"*arguments), got {executor!r}"
        )


def _use_one_thread() -> None:
    os.environ["NMFAUDIO_NUM_THREADS"] = "1"


def map_tasks(
    function: Callable[..., Any],
    arguments: Iterable[tuple[Any, ...]],
    executor: Any = None,
    *,
    window: int | None = None,
    retries: int = 2,
) -> Iterator[Any]:
    """Call a function with each tuple of arguments, and yield the results in that order."""
    with as_executor(executor) as engine:
        here = isinstance(engine, InProcessExecutor)
        window, retries = (1, 0) if here else (window or WINDOW, retries)
        pending: deque[tuple[tuple[Any, ...], Any]] = deque()
        waiting = iter(arguments)
        while True:
            for each in islice(waiting, window - len(pending)):
                pending.append((each, engine.submit(function, *each)))
            if not pending:
                return
            each, task = pending.popleft()
            yield _result(engine, function, each, task, retries)


def _result(engine: Any, function: Any, each: tuple[Any, ...], task: Any, retries: int) -> Any:
    """Result of a task, submitted again after errors that are not of this package."""
    for _ in range(retries):
        try:
            return task.result()
        except NmfAudioError:
            raise
        except Exception:
            task = engine.submit(function, *each)
    return task.result()
