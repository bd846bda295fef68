"""Conversion of settings and results to JSON types."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any, Literal

NonFinite = Literal["keep", "null", "text"]


def as_json(value: Any, *, nonfinite: NonFinite = "keep") -> Any:
    """Convert a value to JSON types, recursively.

    Parameters
    ----------
    value : Any
        Mappings become dicts with text keys, tuples and lists become lists, paths become text, and
        NumPy scalars become Python numbers. Anything else that JSON cannot represent, such as an
        array, becomes its ``repr``.
    nonfinite : {"keep", "null", "text"}
        Treatment of NaN and infinity, which JSON has no number for: keep them as floats, replace
        them by text such as ``"inf"``, or do that but replace NaN by None.

    Returns
    -------
    Any
        Composed of dict, list, str, int, float, bool and None only.

    Examples
    --------
    >>> as_json({1: (0.5, float("inf"))}, nonfinite="text")
    {'1': [0.5, 'inf']}
    """
    if isinstance(value, Mapping):
        return {str(key): as_json(item, nonfinite=nonfinite) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [as_json(item, nonfinite=nonfinite) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if getattr(value, "shape", None) == ():  # a NumPy scalar, without importing NumPy
        value = value.item()
    if isinstance(value, float):
        return value if nonfinite == "keep" or math.isfinite(value) else _replaced(value, nonfinite)
    return value if value is None or isinstance(value, bool | int | str) else repr(value)


def _replaced(value: float, nonfinite: NonFinite) -> str | None:
    return None if nonfinite == "null" and math.isnan(value) else str(value)
