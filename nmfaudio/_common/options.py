"""Settings of a dataclass that are also flags of a command."""

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
    """Setting of a dataclass as the command line presents it.

    Parameters
    ----------
    name : str
        Name of the field.
    default : Any
        Default of the field.
    help : str
        Effect of the setting in a phrase. For a default of None it states what is used instead.
    flag : str
        Long flag, such as ``--beta-loss``.
    short : str or None
        Short flag, such as ``-s``.
    parse : callable
        Maps the text of the command line to the value. It raises a ValueError for invalid text; the
        message of a `ParameterError` is shown as it is.
    choices : tuple of str or None
        Allowed values.
    metavar : str or None
        Placeholder of the value in the help.
    many : bool
        Whether the flag may be repeated; the field is then a tuple.
    suffixes : tuple of str
        If not empty, the field is no flag but takes the file argument with one of these suffixes.
    required : bool
        Whether that file argument is required.
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
    """Define a field of a dataclass that is also a flag of its command.

    Parameters
    ----------
    default : Any
        Default of the field. A bool makes a switch, ``--flag`` and ``--no-flag``.
    help : str
        Effect of the setting in a phrase. The default is appended automatically; only a default of
        None has to be described here.
    flag, short : str, optional
        Long flag, by default the name of the field with dashes, and short flag, such as ``"-s"``.
    parse : callable, optional
        Maps text to the value; by default the type of `default`.
    choices : tuple of str, optional
        Allowed values.
    metavar : str, optional
        Placeholder of the value in the help.
    many : bool
        Whether the flag may be repeated. `default` is then a tuple, and `parse` reads one element.
    suffixes : tuple of str
        If not empty, such as ``(".mid", ".midi")``, the field is no flag but takes the path of a
        second file argument with one of these suffixes; it needs a `metavar`.
    required : bool
        Whether that file argument is required.

    Returns
    -------
    Any
        A `dataclasses.field`, typed so that it can be assigned to a field of any type.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Amplifier:
    ...     gain: float = option(2.0, "factor applied to the samples", metavar="FACTOR")
    >>> [(setting.flag, setting.default) for setting in options(Amplifier)]
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


def options(kind: type[Any]) -> tuple[Option, ...]:
    """Settings of a dataclass: its own fields first, then inherited ones.

    Parameters
    ----------
    kind : type
        Dataclass with fields defined by `option`.

    Returns
    -------
    tuple of Option
    """
    inherited = {
        field.name
        for parent in kind.__mro__[1:]
        if dataclasses.is_dataclass(parent)
        for field in dataclasses.fields(parent)
    }
    fields = sorted(dataclasses.fields(kind), key=lambda field: field.name in inherited)
    return tuple(_as_option(field) for field in fields)


def _as_option(field: dataclasses.Field[Any]) -> Option:
    entries = dict(field.metadata[_KEY])
    entries["flag"] = entries["flag"] or "--" + field.name.replace("_", "-")
    return Option(name=field.name, default=field.default, **entries)


_FIRST_SECTION = re.compile(
    r"^ *(Raises|References|Examples|Notes|See Also)\n *-{3,}$", re.MULTILINE
)


def parameters_section(kind: type[Any]) -> str:
    """Numpydoc entries for the options of a dataclass.

    Parameters
    ----------
    kind : type
        Dataclass with fields defined by `option`.

    Returns
    -------
    str
        One entry per option, without heading and indentation.
    """
    return "".join(_entry(kind, setting) for setting in options(kind))


def documented(kind: type[T]) -> type[T]:
    """Insert a Parameters section, generated from the options, into a dataclass's docstring.

    Parameters
    ----------
    kind : type
        Dataclass with fields defined by `option`, and a docstring without such a section.

    Returns
    -------
    type
        The same class.
    """
    if kind.__doc__:
        doc = inspect.cleandoc(kind.__doc__) + "\n"
        section = "Parameters\n----------\n" + parameters_section(kind) + "\n"
        # numpydoc requires Parameters before all other sections.
        place = match.start() if (match := _FIRST_SECTION.search(doc)) else len(doc)
        kind.__doc__ = doc[:place] + section + doc[place:]
    return kind


def _entry(kind: type[Any], setting: Option) -> str:
    """Numpydoc entry of one option."""
    text = setting.help[:1].upper() + setting.help[1:].rstrip(".") + "."
    if setting.default is not None and setting.default != ():
        text += f" Default: {setting.default!r}."
    types = {field.name: field.type for field in dataclasses.fields(kind)}
    lines = textwrap.wrap(text, 96, break_long_words=False, break_on_hyphens=False)
    entry = f"{setting.name} : {types[setting.name]}\n"
    return entry + "".join(f"    {line}\n" for line in lines)
