"""Report page: HTML with style, script, data and sound."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template

from nmfaudio._common.files import check_targets, write_group_of_bytes
from nmfaudio.display.report.contents import ReportContents
from nmfaudio.display.report.data import PageData, as_base64
from nmfaudio.display.report.sound import choose_sound_coding

MOST_SECONDS = 60.0
"""Longest recording whose sound is inside the page, in seconds."""

# In the order in which they need one another; they become one script.
_MODULES = (
    "data.js",
    "elements.js",
    "groups.js",
    "player.js",
    "mixer.js",
    "transport.js",
    "drawing.js",
    "figure.js",
    "boxes.js",
    "dragging.js",
    "saving.js",
    "cards.js",
    "roll.js",
    "facts.js",
    "main.js",
)
_IMPORT = re.compile(r"^import .*?;\n", re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


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
    data = PageData(contents, choose_sound_coding())
    sounds = {name: as_base64(content) for name, content in data.sounds().items()}
    beside: dict[Path, bytes] = {}
    facts = data.as_dict()
    if contents.seconds > MOST_SECONDS:
        folder = page.with_name(f"{page.stem}_files")
        # A page opened from a disk may not read files, but may run scripts beside it.
        beside = {folder / f"{name}.js": _sound_script(name, sounds[name]) for name in sounds}
        facts |= {"sounds": {}, "folder": folder.name}
    else:
        facts |= {"sounds": sounds, "folder": None}
    document = report_html(contents.title, facts).encode()
    write_group_of_bytes({page: document, **beside}, overwrite=overwrite)
    return [page, *beside]


def report_html(title: str, data: dict[str, object]) -> str:
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
    style, script = _asset("page.css"), _script()
    # Sounds in a folder are scripts that this script loads; nothing else may run.
    trusted = _hash(script) + (" 'strict-dynamic'" if data["folder"] else "")
    policy = (
        f"default-src 'none'; script-src {trusted}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return Template(_asset("page.html")).substitute(
        policy=policy,
        title=html.escape(title),
        style=style,
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


@cache
def _asset(name: str) -> str:
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")


@cache
def _script() -> str:
    """All modules as one script, without their imports and exports."""
    modules = [_EXPORT.sub("", _IMPORT.sub("", _asset(name))) for name in _MODULES]
    body = "\n".join(modules)
    return f'(() => {{\n"use strict";\n{body}}})();\n'
