"""Results on disk: arrays and facts in files that are complete or absent."""

from __future__ import annotations

import json
import math
import os
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nmfaudio._common.files import show
from nmfaudio._common.files.archive import open_member
from nmfaudio._common.files.staging import new_file, staged
from nmfaudio.errors import AudioFileError

_FACTS = "facts.json"
_SUFFIX = ".npy"
_ZEROS = 2**20  # bytes that are written at once


class Stored(NamedTuple):
    """Content of a file: JSON types, and arrays by name."""

    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]


def save(path: Path, content: Stored) -> None:
    """Write a file; equal content makes equal bytes."""
    with (
        staged([path], overwrite=True) as names,
        new_file(names[path], path) as file,
        zipfile.ZipFile(file, "w") as pack,
    ):
        with open_member(pack, _FACTS) as member:
            member.write(json.dumps(content.facts, sort_keys=True).encode())
        for name, array in content.arrays.items():
            with open_member(pack, name + _SUFFIX) as member:
                np.lib.format.write_array(member, array, (1, 0), allow_pickle=False)


def load(path: Path, only: Collection[str] | None = None) -> Stored | None:
    """Read some arrays of a file, or all; None if it does not exist, or these are damaged.

    Each array has a checksum. Arrays that the file does not have are left out.
    """
    try:
        with zipfile.ZipFile(path) as pack:
            facts = json.loads(pack.read(_FACTS))
            members = [name for name in pack.namelist() if name.endswith(_SUFFIX)]
            names = [name.removesuffix(_SUFFIX) for name in members]
            read = [name for name in names if only is None or name in only]
            return Stored(facts, {name: _array(pack, name + _SUFFIX) for name in read})
    except (FileNotFoundError, zipfile.BadZipFile, KeyError, ValueError, EOFError, zlib.error):
        return None
    except OSError as error:
        raise AudioFileError(f"{show(path)}: {os.strerror(error.errno or 0)}") from None


def save_array(path: Path, array: np.ndarray) -> None:
    """Write an array that is read in slices, as a plain ``.npy`` file."""
    with staged([path], overwrite=True) as names, new_file(names[path], path) as file:
        np.lib.format.write_array(file, array, (1, 0), allow_pickle=False)


def create_array(
    temporary: Path, target: Path, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> None:
    """Create a plain ``.npy`` file of zeros, to be mapped into memory and filled.

    The zeros are written: in a file with holes, a full disk would end the process that fills them.
    """
    with new_file(temporary, target) as file:
        np.lib.format.write_array_header_1_0(
            file, {"shape": shape, "fortran_order": False, "descr": dtype.str}
        )
        size = math.prod(shape) * dtype.itemsize
        for start in range(0, size, _ZEROS):
            file.write(bytes(min(_ZEROS, size - start)))


def _array(pack: zipfile.ZipFile, name: str) -> np.ndarray:
    with pack.open(name) as member:
        array: np.ndarray = np.lib.format.read_array(member, allow_pickle=False)
    return array
