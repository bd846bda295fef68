"""Pages of the API: one per namespace, with a table that leads to the page of each name."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from public_names import Namespace, constant_text, namespaces, paths

import nmfaudio as na

KINDS = ("Functions", "Classes", "Protocols", "Errors and warnings", "Constants")


def write_pages(folder: Path) -> None:
    """Write the index and the page of every namespace."""
    folder.mkdir(parents=True, exist_ok=True)
    known, modules = paths(), sorted(namespaces())
    for namespace in modules:
        (folder / f"{namespace.path}.rst").write_text(_page(namespace, known), encoding="utf-8")
    covered = {id(item) for namespace in modules for _, item in namespace.items()}
    rest = [(name, getattr(na, name)) for name in na.__all__ if not name.startswith("_")]
    rest = [(n, x) for n, x in rest if not inspect.ismodule(x) and id(x) not in covered]
    (folder / "index.rst").write_text(_index(modules, rest, known), encoding="utf-8")


def _index(modules: Iterable[Namespace], rest: list[tuple[str, Any]], known: dict[int, str]) -> str:
    lines = [
        _heading("API", "="),
        "``import nmfaudio as na``: what is used most is at the top level, such as ``na.nmf``; "
        "the rest is in namespaces, such as ``na.penalties.L1``.\n",
        ".. list-table::\n   :widths: 25 75\n",
    ]
    lines += [f"   * - :doc:`{path} <{path}>`\n     - {_first(m)}" for path, m in modules]
    lines += ["\n.. toctree::\n   :hidden:\n", *(f"   {n.path}" for n in modules), ""]
    return "\n".join([*lines, *_tables("", rest, known)])


def _page(namespace: Namespace, known: dict[int, str]) -> str:
    text = inspect.getdoc(namespace.module) or ""
    body = _tables(namespace.path, namespace.items(), known)
    return "\n".join([_heading(namespace.path, "="), f"{text}\n", *body])


def _tables(path: str, items: Iterable[tuple[str, Any]], known: dict[int, str]) -> list[str]:
    by_kind: dict[str, list[tuple[str, Any]]] = {kind: [] for kind in KINDS}
    for name, item in items:
        by_kind[_kind(item)].append((name, item))
    lines = []
    for kind, members in by_kind.items():
        lines += [_heading(kind, "-")] if members else []
        if kind == "Constants":
            for name, item in members:
                text = textwrap.indent(constant_text(name, item), "   ")
                lines.append(f".. py:data:: nmfaudio.{path}.{name}\n\n{text}\n")
        elif members:
            lines += [".. currentmodule:: nmfaudio\n", ".. autosummary::"]
            lines += ["   :toctree: names", "   :nosignatures:\n"]
            lines += [f"   {known[id(item)]}" for _, item in members] + [""]
    return lines


def _kind(item: Any) -> str:
    if inspect.isfunction(item):
        return "Functions"
    if not inspect.isclass(item):
        return "Constants"
    if issubclass(item, BaseException):
        return "Errors and warnings"
    return "Protocols" if getattr(item, "_is_protocol", False) else "Classes"


def _first(module: Any) -> str:
    return (inspect.getdoc(module) or "").partition("\n")[0]


def _heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n"
