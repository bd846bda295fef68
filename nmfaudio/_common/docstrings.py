"""Docstrings of methods that implement an interface."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeVar

C = TypeVar("C", bound=type)


def inherits_docstrings(base: type) -> Callable[[C], C]:
    """Return a class decorator that copies the docstrings of the public members of `base`.

    `inspect.getdoc` finds docstrings of base classes, but not those of a `Protocol` that a class
    implements without inheriting from it, and ``__doc__`` is empty in both cases.

    Parameters
    ----------
    base : type
        Base class or protocol whose members have docstrings.

    Returns
    -------
    callable
        Class decorator; it does not replace existing docstrings.
    """

    def decorate(cls: C) -> C:
        copy_docstrings(base, cls)
        return cls

    return decorate


def copy_docstrings(base: type, cls: type) -> None:
    """Copy docstrings of the public members of `base` to those of `cls` that have none."""
    for name, member in vars(cls).items():
        documentable = inspect.isfunction(member) or isinstance(member, property)
        public = not name.startswith("_") and hasattr(base, name)
        if documentable and public and member.__doc__ is None:
            member.__doc__ = getattr(base, name).__doc__
