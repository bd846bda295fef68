"""Classes by the names that saved files give them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from nmfaudio.errors import ParameterError

C = TypeVar("C", bound=type)


class Registry(dict[str, type[Any]]):
    """Classes that a file can name, so that it needs no pickle.

    Parameters
    ----------
    noun : str
        Word for an instance, for messages.
    attribute : str
        Class attribute with the name in files.
    members : sequence of str
        Members that make a class one of this kind.
    classes : iterable of type
        Classes of the package.

    Examples
    --------
    >>> class Red:
    ...     name = "red"
    >>> colours = Registry("colour", "name", ("name",), [Red])
    >>> colours.named("red") is Red
    True
    """

    def __init__(
        self, noun: str, attribute: str, members: tuple[str, ...], classes: Iterable[type[Any]]
    ) -> None:
        super().__init__((getattr(c, attribute), c) for c in classes)
        self.noun, self.attribute, self._members = noun, attribute, members

    def accepts(self, cls: type[Any]) -> bool:
        """Return whether a class is one of this kind."""
        return all(hasattr(cls, member) for member in self._members)

    def add(self, cls: C) -> C:
        """Add a class under its own name and return it.

        A class may be added again, as when a notebook cell runs twice.

        Raises
        ------
        ParameterError
            It has no name of its own, or another class has it.
        """
        name = vars(cls).get(self.attribute)
        if not (isinstance(name, str) and name.isprintable() and name.strip()):
            raise ParameterError(
                f"{cls.__name__} has no {self.attribute}; give the class one of its own, such as "
                f"{self.attribute} = {cls.__name__.lower()!r}"
            )
        known = self.get(name, cls)
        if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ParameterError(
                f"the {self.noun} {name!r} is already {known.__module__}.{known.__qualname__}; "
                f"give {cls.__name__} another {self.attribute}"
            )
        self[name] = cls
        return cls

    def named(self, name: Any) -> type[Any]:
        """Return the class of a name in a file.

        Raises
        ------
        ParameterError
            No class has this name.
        """
        if not isinstance(name, str) or name not in self:
            raise ParameterError(
                f"unknown {self.noun} {name!r}: import the module that defines and registers it "
                f"first (nmfaudio.register); known are {', '.join(self)}"
            )
        return self[name]

    def require(self, item: Any) -> str:
        """Return the name of an instance's class.

        Raises
        ------
        ParameterError
            The class is not registered, so that a file could not be loaded.
        """
        name = getattr(item, self.attribute, None)
        if not isinstance(name, str) or self.get(name) is not type(item):
            raise ParameterError(
                f"the {self.noun} {type(item).__name__} is not registered, so the file could not "
                f"be loaded; give the class a {self.attribute} and decorate it with "
                "@nmfaudio.register"
            )
        return name

    def pack(self, item: Any) -> tuple[str, dict[str, Any]]:
        """Return the name of an instance's class, and its fields as JSON types.

        Raises
        ------
        ParameterError
            The class is not registered, or an instance made from the fields differs.
        """
        name = self.require(item)
        values = {f.name: getattr(item, f.name) for f in fields(item)} if is_dataclass(item) else {}
        try:
            again = self.unpack(name, json.loads(json.dumps(values, allow_nan=False)))
            same = bool(again == item) or _alike(again, item)
        except (TypeError, ValueError):  # also a ParameterError, and arrays with no one truth
            same = False
        if not same:
            raise ParameterError(
                f"{type(item).__name__} cannot be saved: it differs from one made of its fields "
                f"{list(values)} after a round trip through JSON; make it a dataclass of numbers, "
                "strings and booleans"
            )
        return name, values

    def unpack(self, name: Any, values: Mapping[str, Any]) -> Any:
        """Make an instance from a name and fields.

        Raises
        ------
        ParameterError
            No class has this name, or it does not take the fields.
        """
        cls = self.named(name)
        try:
            return cls(**values)
        except TypeError as error:
            raise ParameterError(
                f"the {self.noun} {name!r} does not take {dict(values)}: {error}"
            ) from None


def _alike(first: Any, second: Any) -> bool:
    """Return whether two objects are of one class and have no attributes."""
    return type(first) is type(second) and not vars(first) and not vars(second)
