"""Settings of transcribers, models and decodings as JSON-serialisable values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any


def plain_settings(settings: Any, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Fields of a dataclass as JSON-serialisable values; of anything else, its repr."""
    if not _is_settings(settings):
        return {"kind": repr(settings)}
    names = (field.name for field in fields(settings) if field.name not in without)
    return {name: _plain(getattr(settings, name)) for name in names}


def _is_settings(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, type)


def _plain(value: Any) -> Any:
    """`value` as JSON-serialisable values; JSON has no infinite numbers, so those are strings."""
    if _is_settings(value):
        return plain_settings(value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, bool | int | str | None) else repr(value)
