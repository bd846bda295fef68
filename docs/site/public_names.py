"""Public names of nmfaudio by namespace, each with the one path that its page has."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from itertools import pairwise
from types import ModuleType
from typing import Any, NamedTuple

import nmfaudio as na


class Namespace(NamedTuple):
    """Module of public names, with its path below the package."""

    path: str
    module: ModuleType

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield names with their objects; submodules have pages of their own."""
        for name in self.module.__all__:
            # Importing a submodule such as `separators.hpss` hides the function of that name.
            item = getattr(na if name in na.__all__ else self.module, name)
            if not inspect.ismodule(item):
                yield name, item


def namespaces() -> list[Namespace]:
    """Return the public modules, those within other public modules last."""
    found = {name: getattr(na, name) for name in na.__all__}
    modules = [Namespace(name, item) for name, item in found.items() if inspect.ismodule(item)]
    nested = [
        Namespace(f"{path}.{name}", item)
        for path, module in modules
        for name, item in vars(module).items()
        if name in module.__all__ and inspect.ismodule(item) and hasattr(item, "__all__")
    ]
    known = {namespace.module for namespace in modules}
    return modules + [namespace for namespace in nested if namespace.module not in known]


def paths() -> dict[int, str]:
    """Return the path below the package of each public object, by its identity.

    An object at the top level has that path; others have that of the innermost namespace.
    """
    found = {
        id(getattr(na, name)): name
        for name in na.__all__
        if not inspect.ismodule(getattr(na, name))
    }
    for namespace in sorted(namespaces(), key=lambda n: -n.module.__name__.count(".")):
        for name, item in namespace.items():
            found.setdefault(id(item), f"{namespace.path}.{name}")
    return found


def classes() -> list[tuple[str, str, type]]:
    """Return full path, name and class of each public class."""
    known = paths()
    items = [item for namespace in namespaces() for _, item in namespace.items()]
    items += [getattr(na, name) for name in na.__all__]
    return [(f"nmfaudio.{known[id(x)]}", x.__name__, x) for x in items if inspect.isclass(x)]


def aliases() -> dict[str, str]:
    """Return the full path of each public name, by every path below the package that it has."""
    known = paths()
    found = {f"{n.path}.{name}": item for n in namespaces() for name, item in n.items()}
    found |= {name: getattr(na, name) for name in na.__all__}
    return {path: f"nmfaudio.{known[id(x)]}" for path, x in found.items() if id(x) in known}


def constant_text(name: str, item: Any) -> str:
    """Return the string below the assignment of a constant, wherever it is defined.

    Autodoc finds it only in the module that a constant is imported from.
    """
    for module in [m for key, m in sys.modules.items() if key.startswith("nmfaudio")]:
        if vars(module).get(name) is item:
            for assigned, following in pairwise(ast.parse(inspect.getsource(module)).body):
                if name in _assigned(assigned) and isinstance(following, ast.Expr):
                    return inspect.cleandoc(str(ast.literal_eval(following.value)))
    raise ValueError(f"{name} has no string below its assignment")


def _assigned(statement: ast.stmt) -> list[str]:
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    return [target.id for target in targets if isinstance(target, ast.Name)]
