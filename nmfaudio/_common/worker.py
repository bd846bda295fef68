"""Main loop of a process of `nmfaudio._common.processes`."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
import traceback
from queue import SimpleQueue
from types import FrameType
from typing import IO, Any, NoReturn

_GRACE = 5.0  # seconds that a task has to remove its temporary files when the parent is gone
_TERMINATED = 128 + signal.SIGTERM
_LENGTH = 8  # bytes before each message


def send(pipe: IO[bytes], message: bytes) -> None:
    """Write a message to a pipe.

    Parameters
    ----------
    pipe : binary file object
    message : bytes
    """
    pipe.write(len(message).to_bytes(_LENGTH, "little"))
    pipe.write(message)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes:
    """Read a message from a pipe.

    Parameters
    ----------
    pipe : binary file object

    Returns
    -------
    bytes

    Raises
    ------
    EOFError
        The other process has ended.
    """
    header = pipe.read(_LENGTH)
    size = int.from_bytes(header, "little")
    message = pipe.read(size)
    if len(header) < _LENGTH or len(message) < size:
        raise EOFError
    return message


def main(memory_limit: int) -> None:
    """Run the tasks that arrive at standard input, until it is closed.

    Parameters
    ----------
    memory_limit : int
        Bytes; 0 for none.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    tasks, outcomes = (os.fdopen(os.dup(fd), mode) for fd, mode in ((0, "rb"), (1, "wb")))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a task prints is no outcome
    if memory_limit:
        # OpenBLAS tries without end to allocate its buffers, and never returns under a low limit.
        import scipy.linalg  # noqa: F401

        _limit_memory(memory_limit)
    messages: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(tasks, messages), daemon=True).start()
    while True:
        send(outcomes, _reply(messages.get()))


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(_TERMINATED)


def _limit_memory(limit: int) -> None:
    """Let allocations fail beyond a number of bytes; files mapped into memory do not count."""
    if sys.platform != "win32":  # where `WorkerProcess` takes no limit
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _receive(tasks: IO[bytes], messages: SimpleQueue[bytes]) -> None:
    """Queue the messages of the parent, and end this process when the parent is gone."""
    try:
        while True:
            messages.put(receive(tasks))
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE)
        os._exit(_TERMINATED)  # a kernel that runs does not notice signals


def _reply(message: bytes) -> bytes:
    """Outcome of a task: True and its result, or False and its error."""
    try:
        function, arguments = pickle.loads(message)
        return pickle.dumps((True, function(*arguments)))
    except Exception as error:
        return pickle.dumps((False, _portable(error)))


def _portable(error: Exception) -> Exception:
    """Error that can be sent, with the traceback of this process as a note."""
    text = "".join(traceback.format_exception(error))
    try:
        copy: Any = pickle.loads(pickle.dumps(error))
    except Exception:
        copy = RuntimeError("".join(traceback.format_exception_only(error)).strip())
    copy.add_note(f"In a worker process:\n{text}")
    return copy  # type: ignore[no-any-return]
