"""Settings of transcribers, models and decodings: their names and JSON-serialisable values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from nmfaudio._common.settings import check_settings
from nmfaudio.errors import ParameterError

T = TypeVar("T")


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


def setting_names(settings: object) -> list[str]:
    """Names of the fields of a dataclass; none of anything else."""
    if not is_dataclass(settings) or isinstance(settings, type):
        return []
    return [entry.name for entry in fields(settings) if entry.init]


def split_settings(
    model: object, decoding: object, settings: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide settings into those of a model and those of a decoding.

    Parameters
    ----------
    model, decoding : object
    settings : mapping of str to Any
        Names, after ``model.`` or ``decoding.`` where both have one.

    Returns
    -------
    model, decoding : dict

    Raises
    ------
    UnknownSettingError
        Neither has a setting.
    ParameterError
        Both have it.
    """
    known = {"model": setting_names(model), "decoding": setting_names(decoding)}
    divided: dict[str, dict[str, Any]] = {"model": {}, "decoding": {}}
    for name, value in settings.items():
        owner, _, field_name = name.rpartition(".")
        owners = [owner] if owner else [each for each in known if field_name in known[each]]
        if owner not in ("", *known) or not owners:
            check_settings("the transcriber", [name], [*known["decoding"], *known["model"]])
        if len(owners) > 1:
            raise ParameterError(
                f"model and decoding have a setting {name!r}; write model.{name} or decoding.{name}"
            )
        check_settings(f"the {owners[0]}", [field_name], known[owners[0]])
        divided[owners[0]][field_name] = value
    return divided["model"], divided["decoding"]


def changed_settings(settings: T, changes: Mapping[str, Any], owner: str = "the decoding") -> T:
    """Return a model or decoding with some settings replaced."""
    if not changes:
        return settings
    check_settings(owner, changes, setting_names(settings))
    changed: T = replace(settings, **changes)  # type: ignore[type-var]
    return changed
