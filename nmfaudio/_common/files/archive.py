"""Model files: named arrays and a JSON header in an ``.npz`` file without pickle.

``numpy.load`` reads the arrays. The file has the member ``header.json`` and one ``.npy`` member for
each array listed in the header. No member is compressed, so that none can expand beyond the size of
the file. Equal content has equal bytes.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nmfaudio._common.files.names import show
from nmfaudio._common.files.sources import Source, close_source, open_source
from nmfaudio._common.files.staging import new_file, staged
from nmfaudio._common.validation import shown
from nmfaudio.errors import AudioFileError, ParameterError

VERSION = 1
"""Version of the format; files of other versions are refused."""

_HEADER = "header.json"
_MAGIC = b"\x93NUMPY\x01\x00"
_MAX_HEADER_BYTES = 16 * 2**20
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_TYPES = ("<f4", "<f8")
_RESERVED_KEYS = ("format", "version", "arrays")


def save_archive(
    path: str | os.PathLike[str],
    header: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    *,
    overwrite: bool = False,
) -> Path:
    """Save non-negative arrays with a header.

    Parameters
    ----------
    path : str or os.PathLike
    header : mapping
        JSON-serialisable; its ``"kind"`` is checked when the file is loaded.
    arrays : mapping of str to np.ndarray
        float32 or float64, finite and non-negative. Names consist of letters, digits and ``_.-``.
    overwrite : bool
        Whether to replace an existing file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ParameterError
        The header or an array cannot be stored.
    OutputError
        The file exists or cannot be written.
    """
    ready = {name: _storable(name, arrays[name]) for name in sorted(arrays)}
    text = _header_text(header, ready)
    target = Path(path)
    with (
        staged([target], overwrite=overwrite) as names,
        new_file(names[target], target) as file,
        zipfile.ZipFile(file, "w") as pack,
    ):
        with open_member(pack, _HEADER) as member:
            member.write(text)
        for name, array in ready.items():
            with open_member(pack, f"{name}.npy") as member:
                np.lib.format.write_array(member, array, (1, 0), allow_pickle=False)
    return target


def load_archive(path: Source, *, kind: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Load a file written by `save_archive`, checking all of its content.

    Parameters
    ----------
    path : str, bytes, os.PathLike or binary file object
    kind : str
        Expected ``"kind"`` of the header.

    Returns
    -------
    header : dict
        As saved.
    arrays : dict of str to np.ndarray

    Raises
    ------
    AudioFileError
        The file cannot be read, is not such an archive, or is of another kind or version.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "model.npz")
    ...     _ = save_archive(path, {"kind": "toy", "sr": 8000}, {"W": np.ones((3, 2))})
    ...     header, arrays = load_archive(path, kind="toy")
    >>> header["sr"], arrays["W"].shape
    (8000, (3, 2))
    """
    file, size = open_source(path)
    label = show(path)
    try:
        with zipfile.ZipFile(file) as pack:
            members = _members(pack, size)
            header = _read_header(pack, members, kind)
            listed = header.pop("arrays")
            if {f"{name}.npy" for name in listed} | {_HEADER} != set(members):
                raise _Refusal("its members are not those that its header lists")
            arrays = {
                name: _read_array(pack, members[f"{name}.npy"], listed[name]) for name in listed
            }
    except _Refusal as refusal:
        raise AudioFileError(f"{label}: not a usable model file: {refusal}") from None
    # ValueError, OverflowError and struct.error come from names and sizes, as do some OSError.
    except (
        zipfile.BadZipFile,
        OSError,
        EOFError,
        RuntimeError,
        ValueError,
        OverflowError,
        struct.error,
    ) as error:
        cause = error.__context__ if isinstance(error, zipfile.BadZipFile) else error
        number = getattr(cause, "errno", None)
        if number not in (None, errno.EINVAL):
            raise AudioFileError(f"{label}: {os.strerror(number)}") from None
        raise AudioFileError(
            f"{label}: not a model file, or a damaged one; need a file saved by nmfaudio"
        ) from None
    finally:
        if file is not path:
            close_source(file)
    return {key: value for key, value in header.items() if key not in _RESERVED_KEYS}, arrays


class _Refusal(Exception):
    """Reason for refusing a file."""


def _storable(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Contiguous little-endian copy or view of an array, after checking its type and values."""
    array = np.asarray(array)
    if not _NAME.fullmatch(name):
        raise ParameterError(f"array name {name!r}: need letters, digits and _.- only")
    if array.dtype.newbyteorder("=") not in (np.float32, np.float64):
        raise ParameterError(f"array {name!r} is {array.dtype}; need float32 or float64")
    if not _is_valid(array):
        raise ParameterError(
            f"array {name!r} has negative, NaN or infinite values; need finite ones >= 0"
        )
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)


def _is_valid(array: NDArray[Any]) -> bool:
    """Return whether all values are finite and non-negative."""
    # NaN makes both comparisons false.
    return not array.size or bool(array.min() >= 0 and array.max() < np.inf)


def _header_text(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """JSON text of the header and the list of arrays."""
    if taken := [key for key in _RESERVED_KEYS if key in header]:
        raise ParameterError(f"header key {taken[0]!r} is reserved; choose another")
    if not isinstance(header.get("kind"), str):
        raise ParameterError("header has no 'kind'; need a text that names the type of file")
    listed = {
        name: {"shape": list(array.shape), "dtype": array.dtype.str}
        for name, array in arrays.items()
    }
    content = {"format": "nmfaudio", "version": VERSION, "arrays": listed, **header}
    try:
        return json.dumps(content, allow_nan=False, sort_keys=True, indent=1).encode()
    except (TypeError, ValueError) as error:
        raise ParameterError(f"header is not JSON-serialisable: {error}") from None


def open_member(pack: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Open a new member whose metadata depend on neither the time nor the system."""
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.create_system = 3  # Unix, on every system
    info.external_attr = 0o644 << 16
    return pack.open(info, "w", force_zip64=True)


def _members(pack: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """Members by name, after checking that their sizes fit the file."""
    infos = pack.infolist()
    members = {info.filename: info for info in infos}
    if _HEADER not in members or len(members) != len(infos):
        raise _Refusal(f"it has no {_HEADER}, or a member twice; need a file saved by nmfaudio")
    if any(info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 for info in infos):
        raise _Refusal("it is compressed or encrypted; need a file as saved by nmfaudio")
    if any(info.file_size != info.compress_size for info in infos):
        raise _Refusal("the sizes of a member contradict each other")
    if sum(info.file_size for info in infos) > size:
        raise _Refusal(f"its members declare more than the {size} bytes of the file")
    return members


def _read_header(
    pack: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], kind: str
) -> dict[str, Any]:
    """Header of an archive, after checking format, version and kind."""
    if members[_HEADER].file_size > _MAX_HEADER_BYTES:
        raise _Refusal(f"its header has over {_MAX_HEADER_BYTES} bytes")
    try:
        header = json.loads(pack.read(_HEADER))
    except (ValueError, RecursionError):
        raise _Refusal("its header is not JSON") from None
    if not isinstance(header, dict) or header.get("format") != "nmfaudio":
        raise _Refusal("its header is not of nmfaudio")
    if header.get("version") != VERSION:
        raise _Refusal(
            f"it has format version {shown(header.get('version'))}, but only {VERSION} is "
            "supported; save it again with this version of nmfaudio"
        )
    if header.get("kind") != kind:
        raise _Refusal(f"its kind is {shown(header.get('kind'))}; need {kind!r}")
    listed = header.get("arrays")
    if not isinstance(listed, dict) or not all(map(_NAME.fullmatch, listed)):
        raise _Refusal("its header does not list the arrays")
    return header


def _read_array(pack: zipfile.ZipFile, info: zipfile.ZipInfo, listed: Any) -> NDArray[Any]:
    """Array of a member, after checking it against the header."""
    name = info.filename
    shape, dtype = _listed_array(name, listed)
    content = pack.read(name)
    if content[: len(_MAGIC)] != _MAGIC:
        raise _Refusal(f"{name} is not an array saved by nmfaudio")
    start = len(_MAGIC) + 2 + int.from_bytes(content[len(_MAGIC) : len(_MAGIC) + 2], "little")
    # Compared, not parsed: NumPy parses it as Python, with all limits and warnings of that.
    described = f"{{'descr': {dtype.str!r}, 'fortran_order': False, 'shape': {shape}, }}"
    if content[len(_MAGIC) + 2 : start].decode("latin1").strip() != described:
        raise _Refusal(f"{name} is not the array that the header describes")
    if len(content) - start != math.prod(shape) * dtype.itemsize:
        raise _Refusal(f"{name} does not have the size of its shape {shape}")
    array = np.frombuffer(content, dtype=dtype, offset=start).reshape(shape)
    if not _is_valid(array):
        raise _Refusal(f"{name} has values that are negative, NaN or infinite")
    return array.astype(dtype.newbyteorder("="))


def _listed_array(name: str, listed: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array as listed in the header."""
    if not isinstance(listed, dict) or listed.get("dtype") not in _TYPES:
        raise _Refusal(f"{name} is not listed as float32 or float64")
    shape = listed.get("shape")
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise _Refusal(f"{name} is listed with the shape {shown(shape)}")
    return tuple(shape), np.dtype(listed["dtype"])
