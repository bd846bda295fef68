"""Atomic writing: files appear complete or not at all, and all of a group or none."""

from __future__ import annotations

import errno
import os
import platform
import re
import secrets
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from nmfaudio._common.files import system
from nmfaudio._common.files.names import file_key, show
from nmfaudio.errors import OutputError

PREFIX = ".nmfaudio-"
"""Prefix of the names of unfinished files, before process, machine and a random part."""

_TEMPORARY = re.compile(re.escape(PREFIX) + r"(\d+)-([0-9a-f]{8})-[0-9a-f]{16}\.tmp")


def check_targets(targets: Sequence[Path], *, overwrite: bool = False) -> None:
    """Check, before any work, that files can be written.

    Parameters
    ----------
    targets : sequence of Path
    overwrite : bool
        Whether existing files may be replaced.

    Raises
    ------
    OutputError
        Two targets are the same on some file system, or one exists, is a folder, has an invalid
        name, or is in a folder that is not writable.
    """
    seen: set[str] = set()
    for target in targets:
        key = file_key(os.path.abspath(target))
        if key in seen:
            raise OutputError(
                f"{show(target)}: two results have this name, or differ in nothing but case;"
                " rename one of them"
            )
        seen.add(key)
        try:
            _check_target(target, overwrite)
            _check_folder(target)
        except OutputError:
            raise
        except (OSError, ValueError) as error:
            raise output_error(target, error) from None


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
        Temporary name of each target. The body of the ``with`` statement creates these files.

    Raises
    ------
    OutputError
        The files cannot be created.

    Notes
    -----
    After any exception in the body, including an interrupt, all new files and folders are removed.
    Only a target that was replaced before the renaming of a later one failed remains replaced.
    """
    check_targets(targets, overwrite=overwrite)
    names = {target: target.parent / _temporary_name() for target in targets}
    created: list[Path] = []  # folders
    new = [target for target in targets if not os.path.lexists(target)]
    ours: dict[Path, tuple[int, int, int]] = {}
    try:
        for folder in dict.fromkeys(target.parent for target in targets):
            _make_folder(folder, created)
            _remove_stale(folder)
        yield names
        for target, temporary in names.items():
            ours[target] = _finish(temporary, target)
        for target, temporary in names.items():
            _place(temporary, target, overwrite)
        for folder in dict.fromkeys(target.parent for target in targets):
            system.sync_folder(folder)
    except BaseException:
        for temporary in names.values():
            with suppress(OSError):
                temporary.unlink()
        for target in new:
            with suppress(OSError):
                if _identity(target) == ours.get(target):  # not a file of another process
                    target.unlink()
        for folder in reversed(created):
            with suppress(OSError):
                folder.rmdir()
        raise


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


def write_failure(descriptor: int, target: Path, detail: str) -> OutputError:
    """Return the error for a failed write whose reason a library did not report.

    Further bytes are written, so that the system reports a full disk or an exceeded quota.

    Parameters
    ----------
    descriptor : int
        Of the file being written.
    target : Path
    detail : str
        Message of the library, used if the system reports nothing.

    Returns
    -------
    OutputError
    """
    try:
        os.lseek(descriptor, 0, os.SEEK_END)
        os.write(descriptor, bytes(1 << 16))
        os.fsync(descriptor)
    except OSError as error:
        return output_error(target, error)
    return OutputError(f"{show(target)}: could not be written: {detail}")


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
            descriptor = create(names[target], target)
            try:
                with open(descriptor, "wb", closefd=False) as file:
                    file.write(content)
            except OSError as error:
                raise write_failure(descriptor, target, str(error)) from None
            finally:
                os.close(descriptor)


def _check_target(target: Path, overwrite: bool) -> None:
    """Raise an `OutputError` for a folder, or a file that must not be replaced."""
    try:
        os.lstat(target)
    except (FileNotFoundError, NotADirectoryError):
        return
    if target.is_dir():
        raise OutputError(f"{show(target)}: {os.strerror(errno.EISDIR)}; name a file")
    if not overwrite:
        raise OutputError(f"{show(target)}: exists already; choose another name or overwrite=True")


def _check_folder(target: Path) -> None:
    """Raise an `OSError` unless the nearest existing folder is writable."""
    folder = target.parent
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def output_error(target: Path, error: OSError | ValueError) -> OutputError:
    """Return the error for a file that cannot be written, with the system's reason and a hint.

    Parameters
    ----------
    target : Path
    error : OSError or ValueError

    Returns
    -------
    OutputError
    """
    number = getattr(error, "errno", None)
    reason = os.strerror(number) if number else str(error)
    hints = {
        errno.ENOSPC: "; free space, or write elsewhere",
        errno.EACCES: "; write elsewhere, or change the folder's permissions",
    }
    return OutputError(f"{show(target)}: cannot be written: {reason}{hints.get(number or 0, '')}")


def _machine() -> str:
    """Hash of the host name: process numbers are unique per machine only."""
    return f"{zlib.crc32(platform.node().encode()):08x}"


def _temporary_name() -> str:
    return f"{PREFIX}{os.getpid()}-{_machine()}-{secrets.token_hex(8)}.tmp"


def _make_folder(folder: Path, created: list[Path]) -> None:
    """Create a folder and its parents, and append those that were missing to `created`."""
    missing = []
    while not os.path.lexists(folder):
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
        _check_target(target, overwrite)  # it may have been created in the meantime
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
        _check_target(target, overwrite=False)
        raise
    except (OSError, AttributeError, NotImplementedError):  # FAT, some drives of a network
        return False
    os.unlink(temporary)
    return True
