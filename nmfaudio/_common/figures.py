"""The figure that every picture is drawn in."""

from __future__ import annotations

from typing import Any

from nmfaudio.errors import MissingExtraError


def new_figure(width: float, height: float) -> Any:
    """A matplotlib figure of so many inches that belongs to nobody."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingExtraError(
            "matplotlib is not installed; pictures need it: pip install 'nmfaudio[plot]'"
        ) from error
    figure = pyplot.figure(figsize=(width, height), layout="constrained")
    pyplot.close(figure)  # or a notebook would show it twice
    return figure
