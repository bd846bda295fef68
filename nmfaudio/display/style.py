"""Colours, dashes and markers that are distinct to the colour-blind, on light and dark figures."""

from __future__ import annotations

import textwrap
from itertools import cycle, islice
from typing import Any

DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
HATCHES = ("", "//", "..", "xx", "\\\\", "--")

# Okabe & Ito (2008), "Color universal design", without the hues that their background swallows:
# yellow on white, dark blue on black.
_ON_LIGHT = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
_ON_DARK = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#D55E00")
_LONGEST = 13  # letters of names beside rows
_LUMINANCE = (0.2126, 0.7152, 0.0722)  # of linear red, green and blue, ITU-R BT.709


def is_dark(axes: Any) -> bool:
    """Return whether the background of axes is dark.

    Parameters
    ----------
    axes : matplotlib.axes.Axes

    Returns
    -------
    bool
    """
    from matplotlib.colors import to_rgba

    *rgb, alpha = to_rgba(axes.get_facecolor())
    if alpha == 0:  # transparent axes show their figure
        rgb = list(to_rgba(axes.figure.get_facecolor())[:3])
    return sum(w * c for w, c in zip(_LUMINANCE, rgb, strict=True)) < 0.5


def colours(axes: Any, count: int) -> list[str]:
    """Return colours that stand out from the background of axes.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    count : int
        Number of colours; beyond six they repeat, so dashes, markers or hatches must differ, too.

    Returns
    -------
    list of str
    """
    return list(islice(cycle(_ON_DARK if is_dark(axes) else _ON_LIGHT), count))


def ink(axes: Any) -> str:
    """Return black or white, whichever contrasts with the background of axes."""
    return "white" if is_dark(axes) else "black"


def free_labels(axes: Any, axis: str) -> int:
    """Number of tick labels that fit along an axis without touching one another.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    axis : "x" or "y"
        Labels along x are taken for rotated by 90 degrees.

    Returns
    -------
    int
        At least 2.
    """
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties

    size = FontProperties(
        size=rcParams["ytick.labelsize" if axis == "y" else "xtick.labelsize"]
    ).get_size_in_points()
    # Names of rows and a legend take more of the width than of the height.
    spacing = 1.25 if axis == "y" else 2.2
    return max(2, int(_length(axes, axis) / (spacing * size)))


def _length(axes: Any, axis: str) -> float:
    """Length of an axis in points, before the layout shrinks it."""
    box, pixels = axes.get_position(), axes.figure.bbox
    inches = box.height * pixels.height if axis == "y" else box.width * pixels.width
    return float(72 * inches / axes.figure.dpi)


def label_rows(axes: Any, names: Any, axis: str = "y", *, offset: float = 0.0) -> None:
    """Label rows 0, 1, … of an axis by name, as many as fit.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    names : sequence of str
    axis : "x" or "y"
        Labels along x are rotated by 90 degrees.
    offset : float
        Distance of each label from the number of its row.
    """
    every = -(-len(names) // free_labels(axes, axis))
    rows = range(0, len(names), every)
    ticks = axes.xaxis if axis == "x" else axes.yaxis
    ticks.set_ticks(
        [row + offset for row in rows],
        [plain(shortened(names[row])) for row in rows],
        rotation=90 if axis == "x" else 0,
    )
    axes.tick_params(axis=axis, length=0)


def legend_above(axes: Any, columns: int) -> None:
    """Add a legend above the axes, where it covers no data.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    columns : int
    """
    axes.legend(
        fontsize="small",
        ncols=columns,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        frameon=False,
        borderaxespad=0.2,
        handlelength=1.8,
        columnspacing=1.2,
    )


def wrapped(axes: Any, text: str, axis: str, size: str = "small") -> str:
    """Break text into lines that are no longer than an axis.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    text : str
    axis : "x" or "y"
    size : str
        Size of the font, as matplotlib names it.

    Returns
    -------
    str
    """
    from matplotlib.font_manager import FontProperties

    letter = 0.75 * FontProperties(size=size).get_size_in_points()  # mean width, with a margin
    return textwrap.fill(text, max(10, int(_length(axes, axis) / letter)))


def shortened(text: str) -> str:
    """Cut a long name, so that the picture keeps most of the figure.

    Examples
    --------
    >>> shortened("acoustic grand piano"), shortened("piano")
    ('acoustic gra…', 'piano')
    """
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def plain(text: Any) -> str:
    r"""Return text in which dollar signs do not begin formulas.

    Examples
    --------
    >>> plain("$tem")
    '\\$tem'
    """
    return str(text).replace("$", r"\$")
