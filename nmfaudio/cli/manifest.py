"""Manifest of a batch: one line for each file that was processed, from which it can be resumed."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nmfaudio._common.files import system
from nmfaudio._common.json_types import as_json
from nmfaudio._version import __version__
from nmfaudio.cli.failures import printable
from nmfaudio.cli.record import settings_difference
from nmfaudio.errors import AudioWarning, OutputError

PREFIX = ".nmfaudio-batch"
"""Beginning of the names of manifests, of which each shard has one."""


class Manifest:
    """Manifest of one shard of a batch, and what the others have finished.

    Parameters
    ----------
    path : Path
    descriptor : int
        Of the file, open for appending.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        found = {file: list(_lines(file)) for file in _manifests(path.parent)}
        # Runs that finished no file have left nothing that another run could be mixed with.
        begun = {file: lines for file, lines in found.items() if any(map(_is_finished, lines))}
        self.begun = path in begun or self.parts.is_dir()
        self.entries = {
            each["key"]: each for lines in found.values() for each in lines if "key" in each
        }
        self.headers = [each for lines in begun.values() for each in lines if "command" in each]

    @property
    def parts(self) -> Path:
        """Folder for the parts of long files, which belongs to the process with this manifest."""
        return self.path.with_name(f"{self.path.stem}-parts")

    def difference(self, header: Mapping[str, Any]) -> str | None:
        """Compare earlier runs with this one.

        Parameters
        ----------
        header : mapping
            Line about this run.

        Returns
        -------
        str or None
            None if all had the same command and settings, else the first difference.
        """
        for earlier in self.headers:
            if earlier["command"] != header["command"]:
                return f"was made by nmfaudio batch {earlier['command']}"
            if earlier.get("nmfaudio") != header["nmfaudio"]:
                return f"was made by nmfaudio {earlier.get('nmfaudio')}"
            if earlier.get("settings") != header["settings"]:
                change = settings_difference(earlier.get("settings", {}), header["settings"])
                return f"was made with other settings ({change})"
            if earlier.get("files") != header["files"]:
                return "was made with other files of examples, notes or templates"
        return None

    def is_done(self, key: str) -> bool:
        """True if a file was processed, and all results are there in the size they had.

        Parameters
        ----------
        key : str
            Result of `fingerprint`.

        Returns
        -------
        bool
        """
        entry = self.entries.get(key)
        if entry is None or entry["exit_code"] != 0:
            return False
        folder = self.path.parent
        return all(_size(folder / name) == size for name, size in entry["results"].items())

    def restart(self) -> None:
        """Forget all earlier runs; those of other shards remain."""
        os.ftruncate(self._descriptor, 0)
        self.entries, self.headers = {}, []

    def append(self, line: Mapping[str, Any]) -> None:
        """Write a line to the disk.

        Parameters
        ----------
        line : mapping
            JSON-serialisable.

        Raises
        ------
        OutputError
            The disk is full, for instance.
        """
        text = json.dumps(as_json(line, nonfinite="text")) + "\n"
        try:
            _write(self._descriptor, text.encode())
            os.fsync(self._descriptor)
        except OSError as error:
            raise OutputError(
                f"{printable(str(self.path))}: cannot be written: {error.strerror}; free space,"
                " and run again with --resume"
            ) from None


@contextmanager
def open_manifest(folder: Path, shard: tuple[int, int] | None = None) -> Iterator[Manifest]:
    """Open the manifest of a shard for this process alone.

    Parameters
    ----------
    folder : Path
        Folder of all results; created if it does not exist.
    shard : tuple of (int, int), optional
        Number of the shard from 1 on, and number of shards.

    Yields
    ------
    Manifest

    Raises
    ------
    OutputError
        Another process has it open, or it cannot be written.
    """
    name = PREFIX if shard is None else f"{PREFIX}-{shard[0]}-of-{shard[1]}"
    path = folder / f"{name}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | system.BINARY, 0o666)
    except OSError as error:
        raise OutputError(
            f"{printable(str(path))}: cannot be written: {error.strerror}; choose another --output"
        ) from None
    try:
        _lock(descriptor, path)
        _cut_torn_line(descriptor)
        yield Manifest(path, descriptor)
    finally:
        os.close(descriptor)  # and release the lock


def describe_run(command: str, made_with: Mapping[str, Any]) -> dict[str, Any]:
    """Line about a run: version, command and settings.

    Parameters
    ----------
    command : str
    made_with : mapping
        Settings, and hashes of the files that they name.

    Returns
    -------
    dict
    """
    return {"nmfaudio": __version__, "command": command, **made_with}


def result_sizes(folder: Path, results: Iterable[os.PathLike[str]]) -> dict[str, int]:
    """Sizes of results by their paths below a folder.

    Parameters
    ----------
    folder : Path
    results : iterable of path

    Returns
    -------
    dict of str to int
    """
    return {os.path.relpath(path, folder): os.path.getsize(path) for path in results}


def _lock(descriptor: int, path: Path) -> None:
    """Refuse a manifest that another process has open."""
    try:
        system.lock(descriptor)
    except BlockingIOError:
        raise OutputError(
            f"{printable(str(path))}: another nmfaudio batch is writing into this folder; wait for"
            " it, divide the files with --shard, or choose another --output"
        ) from None
    except OSError as error:
        warnings.warn(
            f"{printable(str(path))}: cannot be locked ({error.strerror}); let no other nmfaudio"
            " batch write into this folder",
            AudioWarning,
            stacklevel=2,
        )


def _cut_torn_line(descriptor: int) -> None:
    """Remove the end of a line whose writing was interrupted."""
    with open(descriptor, "rb", closefd=False) as file:
        content = file.read()
    os.ftruncate(descriptor, content.rfind(b"\n") + 1)


def _manifests(folder: Path) -> list[Path]:
    """Manifests of all shards."""
    return sorted(folder.glob(f"{PREFIX}*.jsonl"))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Readable lines of a manifest; another process may be writing the last one."""
    with open(path, "rb") as file:
        for text in file:
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict):
                yield line


def _is_finished(line: Mapping[str, Any]) -> bool:
    """True for the line of a file that was processed."""
    return "key" in line and line.get("exit_code") == 0


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _write(descriptor: int, content: bytes) -> None:
    """Write all bytes; a signal may interrupt a write."""
    while content:
        content = content[os.write(descriptor, content) :]
