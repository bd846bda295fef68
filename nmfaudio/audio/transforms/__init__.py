"""Time-frequency transforms, each with its inverse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nmfaudio._common.registry import Registry
from nmfaudio.audio.transforms.base import Transform
from nmfaudio.audio.transforms.cqt import Cqt
from nmfaudio.audio.transforms.filterbank import Erb, Mel
from nmfaudio.audio.transforms.stft import Stft, default_n_fft
from nmfaudio.errors import ParameterError

__all__ = [
    "TRANSFORMS",
    "Cqt",
    "Erb",
    "Mel",
    "Stft",
    "Transform",
    "default_n_fft",
    "rows_in",
    "saved_parameters",
    "transform_from",
]

TRANSFORMS = Registry(
    "transform", "kind", ("forward_blocks", "lift", "to_dict"), (Stft, Mel, Erb, Cqt)
)
"""Transforms by their name in saved models."""


def transform_from(parameters: Mapping[str, Any]) -> Transform:
    """Build a transform from the result of its `to_dict`.

    Parameters
    ----------
    parameters : mapping
        As saved with a model. Without ``"kind"``, as in early models, they are those of an `Stft`.

    Returns
    -------
    Transform

    Raises
    ------
    ParameterError
        The kind is unknown, or does not take these parameters.

    Examples
    --------
    >>> mel = Mel(16000, n_mels=40)
    >>> transform_from(mel.to_dict()) == mel
    True
    """
    transform_class, fields = _class_and_fields(parameters)
    transform: Transform = TRANSFORMS.unpack(transform_class.kind, fields)
    return transform


def saved_parameters(transform: Transform) -> dict[str, Any]:
    """Return the `to_dict` of a transform for a file that can be loaded.

    Parameters
    ----------
    transform : Transform

    Returns
    -------
    dict

    Raises
    ------
    ParameterError
        Its class is not registered (see `nmfaudio.register`), or its parameters make another
        transform.

    Examples
    --------
    >>> saved_parameters(Mel(16000, n_mels=40))["n_mels"]
    40
    """
    TRANSFORMS.require(transform)
    parameters = transform.to_dict()
    if transform_from(parameters) != transform:
        raise ParameterError(
            f"{type(transform).__name__} cannot be saved: its to_dict() {parameters} makes another "
            "transform; return all of its parameters"
        )
    return parameters


def rows_in(parameters: Mapping[str, Any]) -> int:
    """Number of rows of the features with these parameters, without building the transform.

    Parameters
    ----------
    parameters : mapping
        As for `transform_from`. Building a transform of a damaged file could take all memory.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        The kind is unknown, or the number is not an integer.

    Examples
    --------
    >>> rows_in({"kind": "mel", "sr": 16000, "n_mels": 40}), rows_in({"sr": 8000, "n_fft": 512})
    (40, 257)
    """
    transform_class, fields = _class_and_fields(parameters)
    try:
        return int(transform_class.rows_in(fields))
    except (TypeError, ValueError, OverflowError) as error:
        raise ParameterError(
            f"{transform_class.kind} does not take the parameters {fields}: {error}"
        ) from None


def _class_and_fields(parameters: Mapping[str, Any]) -> tuple[type[Any], dict[str, Any]]:
    """Class that parameters belong to, and the parameters without their kind."""
    fields = dict(parameters)
    kind = fields.pop("kind", Stft.kind)
    return TRANSFORMS.named(kind), fields
