"""Assignment of components to stems, as users write it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nmfaudio._common.files import show
from nmfaudio._common.files.json_files import read_json
from nmfaudio._common.validation import as_count, shown
from nmfaudio.errors import ParameterError

_EXAMPLE = '{"drums": [0, 3], "bass": [1]}'


def read_groups(path: str | os.PathLike[str]) -> dict[str, list[int]]:
    """Read a JSON file of groups.

    Parameters
    ----------
    path : str or os.PathLike
        File of an object with the components of each stem, ``{"drums": [0, 3], "bass": [1]}``.

    Returns
    -------
    dict of str to list of int

    Raises
    ------
    AudioFileError
        The file cannot be read or is not JSON.
    ParameterError
        It holds something else, or a component twice.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise ParameterError(
            f"{show(path)}: holds {shown(content)}; need an object such as {_EXAMPLE}"
        )
    try:
        return checked_groups(content)
    except ParameterError as error:
        raise ParameterError(f"{show(path)}: {error}") from None


def checked_groups(groups: Mapping[str, Iterable[int]]) -> dict[str, list[int]]:
    """Return groups of components after a check.

    Parameters
    ----------
    groups : mapping of str to iterable of int
        Components of each stem.

    Returns
    -------
    dict of str to list of int

    Raises
    ------
    ParameterError
        A name or a component is invalid, a stem has no component, or a component is listed twice.
    """
    checked: dict[str, list[int]] = {}
    owner: dict[int, str] = {}
    for name, members in groups.items():
        if not (isinstance(name, str) and name):
            raise ParameterError(f"a stem is called {shown(name)}; give it a name")
        checked[name] = _members(name, members)
        for k in checked[name]:
            if k in owner:
                raise ParameterError(
                    f"component {k} is in {show(owner[k])} and in {show(name)}; list it in one of"
                    " them"
                    if owner[k] != name
                    else f"component {k} is twice in {show(name)}; list it once"
                )
            owner[k] = name
    return checked


def _members(name: str, members: Any) -> list[int]:
    """Components of a stem."""
    if isinstance(members, str | bytes | Mapping) or not isinstance(members, Iterable):
        raise ParameterError(
            f"the components of {show(name)} are {shown(members)}; need a list such as [0, 3]"
        )
    checked = [as_count(k, f"a component of {show(name)}", low=0) for k in members]
    if not checked:
        raise ParameterError(f"{show(name)} has no components; list one, or leave out the stem")
    return checked


def parse_groups(texts: Sequence[str]) -> dict[str, list[int]]:
    """Parse texts such as ``drums=0,3,5-7``.

    Parameters
    ----------
    texts : sequence of str
        A name may be repeated.

    Returns
    -------
    dict of str to list of int

    Raises
    ------
    ParameterError
        A text has another form.

    Examples
    --------
    >>> parse_groups(["drums=0,5-7", "bass=1"])
    {'drums': [0, 5, 6, 7], 'bass': [1]}
    """
    groups: dict[str, list[int]] = {}
    for text in texts:
        name, equals, members = text.partition("=")
        if not (name and equals):
            raise ParameterError(
                f"{text!r} is not a group; write NAME=COMPONENTS, as drums=0,3,5-7"
            )
        groups.setdefault(name, []).extend(k for part in members.split(",") for k in _range(part))
    return groups


def _range(text: str) -> range:
    """Parse ``7``, or ``5-7`` with both ends."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    ends = (first, last) if dash else (first, first)
    if not all(end.isascii() and end.isdecimal() for end in ends) or int(ends[0]) > int(ends[1]):
        raise ParameterError(
            f"{text!r} is not a component; write numbers and ranges from 0 up, as 0,3,5-7"
        )
    if int(ends[1]) - int(ends[0]) > 100_000:
        raise ParameterError(f"{text!r} has more components than any model")
    return range(int(ends[0]), int(ends[1]) + 1)
