"""Folder of what is computed once for all runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of the machine code of all versions and installations.

    Returns
    -------
    Path
        ``nmfaudio`` in ``NUMBA_CACHE_DIR`` or in the user's cache folder, such as ``~/.cache``; it
        need not exist.
    """
    import numba
    from numba.misc.appdirs import AppDirs

    if numba.config.CACHE_DIR:  # type: ignore[attr-defined]
        return Path(numba.config.CACHE_DIR, "nmfaudio")  # type: ignore[attr-defined]
    folders = AppDirs("nmfaudio", appauthor=False)  # type: ignore[no-untyped-call]
    folder = Path(folders.user_cache_dir)
    if not folder.is_absolute():  # XDG_CACHE_HOME is empty or relative, and is to be ignored
        folder = Path(os.path.expanduser("~/.cache/nmfaudio"))
    # Without a home folder, that of users whom a container does not know.
    return folder if folder.is_absolute() else Path("/.cache/nmfaudio")
