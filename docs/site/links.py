"""Links to the pages of public names, and docstrings as the site shows them."""

from __future__ import annotations

import inspect
import re
from typing import Any

from docutils import nodes
from public_names import aliases, classes
from sphinx.addnodes import pending_xref
from sphinx.util.inspect import stringify_signature

PATHS = {name: path for path, name, _ in classes()}
DOCUMENTED = {
    f"{name}.{member}"
    for _, name, item in classes()
    for member in dir(item)
    if getattr(getattr(item, member), "__doc__", None)
}
CALLS = aliases()
_CALL = re.compile(r"na\.([\w.]*\w)")
_PATH = re.compile(r"\w/\w[\w/]*\.py\b")
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


def link_calls(app: Any, doctree: nodes.document) -> None:
    """Link code that begins with a public name, such as ``na.nmf(V, 8)``, to its page."""
    for node in list(doctree.findall(nodes.literal)):
        match = _CALL.match(node.astext())
        target = CALLS.get(match[1]) if match else None
        if target and not isinstance(node.parent, (nodes.reference, pending_xref)):
            link = pending_xref(
                refdomain="py", reftype="obj", reftarget=target, refexplicit=True, refwarn=True
            )
            link["refdoc"] = app.env.docname
            node.replace_self(link)
            link += node


def break_paths(app: Any, doctree: nodes.document) -> None:
    """Let paths of files break after a slash, so that tables with them fit."""
    for text in list(doctree.findall(nodes.Text)):
        if _PATH.search(text) and isinstance(text.parent, nodes.paragraph):
            parts: list[nodes.Node] = []
            for part in re.split(r"(?<=/)", text):
                parts += [nodes.Text(part), nodes.raw("", "<wbr>", format="html")]
            text.parent.replace(text, parts[:-1])


def skip_foreign_members(
    app: Any, what: str, name: str, obj: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out members inherited from other packages, such as those of scikit-learn and `dict`."""
    function = getattr(obj, "fget", None) or getattr(obj, "func", None) or obj
    owner = getattr(obj, "__objclass__", None)  # of a method written in C
    module = getattr(function, "__module__", None) or getattr(owner, "__module__", "nmfaudio")
    return None if module.partition(".")[0] == "nmfaudio" else True


def show_settings(
    app: Any, what: str, name: str, obj: Any, options: Any, signature: str, returns: str
) -> tuple[str, str] | None:
    """Show the settings in the signature of a class: its ``__new__`` takes any of them."""
    if what != "class" or "**settings" not in (signature or ""):
        return None
    return stringify_signature(inspect.signature(obj), show_annotation=False), ""
