"""Import order of the packages: run ``python tests/house.py`` to print it.

Packages stand in rows. A module imports from its own package and from packages of lower rows,
never from another package of its row and never from a row above.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "nmfaudio"

ROWS = (
    ("__main__",),
    ("cli",),
    ("streaming", "experiments"),
    ("separators", "transcription", "mosaics"),
    ("stems",),
    ("dictionaries", "metrics", "estimators", "datasets"),
    ("display",),
    ("symbolic", "registration"),
    ("audio", "factorisation"),
    ("kernels",),
    ("_common",),
    ("errors",),
    ("_public", "_version"),
)
ROW = {room: row for row, rooms in enumerate(ROWS) for room in rooms}


def modules() -> dict[str, Path]:
    """Dotted name of every module of the package, apart from the package itself."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        if name != PACKAGE.name:
            found[name] = path
    return found


def imported(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """Dotted names that a file imports, also within functions unless `top_level_only`."""
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}: write imports of the package in full")
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows(known: Mapping[str, Path]) -> set[tuple[str, str]]:
    """Pairs of a module and a module that it imports from."""
    found = set()
    for module, path in known.items():
        for name in imported(path):
            while name and name not in known:
                name = name.rpartition(".")[0]
            if name and name != module:
                found.add((module, name))
    return found


def room(module: str) -> str:
    """Package, or module of the top level, that a module belongs to."""
    return module.split(".")[1]


def upward(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Imports that the order of the rows forbids."""
    return [
        f"{module} imports {other}"
        for module, other in sorted(pairs)
        if room(module) != room(other) and ROW[room(module)] >= ROW[room(other)]
    ]


def cycles(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Groups of modules that import one another, directly or through others.

    A package and its own modules are no cycle: importing a module imports its package.
    """
    graph: dict[str, set[str]] = {}
    for module, other in pairs:
        if not module.startswith(other + "."):
            graph.setdefault(module, set()).add(other)

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for other in graph.get(waiting.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return seen

    reach = {module: reached(module) for module in graph}
    groups = {
        tuple(sorted(other for other in reach[module] if module in reach.get(other, ())))
        for module in graph
        if module in reach[module]
    }
    return [list(group) for group in sorted(groups)]


def main() -> None:
    known = modules()
    pairs = arrows(known)
    between = {(room(a), room(b)) for a, b in pairs if room(a) != room(b)}
    for rooms in ROWS:
        for name in rooms:
            below = sorted({b for a, b in between if a == name}, key=lambda b: (ROW[b], b))
            print(f"{name:14} -> {', '.join(below) or '-'}")
    print(f"{len(ROW)} packages in {len(ROWS)} rows, {len(between)} arrows between packages")
    print(f"upward imports: {len(upward(pairs))}", *upward(pairs), sep="\n  ")
    print(f"import cycles: {len(cycles(pairs))}", *cycles(pairs), sep="\n  ")


if __name__ == "__main__":
    main()
