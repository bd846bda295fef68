"""Reading of saved models, with a check of all that separators use of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from nmfaudio._common.files import show
from nmfaudio._common.files.sources import MALFORMED
from nmfaudio._common.validation import as_count, as_number, as_sample_rate, shown
from nmfaudio.audio.transforms import rows_in, transform_from
from nmfaudio.errors import AudioFileError, ParameterError
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.separators.denoise import RETURNED
from nmfaudio.separators.saved_fits import unpack
from nmfaudio.symbolic.note import Note

_HIGHEST_POWER = 16.0
_MOST = 2**31 - 1


def load_model(path: str | os.PathLike[str]) -> Decomposition:
    """Load the model of a separator, and check its metadata as a whole.

    Parameters
    ----------
    path : str or os.PathLike
        File that `Decomposition.save` wrote.

    Returns
    -------
    Decomposition

    Raises
    ------
    AudioFileError
        The file cannot be read, is not a decomposition, or has metadata that no separator writes.
    """
    model = Decomposition.load(path)
    metadata = model.metadata
    checks: dict[str, Callable[[Any, Decomposition], object]] = {
        "transform": _check_transform,
        "sources": _check_sources,
        "settings": _check_settings,
        "fit": _check_fit,
        "notes": _check_notes,
        RETURNED: lambda value, model: as_number(value, RETURNED, low=0),
    }
    for name, check in checks.items():
        try:
            if name in metadata:
                check(metadata[name], model)
        except MALFORMED as error:
            raise AudioFileError(
                f"{show(path)}: not a usable model: its {name} cannot be read: {error}; save it "
                "again"
            ) from None
    return model


def _check_transform(value: Any, model: Decomposition) -> None:
    """Check that the transform can be made, and fits the templates."""
    parameters = _mapping(value)
    as_sample_rate(parameters.get("sr"))
    if as_number(parameters.get("power", 1), "power", above=0) > _HIGHEST_POWER:
        raise ParameterError(f"power must be at most {_HIGHEST_POWER:g}")
    # Before the transform is made: one with billions of bands would take all memory.
    rows, needed = rows_in(parameters), model.W.shape[-2]
    if rows != needed:
        raise ParameterError(f"it has {rows} rows, the templates have {needed}")
    transform_from(parameters)


def _check_sources(value: Any, model: Decomposition) -> None:
    """Check that stems have components of the model, each in one stem."""
    if value is None:
        return
    high = model.n_components - 1
    taken: set[int] = set()
    for name, group in _mapping(value).items():
        components = _mapping(group)["components"]
        if not isinstance(components, list):
            raise ParameterError(f"components of {shown(name)} are {shown(components)}")
        numbers = [as_count(k, "a component", low=0, high=high) for k in components]
        if len(set(numbers)) < len(numbers) or taken & set(numbers):
            raise ParameterError(f"components of {shown(name)} are listed twice")
        taken |= set(numbers)


def _check_settings(value: Any, model: Decomposition) -> None:
    """Check that settings have names."""
    _mapping(value)


def _check_fit(value: Any, model: Decomposition) -> None:
    """Check that the fit can be made, and that its numbers are some."""
    if value is None:
        return
    fit = unpack(_mapping(value))
    for field in fields(fit):  # type: ignore[arg-type]
        number = getattr(fit, field.name)
        if field.type == "int":
            as_count(number, field.name, low=0, high=_MOST)
        elif field.type == "float":
            as_number(number, field.name, low=0)


def _check_notes(value: Any, model: Decomposition) -> None:
    """Check that all notes can be made."""
    for values in value:
        Note(*values)


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ParameterError(f"it is {shown(value)}, not an object")
    return value
