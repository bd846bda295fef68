"""Matplotlib figures."""

from __future__ import annotations

import importlib
import io
from typing import Any

from nmfaudio._common.extras import missing_extra


def new_figure(width: float, height: float) -> Any:
    """Create a matplotlib figure that pyplot does not manage.

    Parameters
    ----------
    width, height : float
        Size in inches.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise missing_extra("plot", "plots") from error
    figure = pyplot.figure(figsize=(width, height), layout="constrained")
    pyplot.close(figure)  # otherwise a notebook would show it twice
    return figure


def encode_figure(figure: Any) -> bytes:
    """Draw a figure as a PNG file of 150 dots per inch.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    bytes
        Content of the file.
    """
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=150)
    return content.getvalue()


def draw(function: str, result: Any, **options: Any) -> Any:
    """Draw a result by a function of `nmfaudio.display`, for its method `plot`.

    Results of packages that `nmfaudio.display` draws from find the function by name when the
    method is called, since they cannot import what imports them.

    Parameters
    ----------
    function : str
        Name of the function.
    result : object
        First argument.
    **options
        Further arguments.

    Returns
    -------
    Axes or Panels
        As the function returns.
    """
    return getattr(importlib.import_module("nmfaudio.display"), function)(result, **options)
