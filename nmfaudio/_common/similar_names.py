"""Suggestion of a known name for one that is misspelt."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_CLOSE = 0.75  # similarity of difflib, from which on a name is taken for a misspelt one


def nearest(text: str, known: Iterable[str]) -> str:
    """Suggest a known name in a message.

    Parameters
    ----------
    text : str
        Name that is not known.
    known : iterable of str

    Returns
    -------
    str
        ``; did you mean …?`` with the most similar of the known names, or an empty string if none
        is similar.
    """
    close = difflib.get_close_matches(text, list(known), n=1, cutoff=_CLOSE)
    return f"; did you mean {close[0]}?" if close else ""
