"""Settings of a dataclass that are flags of a command."""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_KEY = "nmfaudio.option"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Option:
    """One setting of a separator, as the command line offers it.

    Parameters
    ----------
    name : str
        The field of the separator.
    default : Any
        The field's default.
    help : str
        What the setting does to the sound, in a phrase. Where the default is None, it says what
        is used then.
    flag : str
        The long flag, ``--beta-loss``.
    short : str or None
        A one-letter flag, ``-s``.
    parse : callable
        From the text of the command line to the value; raises ValueError (a `ParameterError`
        shows its message as it is).
    choices : tuple of str or None
        The only values allowed.
    metavar : str or None
        What stands for the value in the help.
    many : bool
        Whether the flag may be repeated; the field is a tuple.
    suffixes : tuple of str
        If there are any, the field is no flag: it takes the file on the command line that ends in
        one of these.
    required : bool
        Whether there must be such a file.
    """

    name: str
    default: Any
    help: str
    flag: str
    short: str | None
    parse: Callable[[str], Any]
    choices: tuple[str, ...] | None
    metavar: str | None
    many: bool
    suffixes: tuple[str, ...]
    required: bool


def option(
    default: Any,
    help: str,
    *,
    flag: str | None = None,
    short: str | None = None,
    parse: Callable[[str], Any] | None = None,
    choices: tuple[str, ...] | None = None,
    metavar: str | None = None,
    many: bool = False,
    suffixes: tuple[str, ...] = (),
    required: bool = False,
) -> Any:
    """Make a field of a separator's dataclass that is also a flag of its command.

    Parameters
    ----------
    default : Any
        The field's default. A bool makes a switch, ``--flag`` and ``--no-flag``.
    help : str
        What the setting does to the sound. The default is added to it, so a None default is the
        only one to put into words here.
    flag, short : str, optional
        The long flag (default: the field's name with dashes) and a one-letter one (``"-s"``).
    parse : callable, optional
        From text to value; by default the type of `default`.
    choices : tuple of str, optional
        The only values allowed.
    metavar : str, optional
        What stands for the value in the help.
    many : bool
        The flag may be repeated; `default` is a tuple, `parse` reads one of its elements.
    suffixes : tuple of str
        Not a flag but a second file on the command line, beside the recording: the one that ends
        so, ``(".mid", ".midi")``. The field gets its path; give it a `metavar`.
    required : bool
        Whether the command needs that file.

    Returns
    -------
    Any
        A `dataclasses.field`, typed so that it can be assigned to a field of any type.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Louder:
    ...     gain: float = option(2.0, "how much louder the sound gets", metavar="FACTOR")
    >>> [(o.flag, o.default) for o in options(Louder)]
    [('--gain', 2.0)]
    """
    meta = {
        "help": help,
        "flag": flag,
        "short": short,
        "parse": parse or (str if default is None or many else type(default)),
        "choices": choices,
        "metavar": metavar,
        "many": many,
        "suffixes": suffixes,
        "required": required,
    }
    return dataclasses.field(default=default, metadata={_KEY: meta})


def options(separator: type[Any]) -> tuple[Option, ...]:
    """The settings of a separator's class: its own fields first, then those it shares.

    Parameters
    ----------
    separator : type
        A dataclass with fields made by `option`.

    Returns
    -------
    tuple of Option
    """
    shared = {
        field.name
        for parent in separator.__mro__[1:]
        if dataclasses.is_dataclass(parent)
        for field in dataclasses.fields(parent)
    }
    fields = sorted(dataclasses.fields(separator), key=lambda field: field.name in shared)
    return tuple(_as_option(field) for field in fields)


def _as_option(field: dataclasses.Field[Any]) -> Option:
    said = dict(field.metadata[_KEY])
    said["flag"] = said["flag"] or "--" + field.name.replace("_", "-")
    return Option(name=field.name, default=field.default, **said)


_FIRST_SECTION = re.compile(
    r"^ *(Raises|References|Examples|Notes|See Also)\n *-{3,}$", re.MULTILINE
)


def parameters_section(kind: type[Any]) -> str:
    """Numpydoc lines that describe the options of a dataclass, one entry each.

    Parameters
    ----------
    kind : type
        A dataclass with fields made by `option`.

    Returns
    -------
    str
        Without the heading and without indentation.
    """
    return "".join(_entry(kind, one) for one in options(kind))


def documented(kind: type[T]) -> type[T]:
    """Write the Parameters section of a dataclass from its options.

    The signature of a dataclass with keyword-only fields lists them in the same order.

    Parameters
    ----------
    kind : type
        A dataclass with fields made by `option`, and a docstring without such a section.

    Returns
    -------
    type
        The same class.
    """
    _order_signature(kind)
    if kind.__doc__:
        doc = inspect.cleandoc(kind.__doc__) + "\n"
        section = "Parameters\n----------\n" + parameters_section(kind) + "\n"
        place = found.start() if (found := _FIRST_SECTION.search(doc)) else len(doc)
        kind.__doc__ = doc[:place] + section + doc[place:]
    return kind


def _order_signature(kind: type[Any]) -> None:
    """Let the signature list keyword-only fields as `options` does: a class's own ones first."""
    signature = inspect.signature(kind.__init__)
    self, *fields = signature.parameters.values()
    if all(field.kind is field.KEYWORD_ONLY for field in fields):
        place = {option.name: i for i, option in enumerate(options(kind))}
        fields.sort(key=lambda field: place[field.name])
        # On __init__ rather than on the class, whose attributes subclasses inherit.
        kind.__init__.__signature__ = signature.replace(parameters=[self, *fields])


def _entry(kind: type[Any], one: Option) -> str:
    text = one.help[:1].upper() + one.help[1:].rstrip(".") + "."
    if one.default is not None and one.default != ():
        text += f" Default: {one.default!r}."
    types = {field.name: field.type for field in dataclasses.fields(kind)}
    lines = textwrap.wrap(text, 96, break_long_words=False, break_on_hyphens=False)
    return f"{one.name} : {types[one.name]}\n" + "".join(f"    {line}\n" for line in lines)
