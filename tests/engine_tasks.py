"""Tasks for executors, in a module that their processes can import."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from nmfaudio.errors import ContentError


class Unportable(Exception):
    """Error that pickle cannot restore."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


def square(number: int) -> int:
    return number**2


def threads() -> int:
    from nmfaudio.kernels.threads import get_threads

    return get_threads()


def process_number(_: int) -> int:
    return os.getpid()


def fail(kind: str) -> str:
    """Fail in the way that is named, which only a process of its own survives."""
    if kind == "abort":
        os.abort()
    if kind == "exit":
        os._exit(3)
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "hang":
        time.sleep(1000)
    if kind == "deaf":
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        time.sleep(1000)
    if kind == "eat":
        return str(len(bytearray(2**31)))
    if kind == "content":
        raise ContentError("silence")
    if kind == "value":
        raise ValueError("a value")
    if kind == "unportable":
        raise Unportable("first", "second")
    return kind


def fail_first(folder: str, kind: str) -> str:
    """Fail at the first attempt."""
    mark = Path(folder, "tried")
    if not mark.exists():
        mark.touch()
        fail(kind)
    return "done"


def fail_by_name(
    folder: str, name: str, argv: tuple[str, ...], stems: bool, source: str, track: str, *rest: Any
) -> dict[str, Any]:
    """Stand-in for `process_file` that fails in the way that the name of the file tells."""
    fail(Path(source).stem)
    return {"input": source, "track": track, "exit_code": 0, "written": []}
