"""Report page: HTML with style, script, data and sound."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
from pathlib import Path
from string import Template
from typing import Any

from nmfaudio._common.files import check_targets, write_group_of_bytes
from nmfaudio.display.report.assembly import asset, page_script
from nmfaudio.display.report.contents import ReportContents
from nmfaudio.display.report.data import PageData, as_base64
from nmfaudio.display.report.sound import choose_sound_coding

MOST_SECONDS = 60.0
"""Longest recording whose sound is inside the page, in seconds."""


def write_report(
    path: str | os.PathLike[str], contents: ReportContents, *, overwrite: bool = False
) -> list[Path]:
    """Write a report page.

    Parameters
    ----------
    path : str or os.PathLike
        The page, such as ``"song.html"``. The sound of recordings beyond `MOST_SECONDS` goes to
        the folder ``song_files`` beside it.
    contents : ReportContents
    overwrite : bool
        Whether existing files may be replaced.

    Returns
    -------
    list of Path
        The page, and the files of its sounds.

    Raises
    ------
    OutputError
        A file exists, or cannot be written.
    """
    page = Path(path)
    check_targets([page], overwrite=overwrite)
    data = report_data(contents)
    beside: dict[Path, bytes] = {}
    if contents.seconds > MOST_SECONDS:
        folder = page.with_name(f"{page.stem}_files")
        # A page opened from a disk may not read files, but may run scripts beside it.
        beside = {
            folder / f"{name}.js": _sound_script(name, sound)
            for name, sound in data["sounds"].items()
        }
        data |= {"sounds": {}, "folder": folder.name}
    document = report_html(data["title"], data).encode()
    write_group_of_bytes({page: document, **beside}, overwrite=overwrite)
    return [page, *beside]


def report_data(contents: ReportContents) -> dict[str, Any]:
    """Return the data of a report with its sounds.

    Parameters
    ----------
    contents : ReportContents

    Returns
    -------
    dict
        JSON-serialisable.
    """
    data = PageData(contents, choose_sound_coding())
    sounds = {name: as_base64(content) for name, content in data.sounds().items()}
    return data.as_dict() | {"sounds": sounds, "folder": None}


def report_html(title: str, data: dict[str, Any]) -> str:
    """Build the text of a page.

    Parameters
    ----------
    title : str
        Title of the document.
    data : dict
        Data for the script, JSON-serialisable.

    Returns
    -------
    str
    """
    style, script = asset("page.css"), page_script()
    # Sounds in a folder are scripts that this script loads; nothing else may run.
    trusted = _hash(script) + (" 'strict-dynamic'" if data["folder"] else "")
    policy = (
        f"default-src 'none'; script-src {trusted}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return Template(asset("page.html")).substitute(
        policy=policy,
        title=html.escape(title),
        style=style,
        content=asset("content.html"),
        data=_embedded_json(data),
        script=script,
    )


def _embedded_json(data: object) -> str:
    """JSON that is safe inside a script element: no ``<``, so no tag or comment can begin."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _sound_script(name: str, sound: str) -> bytes:
    """Script that hands a sound to the page."""
    return f"receiveSound({json.dumps(name)},{json.dumps(sound)});\n".encode()


def _hash(text: str) -> str:
    """Source expression of a content-security policy that allows this text alone."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"
