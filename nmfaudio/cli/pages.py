"""Report pages: their files, headings and commands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nmfaudio._common.options import options
from nmfaudio.cli.inputs import input_name
from nmfaudio.separators.base import load_separator
from nmfaudio.separators.shared_settings import RENDERING


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


def page_options(
    preview: tuple[float, float] | None, settings: Mapping[str, Any]
) -> dict[str, list[str]]:
    """Options of the commands on a page, with which they make the same stems from the same part.

    Parameters
    ----------
    preview : tuple of (float, float) or None
        Part in seconds.
    settings : mapping of str to Any
        Settings of the separator.

    Returns
    -------
    dict of str to list of str
        Words by the name of the command.
    """
    part = [] if preview is None else ["--preview", f"{preview[0]:g}-{preview[1]:g}"]
    rendering = [
        word
        for option in options(load_separator("regroup"))
        if option.name in RENDERING and settings.get(option.name, option.default) != option.default
        for word in (option.flag, str(settings[option.name]))
    ]
    return {"regroup": part + rendering, "paint": part}
