"""Reading of JSON files that users write."""

from __future__ import annotations

import json
import os
from typing import Any

from nmfaudio._common.files.names import show
from nmfaudio._common.files.sources import read_bytes
from nmfaudio.errors import AudioFileError

_MAX_BYTES = 64 * 2**20


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a JSON file.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    Any
        Its content.

    Raises
    ------
    AudioFileError
        It cannot be read, is larger than 64 MiB, is not JSON, or has an object with a key twice.
    """
    try:
        return json.loads(read_bytes(path, _MAX_BYTES), object_pairs_hook=_object)
    except AudioFileError:
        raise
    except ValueError as error:
        raise AudioFileError(f"{show(path)}: is not JSON: {error}; correct it") from None
    except RecursionError:
        raise AudioFileError(f"{show(path)}: is nested too deeply; correct it") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object; of two equal keys, `json` would drop the first without a word."""
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in content if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    return content
