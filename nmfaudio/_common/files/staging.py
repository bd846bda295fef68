"""Files that appear under their names whole or not at all, and together or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from nmfaudio._common.files.names import show
from nmfaudio.errors import OutputError

PREFIX = ".nmfaudio-"
"""How the names of unfinished files begin, before process, machine and a random part."""

_TEMPORARY = re.compile(re.escape(PREFIX) + r"(\d+)-([0-9a-f]{8})-[0-9a-f]{16}\.tmp")


def check_targets(targets: Sequence[Path], *, overwrite: bool = False) -> None:
    """Find out, before any work, what would keep files from being written.

    Parameters
    ----------
    targets : sequence of Path
    overwrite : bool
        Whether files that exist may be replaced.

    Raises
    ------
    OutputError
        If two targets are the same, or one exists, is a directory, has a name that the system
        does not take, or lies in a folder that cannot be written to.
    """
    seen: set[str] = set()
    for target in targets:
        absolute = os.path.abspath(target)
        if absolute in seen:
            raise OutputError(f"{show(target)}: two results have this name; rename one of them")
        seen.add(absolute)
        try:
            _check_target(target, overwrite)
            _check_folder(target)
        except OutputError:
            raise
        except (OSError, ValueError) as error:
            raise _output_error(target, error) from None


@contextmanager
def staged(targets: Sequence[Path], *, overwrite: bool) -> Iterator[dict[Path, Path]]:
    """Lend a temporary name beside every target, and rename all of them at the end.

    Parameters
    ----------
    targets : sequence of Path
        Their folders are made where they are missing.
    overwrite : bool
        Whether files that exist may be replaced.

    Yields
    ------
    dict of Path to Path
        The temporary name of each target. The body makes a file under each of them.

    Raises
    ------
    OutputError
        If the files cannot be made. Then, and after any other exception in the body, an interrupt
        included, what was made is removed. Only a file that was replaced before the renaming of
        a later one failed stays replaced.
    """
    check_targets(targets, overwrite=overwrite)
    names = {target: target.parent / _temporary_name() for target in targets}
    made: list[Path] = []
    new = [target for target in targets if not os.path.lexists(target)]
    placed: list[Path] = []
    try:
        for folder in dict.fromkeys(target.parent for target in targets):
            _make_folder(folder, made)
            _remove_stale(folder)
        yield names
        for target, temporary in names.items():
            _sync(temporary, target)
        for target, temporary in names.items():
            placed.append(target)
            _rename(temporary, target, overwrite)
    except BaseException:
        unplaced = [name for target, name in names.items() if os.path.lexists(name)]
        kept = [target for target in placed if names[target] not in unplaced]
        for path in (*unplaced, *(target for target in kept if target in new)):
            with suppress(OSError):
                path.unlink()
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        raise


def create(temporary: Path, target: Path) -> int:
    """Make the file under a temporary name and return its descriptor, for reading and writing.

    Raises
    ------
    OutputError
        With the system's reason, about the target.
    """
    try:
        return os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise _output_error(target, error) from None


def write_failure(descriptor: int, target: Path, detail: str) -> OutputError:
    """The error to raise when a library could not write and did not keep the reason.

    The system is asked again, by writing some more: a full disk or a quota says so then.
    """
    try:
        os.pwrite(descriptor, bytes(1 << 16), os.fstat(descriptor).st_size)
        os.fsync(descriptor)
    except OSError as error:
        return _output_error(target, error)
    return OutputError(f"{show(target)}: could not be written: {detail}")


def write_bytes(target: Path, content: bytes, *, overwrite: bool) -> None:
    """Write a file, whole or not at all.

    Parameters
    ----------
    target : Path
        Its folder is made where it is missing.
    content : bytes
    overwrite : bool
        Whether a file that exists may be replaced.

    Raises
    ------
    OutputError
        The file exists, or cannot be written.
    """
    with staged([target], overwrite=overwrite) as names:
        descriptor = create(names[target], target)
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(content)
        except OSError as error:
            raise write_failure(descriptor, target, str(error)) from None
        finally:
            os.close(descriptor)


def _check_target(target: Path, overwrite: bool) -> None:
    try:
        os.lstat(target)
    except (FileNotFoundError, NotADirectoryError):
        return
    if target.is_dir():
        raise OutputError(f"{show(target)}: {os.strerror(errno.EISDIR)}; name a file")
    if not overwrite:
        raise OutputError(f"{show(target)}: exists already; give another name, or overwrite it")


def _check_folder(target: Path) -> None:
    folder = target.parent
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _output_error(target: Path, error: OSError | ValueError) -> OutputError:
    number = getattr(error, "errno", None)
    reason = os.strerror(number) if number else str(error)
    hints = {
        errno.ENOSPC: "; make room or write elsewhere",
        errno.EACCES: "; write elsewhere, or change the folder's permissions",
    }
    return OutputError(f"{show(target)}: cannot be written: {reason}{hints.get(number or 0, '')}")


def _machine() -> str:
    return f"{zlib.crc32(os.uname().nodename.encode()):08x}"


def _temporary_name() -> str:
    return f"{PREFIX}{os.getpid()}-{_machine()}-{secrets.token_hex(8)}.tmp"


def _make_folder(folder: Path, made: list[Path]) -> None:
    missing = []
    while not os.path.lexists(folder):
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        try:
            path.mkdir(exist_ok=True)
        except OSError as error:
            raise _output_error(path, error) from None
        made.append(path)


def _remove_stale(folder: Path) -> None:
    """Remove what processes of this machine left behind that are no more."""
    with suppress(OSError):
        for entry in os.scandir(folder):
            match = _TEMPORARY.fullmatch(entry.name)
            if match and match[2] == _machine() and not _is_alive(int(match[1])):
                with suppress(OSError):
                    os.unlink(entry.path)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _sync(temporary: Path, target: Path) -> None:
    try:
        descriptor = os.open(temporary, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _output_error(target, error) from None


def _rename(temporary: Path, target: Path, overwrite: bool) -> None:
    try:
        _check_target(target, overwrite)  # somebody else may have written it meanwhile
        os.replace(temporary, target)
    except OutputError:
        raise
    except OSError as error:
        raise _output_error(target, error) from None
