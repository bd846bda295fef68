"""Number of free components, which model the sounds that a separator has no template of."""

from __future__ import annotations

from collections.abc import Collection

from nmfaudio.errors import ParameterError
from nmfaudio.stems import REST


def count_free_components(n_free: int | None, names: Collection[str], default: int) -> int:
    """Return the number of free components for stems of these names.

    A single stem without free components would be the whole recording.

    Parameters
    ----------
    n_free : int or None
        Setting of the separator; None means `default` for a single stem and none for several.
    names : collection of str
        Distinct names of the stems with templates.
    default : int
        Number of free components beside a single stem.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        There is one stem, and there are to be no free components or both have the same name.

    Examples
    --------
    >>> [count_free_components(None, names, 10) for names in (["oboe", "guitar"], ["oboe"])]
    [0, 10]
    """
    if len(names) > 1:
        return n_free or 0
    name = next(iter(names))
    if name == REST:
        raise ParameterError(
            f"the only stem is called {REST}, as is the stem of all other sounds; give it another "
            "name"
        )
    if n_free == 0:
        raise ParameterError(
            f"n_free is 0 and {name!r} is the only stem, which would be the whole recording; use "
            f"--free {default}, or name further sounds"
        )
    return default if n_free is None else n_free
