"""Axes that figures are drawn into: those of the caller, or of a figure of their own."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial
from typing import Any

from nmfaudio._common.figures import new_figure
from nmfaudio.errors import ParameterError


class Panels(dict[str, Any]):
    """Axes of a figure of several panels, by name.

    A notebook shows the figure, unless it was passed by the caller, who shows it.

    Parameters
    ----------
    axes : Mapping of str to matplotlib.axes.Axes
    own : bool
        Whether the figure was made for these panels.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> panels = na.plot_factors(na.nmf(np.random.default_rng(0).random((20, 30)), 3, rng=0))
    >>> list(panels)
    ['V', 'W', 'H', 'legend']
    >>> panels["V"].get_title()
    'model'
    """

    def __init__(self, axes: Mapping[str, Any], *, own: bool = False) -> None:
        super().__init__(axes)
        self._own = own

    @property
    def figure(self) -> Any:
        """Figure or subfigure of the panels."""
        return next(iter(self.values())).figure

    def _repr_png_(self) -> bytes | None:
        return _png(self.figure) if self._own else None


def one_panel(ax: Any, width: float, height: float) -> Any:
    """Return the axes of the caller, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
    width, height : float
        Size of a new figure in inches.

    Returns
    -------
    matplotlib.axes.Axes
    """
    if ax is not None:
        return ax
    figure = new_figure(width, height)
    axes = figure.add_subplot()
    # pyplot does not know the figure, so that a notebook would show the text of the axes.
    axes._repr_png_ = partial(_png, figure)
    return axes


def canvas(fig: Any, width: float, height: float) -> Any:
    """Return the figure of the caller, or a new one.

    Parameters
    ----------
    fig : matplotlib.figure.Figure, matplotlib.figure.SubFigure or None
    width, height : float
        Size of a new figure in inches.

    Returns
    -------
    matplotlib.figure.Figure or matplotlib.figure.SubFigure

    Raises
    ------
    ParameterError
        `fig` is axes.
    """
    if fig is None:
        return new_figure(width, height)
    if not hasattr(fig, "add_gridspec"):
        raise ParameterError(
            f"fig is a {type(fig).__name__}; it must be a Figure or SubFigure, since the picture "
            "has several panels"
        )
    return fig


def _png(figure: Any) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()


def note_omitted(axes: Any, count: int, what: str) -> None:
    """Write below axes how many rows are not drawn, if there are any.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    count : int
        Number of rows that are not drawn.
    what : str
        Plural noun.
    """
    if count:
        text = f"{what} omitted: {count}"
        axes.set_xlabel("\n".join(filter(None, (axes.get_xlabel(), text))))
