"""Equality of results that hold arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


class EqualByContent:
    """Base of dataclasses that are equal if all their fields are, arrays and NaN included.

    ``==`` of the fields themselves would raise an error for arrays, and be False for NaN. Derived
    dataclasses are declared with ``eq=False``; they cannot be hashed.
    """

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return equal(self, other)

    __hash__ = None  # type: ignore[assignment]  # arrays may change


def equal(a: Any, b: Any) -> bool:
    """Return whether two objects have equal content.

    Parameters
    ----------
    a, b : Any
        Arrays are equal if shapes and values are, mappings regardless of order; NaN equals NaN.
        Containers and dataclasses are compared item by item.

    Returns
    -------
    bool

    Examples
    --------
    >>> equal({"a": [np.ones(2), float("nan")]}, {"a": [np.ones(2), float("nan")]})
    True
    >>> equal(np.ones(2), np.ones(3))
    False
    """
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return _equal_arrays(a, b)
    if is_dataclass(a) and type(a) is type(b):
        pairs = ((getattr(a, f.name), getattr(b, f.name)) for f in fields(a) if f.compare)
        return all(equal(x, y) for x, y in pairs)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b) or (a != a and b != b)  # NaN


def _equal_arrays(a: Any, b: Any) -> bool:
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
        return False
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc")
