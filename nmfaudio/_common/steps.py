"""Steps of a computation outside its iterations, for a program that shows progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, float], None]

_listener: ContextVar[Listener | None] = ContextVar("_listener", default=None)


def report_step(name: str, share: float = 0.0) -> None:
    """Tell the listener, if there is one, that a step has begun or advanced.

    Parameters
    ----------
    name : str
        Name of the step, such as ``"computing the stems"``.
    share : float
        Share of the step that is done, from 0 to 1.
    """
    listener = _listener.get()
    if listener is not None:
        listener(name, share)


@contextmanager
def listen(listener: Listener) -> Iterator[None]:
    """Call `listener` with the name and share of each step while the body runs.

    Parameters
    ----------
    listener : callable
        Called in the thread that computes, with the arguments of `report_step`.

    Examples
    --------
    >>> seen = []
    >>> with listen(lambda name, share: seen.append((name, share))):
    ...     report_step("writing", 0.5)
    >>> seen
    [('writing', 0.5)]
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
