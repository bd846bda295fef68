"""Scripts and styles of the report, assembled from their files."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

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
# A widget follows the theme of its notebook, which may differ from that of the system.
_DARK = "@media screen and (prefers-color-scheme: dark) {\n  .report {"
_DARK_CLASS = "@media screen {\n  .report.dark {"


@cache
def asset(name: str) -> str:
    """Return a file of the report.

    Parameters
    ----------
    name : str
        File name, such as ``"page.css"``.

    Returns
    -------
    str
    """
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")


@cache
def page_script() -> str:
    """Return the script of a page.

    Returns
    -------
    str
        All modules in one scope.
    """
    return f'(() => {{\n"use strict";\n{_joined("host.js", *_MODULES, "page.js")}}})();\n'


@cache
def widget_module() -> str:
    """Return the module of a widget, as anywidget loads it.

    Returns
    -------
    str
        The modules of the page as a function of their surroundings, and what connects it to
        Python.
    """
    surroundings = "root, frame, report, signal"
    return "\n".join(
        (
            f"function openReport({surroundings}) {{\n{_joined(*_MODULES)}return parts;\n}}",
            f"const STYLE = {json.dumps(_widget_style())};",
            f"const CONTENT = {json.dumps(asset('widget.html') + asset('content.html'))};",
            asset("widget.js"),
        )
    )


def _widget_style() -> str:
    style = asset("page.css")
    if style.count(_DARK) != 1:
        raise AssertionError(f"page.css must have one block that begins with {_DARK!r}")
    return style.replace(_DARK, _DARK_CLASS) + asset("widget.css")


def _joined(*names: str) -> str:
    """Modules without their imports and exports."""
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", asset(name))) for name in names)
