"""Refusal of settings that a class does not have."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Sequence
from typing import Any, Self

from nmfaudio.errors import UnknownSettingError


class Settings:
    """Base of dataclasses of settings, which refuses settings that the dataclass does not have.

    The check is in ``__new__``, so that it covers subclasses, whose ``__init__`` `dataclass` makes.

    Raises
    ------
    UnknownSettingError
        A keyword is no setting of the class, or there are more positional values than settings
        that may be positional.
    """

    def __new__(cls, *values: Any, **settings: Any) -> Self:
        """Check the settings; ``__init__`` stores them."""
        _, *parameters = inspect.signature(cls.__init__).parameters.values()
        names = [parameter.name for parameter in parameters]
        check_settings(cls.__name__, settings, names)
        positional = sum(parameter.kind is not parameter.KEYWORD_ONLY for parameter in parameters)
        if len(values) > positional:
            raise UnknownSettingError(
                f"{cls.__name__} takes {positional or 'no'} settings by position, got "
                f"{len(values)}; name them, as in {names[positional]}=…"
            )
        return super().__new__(cls)


def check_settings(owner: str, settings: Iterable[str], known: Sequence[str]) -> None:
    """Raise an `UnknownSettingError` if a setting is not known.

    Parameters
    ----------
    owner : str
        Class or function of the settings, as the message names it.
    settings : iterable of str
        Names to check.
    known : sequence of str
        Names of all settings.
    """
    for name in settings:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise UnknownSettingError(
                f"{owner} has no setting {name!r}; {hint}choose from {', '.join(known) or 'none'}"
            )
