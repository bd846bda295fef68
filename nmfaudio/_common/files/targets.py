"""Paths of results: whether they can be written, and errors if they cannot."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from nmfaudio._common.files.names import file_key, show
from nmfaudio.errors import OutputError


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
            check_target(target, overwrite)
            _check_folder(target)
        except OutputError:
            raise
        except (OSError, ValueError) as error:
            raise output_error(target, error) from None


def check_target(target: Path, overwrite: bool) -> None:
    """Check that a file can be placed.

    Parameters
    ----------
    target : Path
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        It exists and must not be replaced, or is a folder.
    """
    try:
        os.lstat(target)
    except (FileNotFoundError, NotADirectoryError):
        return
    if target.is_dir():
        raise OutputError(f"{show(target)}: {os.strerror(errno.EISDIR)}; name a file")
    if not overwrite:
        raise OutputError(f"{show(target)}: exists; use overwrite=True or another name")


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
