"""Record of what results were made from, kept beside them for ``--skip-existing``."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from nmfaudio._common.json_types import as_json
from nmfaudio._version import __version__
from nmfaudio.cli.failures import printable
from nmfaudio.errors import AudioFileError, OutputError

PREFIX = ".nmfaudio-"
"""Beginning of the name of the file; the dot hides it."""

_BLOCK = 2**20  # bytes


def digest(file: str | BinaryIO) -> str:
    """Hash of the content of a file."""
    value = hashlib.blake2b(digest_size=16)
    try:
        with nullcontext(file) if not isinstance(file, str) else open(file, "rb") as opened:
            opened.seek(0)
            while block := opened.read(_BLOCK):
                value.update(block)
            opened.seek(0)
    except OSError as error:
        from nmfaudio._common.files import show

        raise AudioFileError(f"{show(file)}: cannot be read: {error.strerror}") from None
    return value.hexdigest()


def describe_settings(settings: Mapping[str, Any], written: Iterable[str]) -> dict[str, Any]:
    """Settings by their flags, and hashes of the files and folders that they name.

    Parameters
    ----------
    settings : mapping of str to Any
    written : iterable of str
        Flags that name files to write.

    Returns
    -------
    dict
        JSON-serialisable: ``settings`` and ``files``.
    """
    plain = as_json(settings, nonfinite="text")
    read = {flag: value for flag, value in plain.items() if flag not in written}
    return {"settings": plain, "files": dict(_named_files(read))}


def write_record(
    path: Path, made_from: Mapping[str, Any], results: Iterable[Path], source: str | None
) -> None:
    """Write the record of results.

    Parameters
    ----------
    path : Path
        File of the record; an existing one is replaced.
    made_from : mapping
        JSON-serialisable description of the input and the settings.
    results : iterable of Path
        Files that were written.
    source : str or None
        Path of the input, None for standard input.

    Raises
    ------
    OutputError
        The record cannot be written.
    """
    from nmfaudio._common.files import write_bytes
    from nmfaudio._common.files.staging import staged_path

    # Relative paths: the whole folder may be moved.
    sizes = {
        os.path.relpath(file, path.parent): os.path.getsize(staged_path(file)) for file in results
    }
    place = None
    if source is not None:
        place = os.path.relpath(os.path.realpath(source), os.path.realpath(path.parent))
    content = {"nmfaudio": __version__, **made_from, "source": place, "results": sizes}
    write_bytes(path, json.dumps(content, indent=1).encode() + b"\n", overwrite=True)


def discard_record(path: Path) -> None:
    """Remove the record of results that are about to be replaced.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OutputError
        The record cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        reason = f"cannot be removed: {error.strerror}; choose another --output"
        raise OutputError(f"{printable(str(path))}: {reason}") from None


def recorded_results(path: Path) -> list[Path]:
    """Files of a record that exist; none if there is no readable record.

    Parameters
    ----------
    path : Path
        File of the record.

    Returns
    -------
    list of Path
    """
    try:
        names = list(json.loads(path.read_bytes())["results"])
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [file for file in (path.parent / name for name in names) if file.is_file()]


def maker(result: Path, folder: Path) -> str | None:
    """Return the command that made a file, from the records in a folder, if one has it.

    Parameters
    ----------
    result : Path
    folder : Path

    Returns
    -------
    str or None
    """
    for record in sorted(folder.glob(f"{PREFIX}*.json")):
        if result in recorded_results(record):
            return str(json.loads(record.read_bytes()).get("command"))
    return None


def difference(path: Path, made_from: Mapping[str, Any]) -> str | None:
    """Compare the record of results with a run.

    Parameters
    ----------
    path : Path
        File of the record.
    made_from : mapping
        Description of the input and the settings of the run.

    Returns
    -------
    str or None
        None if the results are complete, and the run would make them again; else the difference,
        in a phrase that continues "exists, but".
    """
    try:
        record = json.loads(path.read_bytes())
        results = {path.parent / name: size for name, size in record["results"].items()}
        version, before = record["nmfaudio"], {key: record[key] for key in made_from}
        source, settings = before["input"], dict(before["settings"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "nothing tells its settings"
    for file, size in results.items():
        if not file.is_file() or file.stat().st_size != size:
            return f"{printable(str(file))} is missing or has changed"
    if version != __version__:
        return f"nmfaudio {version} made it"
    if source != made_from["input"]:
        return "another input made it"
    if settings != made_from["settings"]:
        return f"other settings made it ({settings_difference(settings, made_from['settings'])})"
    if before != made_from:
        return "other files of examples, notes or templates made it"
    return None


def settings_difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """First setting that differs between two runs, in words.

    Parameters
    ----------
    before, now : mapping of str to Any
        Settings by their flags.

    Returns
    -------
    str
    """
    for flag in dict.fromkeys([*before, *now]):
        if before.get(flag) != now.get(flag):
            return printable(f"{flag} was {_shown(before.get(flag))}, is {_shown(now.get(flag))}")
    return "none"


def _shown(value: Any) -> str:
    """Value of an option in words."""
    if value is None or value == []:
        return "not given"
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(map(_shown, value)) if isinstance(value, list) else str(value)


def _named_files(value: Any) -> Iterator[tuple[str, str]]:
    """Files and folders that strings name, with a hash each."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _named_files(item)
    elif isinstance(value, str) and "\0" not in value:
        for name in (value, value.rpartition("@")[0]):  # PATH@FROM-TO is a part of a file
            if os.path.isfile(name):
                yield name, digest(name)
            elif os.path.isdir(name):
                yield name, _folder_digest(name)


def _folder_digest(folder: str) -> str:
    """Hash of the names, sizes and times of the files in a folder."""
    value = hashlib.blake2b(digest_size=16)
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            facts = path.stat()
            entry = (os.fspath(path.relative_to(folder)), facts.st_size, facts.st_mtime_ns)
            value.update(repr(entry).encode())
    return value.hexdigest()
