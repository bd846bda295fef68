"""Docstrings on the site: links to the pages of classes, and members of this package only."""

from __future__ import annotations

import re
from typing import Any

from public_names import classes

PATHS = {name: path for path, name, _ in classes()}
DOCUMENTED = {
    f"{name}.{member}"
    for _, name, item in classes()
    for member in dir(item)
    if getattr(getattr(item, member), "__doc__", None)
}
_NAME = re.compile(r"(?<![`:\w])`([A-Z]\w*)((?:\.\w+)?)`(?![`\w])")


def link_classes(app: Any, what: str, name: str, obj: Any, options: Any, lines: Any) -> None:
    """Turn public classes in single backticks, and their members, into cross-references."""

    def linked(match: re.Match[str]) -> str:
        path, member = PATHS.get(match[1]), match[2]
        if path is None or path == name:
            return match[0]
        whole = f"{match[1]}{member}"
        target = path + member if whole in DOCUMENTED else path
        return f":py:obj:`{whole} <{target}>`"

    lines[:] = [_NAME.sub(linked, line) for line in lines]


def skip_foreign_members(
    app: Any, what: str, name: str, obj: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out members inherited from other packages, such as those of scikit-learn."""
    function = getattr(obj, "fget", None) or getattr(obj, "func", None) or obj
    module = getattr(function, "__module__", None) or "nmfaudio"
    return None if module.partition(".")[0] == "nmfaudio" else True
