"""The module that public names report as their own."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def public(item: T) -> T:
    """Let a class or function of the top level report ``nmfaudio`` as its module.

    Parameters
    ----------
    item : class or function
        Must be reachable as ``nmfaudio.<its name>``, or it cannot be pickled.

    Returns
    -------
    class or function
        The same object.
    """
    item.__module__ = "nmfaudio"
    return item
