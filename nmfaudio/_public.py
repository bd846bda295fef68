"""Decorator that sets the module of public names."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def public(item: T) -> T:
    """Set ``__module__`` of a public class or function to ``nmfaudio``.

    Parameters
    ----------
    item : class or function
        Must be importable as ``nmfaudio.<name>``, otherwise it cannot be pickled.

    Returns
    -------
    class or function
        The same object.
    """
    item.__module__ = "nmfaudio"
    return item
