"""Folder of analyses, found by what they were computed from."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.json_types import as_json
from nmfaudio._common.log import LOGGER
from nmfaudio._common.validation import is_integer, shown
from nmfaudio._version import __version__
from nmfaudio.errors import AudioFileError, ParameterError
from nmfaudio.transcription.analysis import Analysis

if TYPE_CHECKING:
    from nmfaudio.dictionaries.dictionary import Dictionary

_BYTES = 16  # of a key
_ADDRESS = re.compile(r" at 0x[0-9a-f]+>")  # in the repr of an object without one of its own


def audio_digest(y: np.ndarray, sr: int) -> str:
    """Compute the hash of samples and their rate.

    Parameters
    ----------
    y : np.ndarray [shape=(channel, sample)]
    sr : int
        In Hz.

    Returns
    -------
    str
        Hexadecimal.

    Examples
    --------
    >>> audio_digest(np.zeros((1, 8)), 8000) == audio_digest(np.zeros((1, 8)), 8001)
    False
    """
    value = hashlib.blake2b(f"{y.shape} {y.dtype} {sr}".encode(), digest_size=_BYTES)
    value.update(np.ascontiguousarray(y).data.cast("B"))
    return value.hexdigest()


def dictionary_digest(dictionary: Dictionary) -> str:
    """Compute the hash of the content of a dictionary.

    Parameters
    ----------
    dictionary : Dictionary

    Returns
    -------
    str
        Hexadecimal.
    """
    templates = dictionary.templates
    facts = (
        *(templates.shape, templates.dtype, dictionary.labels, dictionary.pitches),
        *(dictionary.transform.to_dict(), dictionary.beta_loss, dictionary.kind),
        as_json(dictionary.metadata),
    )
    value = hashlib.blake2b(repr(facts).encode(), digest_size=_BYTES)
    value.update(np.ascontiguousarray(templates).data.cast("B"))
    return value.hexdigest()


def described(value: Any, *, without: tuple[str, ...] = ()) -> Any:
    """Describe settings by their classes and values.

    Parameters
    ----------
    value : Any
        Dataclasses and what they hold.
    without : tuple of str
        Fields of the outermost dataclass that are left out.

    Returns
    -------
    Any
        JSON-serialisable.

    Raises
    ------
    ParameterError
        An object has no value to compare, such as a function.

    Examples
    --------
    >>> described((1, 0.5, "hmm"))
    [1, 0.5, 'hmm']
    """
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value) if field.name not in without]
        content = {name: described(getattr(value, name)) for name in names}
        return {"class": f"{type(value).__module__}.{type(value).__qualname__}"} | content
    if isinstance(value, Mapping):
        return {str(key): described(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [described(item) for item in value]
    if isinstance(value, np.ndarray):
        return audio_digest(value, 0)
    plain = as_json(value, nonfinite="text")
    if isinstance(plain, str) and _ADDRESS.search(plain):
        raise ParameterError(
            f"the setting {shown(value)} cannot be told from another object; make its class a "
            "frozen dataclass, or omit cache"
        )
    return plain


def analysis_key(y: np.ndarray, sr: int, dictionary: Dictionary, settings: Any, rng: Any) -> str:
    """Compute the name of an analysis: a hash of all that it depends on.

    Parameters
    ----------
    y : np.ndarray [shape=(channel, sample)]
    sr : int
        In Hz.
    dictionary : Dictionary
    settings : Any
        JSON-serialisable settings of transcriber and model.
    rng : int
        Seed.

    Returns
    -------
    str
        Hexadecimal.

    Raises
    ------
    ParameterError
        The seed is no integer.
    """
    if not is_integer(rng):
        raise ParameterError(f"rng is {shown(rng)}; with a cache it must be an integer, the seed")
    facts = [audio_digest(y, sr), dictionary_digest(dictionary), settings, int(rng), __version__]
    text = json.dumps(facts, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=_BYTES).hexdigest()


def cached(folder: str | os.PathLike[str], key: str, compute: Callable[[], Analysis]) -> Analysis:
    """Load an analysis from a folder, or compute it and save it there.

    Several processes may share a folder: files appear complete or not at all.

    Parameters
    ----------
    folder : str or os.PathLike
        Created if it is missing.
    key : str
        As of `analysis_key`.
    compute : callable
        Computes the analysis.

    Returns
    -------
    Analysis

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    path = Path(folder) / f"{key}.npz"
    if path.exists():
        try:
            return Analysis.load(path)
        except AudioFileError as error:  # damaged: computed again
            LOGGER.warning("%s", error)
    analysis = compute()
    analysis.save(path, overwrite=True)
    return analysis
