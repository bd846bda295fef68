"""Fields of a dataclass that are flags of a command."""

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
    """One setting of a separator or command, as the command line offers it.

    Parameters
    ----------
    name : str
        Name of the field.
    default : Any
        Default of the field.
    help : str
        Effect of the setting, in a phrase. Where the default is None, it names the value used.
    flag : str
        Long flag, such as ``--beta-loss``.
    short : str or None
        Short flag, such as ``-s``.
    parse : callable
        Maps the text of the command line to the value. It raises a ValueError for invalid text; the
        message of a `ParameterError` is shown unchanged.
    choices : tuple of str or None
        The only values allowed.
    metavar : str, tuple of str or None
        Placeholder of the value in the help; the flag takes as many values as a tuple has names.
    many : bool
        Whether the flag may be repeated; the field is then a tuple.
    suffixes : tuple of str
        If not empty, the field is no flag but takes the file argument with one of these suffixes.
    content : callable or None
        Recognises that file argument by its content as well.
    required : bool
        Whether the command line must have the flag or the file.
    group : str or None
        Heading of the help that lists the flag.
    switch : bool
        Whether a bool is a plain switch, without ``--no-flag``.
    excludes : str or None
        At most one flag of those with the same text may be used.
    """

    name: str
    default: Any
    help: str
    flag: str
    short: str | None
    parse: Callable[[str], Any]
    choices: tuple[str, ...] | None
    metavar: str | tuple[str, ...] | None
    many: bool
    suffixes: tuple[str, ...]
    content: Callable[[str], bool] | None
    required: bool
    group: str | None
    switch: bool
    excludes: str | None


def name_or_number(text: str) -> str | float:
    """Parse a number, or else a name, such as those of beta-divergences.

    Parameters
    ----------
    text : str

    Returns
    -------
    float or str
    """
    try:
        return float(text)
    except ValueError:
        return text


def option(
    default: Any,
    help: str,
    *,
    flag: str | None = None,
    short: str | None = None,
    parse: Callable[[str], Any] | None = None,
    choices: tuple[str, ...] | None = None,
    metavar: str | tuple[str, ...] | None = None,
    many: bool = False,
    suffixes: tuple[str, ...] = (),
    content: Callable[[str], bool] | None = None,
    required: bool = False,
    group: str | None = None,
    switch: bool = False,
    excludes: str | None = None,
) -> Any:
    """Make a field of a dataclass that is also a flag of a command.

    Parameters
    ----------
    default : Any
        Default of the field. A bool makes a pair of flags, ``--flag`` and ``--no-flag``.
    help : str
        Effect of the setting. The default is added to it, so only a None default needs words.
    flag, short : str, optional
        Long flag, by default the name of the field with dashes, and short flag, such as ``"-s"``.
    parse : callable, optional
        Maps text to the value; by default the type of `default`.
    choices : tuple of str, optional
        The only values allowed.
    metavar : str or tuple of str, optional
        Placeholder of the value in the help. A tuple names several values that the flag takes.
    many : bool
        Whether the flag may be repeated. `default` is then a tuple, and `parse` reads one element.
    suffixes : tuple of str
        If not empty, such as ``(".mid", ".midi")``, the field is no flag but takes the path of a
        second file argument with one of these suffixes; it needs a `metavar`.
    content : callable, optional
        Recognises the second file by its content, whatever its suffix; maps a path to a bool.
    required : bool
        Whether the command line must have the flag or the file.
    group : str, optional
        Heading of the help that lists the flag; by default ``"separation"``.
    switch : bool
        A bool gets ``--flag`` alone, without ``--no-flag``.
    excludes : str, optional
        At most one flag of those with the same text may be used.

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
        "content": content,
        "required": required,
        "group": group,
        "switch": switch,
        "excludes": excludes,
    }
    return dataclasses.field(default=default, metadata={_KEY: meta})


def switch(help: str, *, group: str, short: str | None = None, excludes: str | None = None) -> Any:
    """Make a field that is False unless its flag is on the command line.

    Parameters
    ----------
    help, group, short, excludes
        As for `option`.

    Returns
    -------
    Any
        A `dataclasses.field`.
    """
    return option(False, help, group=group, short=short, excludes=excludes, switch=True)


def options(kind: type[Any], *, own_first: bool = True) -> tuple[Option, ...]:
    """Return the options of a dataclass.

    Parameters
    ----------
    kind : type
        A dataclass; fields that were not made by `option` are passed over.
    own_first : bool
        Whether fields of the class itself come before the inherited ones.

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
    fields = [field for field in dataclasses.fields(kind) if _KEY in field.metadata]
    if own_first:
        fields.sort(key=lambda field: field.name in inherited)
    return tuple(_as_option(field) for field in fields)


def _as_option(field: dataclasses.Field[Any]) -> Option:
    meta = dict(field.metadata[_KEY])
    meta["flag"] = meta["flag"] or "--" + field.name.replace("_", "-")
    return Option(name=field.name, default=field.default, **meta)


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
    return "".join(_entry(kind, entry) for entry in options(kind))


def documented(kind: type[T]) -> type[T]:
    """Insert a Parameters section, generated from the options, into a dataclass's docstring.

    The signature of a dataclass with keyword-only fields lists them in the same order.

    Parameters
    ----------
    kind : type
        Dataclass with fields defined by `option`, and a docstring without such a section.

    Returns
    -------
    type
        The same class.
    """
    _order_signature(kind)
    if kind.__doc__:
        doc = inspect.cleandoc(kind.__doc__) + "\n"
        section = "Parameters\n----------\n" + parameters_section(kind) + "\n"
        match = _FIRST_SECTION.search(doc)
        place = match.start() if match else len(doc)
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


def _entry(kind: type[Any], entry: Option) -> str:
    text = entry.help[:1].upper() + entry.help[1:].rstrip(".") + "."
    if entry.default is not None and entry.default != ():
        text += f" Default: {entry.default!r}."
    types = {field.name: field.type for field in dataclasses.fields(kind)}
    lines = textwrap.wrap(text, 96, break_long_words=False, break_on_hyphens=False)
    return f"{entry.name} : {types[entry.name]}\n" + "".join(f"    {line}\n" for line in lines)
