"""Report pages: their files and headings."""

from __future__ import annotations

import os
from pathlib import Path

from nmfaudio.cli.inputs import input_name


def page_patterns(page: Path) -> list[Path]:
    """Glob patterns of the files of a page: itself, and the sounds of a long recording.

    Parameters
    ----------
    page : Path
        Glob pattern of the page.

    Returns
    -------
    list of Path
    """
    return [page, page.with_name(f"{page.stem}_files") / "*.js"]


def page_title(source: str, preview: tuple[float, float] | None) -> str:
    """Heading of the page of a recording, or of a part of it.

    Parameters
    ----------
    source : str
        Path of the recording, or ``-``.
    preview : tuple of (float, float) or None
        Part in seconds.

    Returns
    -------
    str
    """
    name = os.path.basename(input_name(source))
    return name if preview is None else f"{name}, {preview[0]:g}–{preview[1]:g} s"
