"""Atomic writing: files appear complete or not at all, all of a group or transaction or none."""

from __future__ import annotations

import os
import platform
import re
import secrets
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

from nmfaudio._common.files import system
from nmfaudio._common.files.targets import check_target, check_targets, output_error
from nmfaudio.errors import NmfAudioError, OutputError

PREFIX = ".nmfaudio-"
"""Prefix of the names of unfinished files, before process, machine and a random part."""

_TEMPORARY = re.compile(re.escape(PREFIX) + r"(\d+)-([0-9a-f]{8})-[0-9a-f]{16}\.tmp")


@contextmanager
def transaction() -> Iterator[None]:
    """Let all files that are staged in the body appear together at its end, or none of them.

    Raises
    ------
    OutputError
        A file cannot be renamed.

    Notes
    -----
    After any exception in the body, including an interrupt, all new files and folders are removed.
    Only a target that was replaced before the renaming of a later one failed remains replaced. An
    inner transaction is a part of the outer one. `staged_path` finds files before the end.
    """
    if _open_groups.get() is not None:
        yield
        return
    groups: list[_Group] = []
    token = _open_groups.set(groups)
    try:
        yield
        for group in groups:
            group.place()
    except BaseException:
        for group in reversed(groups):
            group.take_back()
        raise
    finally:
        _open_groups.reset(token)


@contextmanager
def staged(targets: Sequence[Path], *, overwrite: bool) -> Iterator[dict[Path, Path]]:
    """Provide a temporary name beside each target, and rename all files at the end.

    Parameters
    ----------
    targets : sequence of Path
        Missing folders are created.
    overwrite : bool
        Whether existing files may be replaced.

    Yields
    ------
    dict of Path to Path
        Temporary name of each target. The body of the ``with`` statement creates these files, which
        are renamed at the end of the `transaction` if there is one.

    Raises
    ------
    OutputError
        The files cannot be created.
    """
    check_targets(targets, overwrite=overwrite)
    group, groups = _Group(targets, overwrite), _open_groups.get()
    try:
        group.prepare()
        yield group.names
        group.finish()
        if groups is None:
            group.place()
        else:
            groups.append(group)
    except BaseException:
        group.take_back()
        raise


def staged_path(path: Path) -> Path:
    """Return where the content of a file is now.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Path
        Its temporary name if it was staged in the `transaction` that goes on, else `path`.
    """
    for group in reversed(_open_groups.get() or ()):
        if path in group.names:
            return group.names[path]
    return path


class _Group:
    """Files that are staged together."""

    def __init__(self, targets: Sequence[Path], overwrite: bool) -> None:
        self.names = {target: target.parent / _temporary_name() for target in targets}
        self._overwrite = overwrite
        self._new = [target for target in targets if not os.path.lexists(target)]
        self._folders: list[Path] = []  # that were created
        self._ours: dict[Path, tuple[int, int, int]] = {}

    def prepare(self) -> None:
        """Create the folders, and remove what killed processes have left there."""
        for folder in dict.fromkeys(target.parent for target in self.names):
            _make_folder(folder, self._folders)
            _remove_stale(folder)

    def finish(self) -> None:
        """Flush the files to the disk."""
        for target, temporary in self.names.items():
            self._ours[target] = _finish(temporary, target)

    def place(self) -> None:
        """Rename the files to their targets."""
        for target, temporary in self.names.items():
            _place(temporary, target, self._overwrite)
        for folder in dict.fromkeys(target.parent for target in self.names):
            system.sync_folder(folder)

    def take_back(self) -> None:
        """Remove the files and folders that are new."""
        for temporary in self.names.values():
            with suppress(OSError):
                temporary.unlink()
        for target in self._new:
            with suppress(OSError):
                if _identity(target) == self._ours.get(target):  # not a file of another process
                    target.unlink()
        for folder in reversed(self._folders):
            with suppress(OSError):
                folder.rmdir()


_open_groups: ContextVar[list[_Group] | None] = ContextVar("open groups", default=None)


@contextmanager
def new_file(temporary: Path, target: Path) -> Iterator[BinaryIO]:
    """Create the file of a temporary name, and open it for writing.

    Parameters
    ----------
    temporary, target : Path
        The target appears in the message of an error.

    Yields
    ------
    BinaryIO

    Raises
    ------
    OutputError
        The file cannot be created, written or closed.
    """
    descriptor = create(temporary, target)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            yield file
    except NmfAudioError:
        raise
    except OSError as error:
        raise output_error(target, error) from None
    finally:
        close(descriptor, target)


def create(temporary: Path, target: Path) -> int:
    """Create the file of a temporary name.

    Parameters
    ----------
    temporary, target : Path
        The target appears in the message of an error.

    Returns
    -------
    int
        Descriptor for reading and writing.

    Raises
    ------
    OutputError
        The file cannot be created.
    """
    try:
        return os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | system.BINARY, 0o666)
    except OSError as error:
        raise output_error(target, error) from None


def close(descriptor: int, target: Path) -> None:
    """Close a file that was written.

    Parameters
    ----------
    descriptor : int
    target : Path
        Appears in the message of an error.

    Raises
    ------
    OutputError
        The system reports that something was not written.
    """
    try:
        os.close(descriptor)
    except OSError as error:
        raise output_error(target, error) from None


def write_bytes(target: Path, content: bytes, *, overwrite: bool) -> None:
    """Write a file completely or not at all.

    Parameters
    ----------
    target : Path
        A missing folder is created.
    content : bytes
    overwrite : bool
        Whether to replace an existing file.

    Raises
    ------
    OutputError
        The file exists, or cannot be written.
    """
    write_group_of_bytes({target: content}, overwrite=overwrite)


def write_group_of_bytes(contents: Mapping[Path, bytes], *, overwrite: bool) -> None:
    """Write several files completely, or none of them.

    Parameters
    ----------
    contents : mapping of Path to bytes
        Content of each file; missing folders are created.
    overwrite : bool
        Whether to replace existing files.

    Raises
    ------
    OutputError
        A file exists, or cannot be written.
    """
    with staged(list(contents), overwrite=overwrite) as names:
        for target, content in contents.items():
            with new_file(names[target], target) as file:
                file.write(content)


def _machine() -> str:
    """Hash of the host name: process numbers are unique per machine only."""
    return f"{zlib.crc32(platform.node().encode()):08x}"


def _temporary_name() -> str:
    return f"{PREFIX}{os.getpid()}-{_machine()}-{secrets.token_hex(8)}.tmp"


def _make_folder(folder: Path, created: list[Path]) -> None:
    """Create a folder and its parents, and append those that were missing to `created`."""
    missing = []
    while not os.path.lexists(folder) and folder != folder.parent:
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        try:
            path.mkdir(exist_ok=True)
        except OSError as error:
            raise output_error(path, error) from None
        created.append(path)


def _remove_stale(folder: Path) -> None:
    """Remove unfinished files of processes of this machine that no longer run."""
    with suppress(OSError):
        for entry in os.scandir(folder):
            match = _TEMPORARY.fullmatch(entry.name)
            if match and match[2] == _machine() and not system.is_running(int(match[1])):
                with suppress(OSError):
                    os.unlink(entry.path)


def _finish(temporary: Path, target: Path) -> tuple[int, int, int]:
    """Flush a file to the disk, and return its identity."""
    try:
        system.sync(temporary)
        return _identity(temporary)
    except OSError as error:
        raise output_error(target, error) from None


def _identity(path: Path) -> tuple[int, int, int]:
    """Device, number and time of a file, which it keeps when it is renamed."""
    facts = os.lstat(path)
    return facts.st_dev, facts.st_ino, facts.st_mtime_ns  # numbers are given to later files, too


def _place(temporary: Path, target: Path, overwrite: bool) -> None:
    """Rename a finished file to its target."""
    try:
        check_target(target, overwrite)  # it may have been created in the meantime
        if overwrite or not _linked(temporary, target):
            os.replace(temporary, target)
    except OutputError:
        raise
    except OSError as error:
        raise output_error(target, error) from None


def _linked(temporary: Path, target: Path) -> bool:
    """Rename a file unless the target exists, in one step; False where links are unknown."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        check_target(target, overwrite=False)
        raise
    except (OSError, AttributeError, NotImplementedError):  # FAT, some drives of a network
        return False
    os.unlink(temporary)
    return True
