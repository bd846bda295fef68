"""Colours, dashes and markers that are distinct to the colour-blind, on light and dark figures."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
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
_LETTER = 0.6  # mean width of a letter, of the size of its font
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


def free_labels(axes: Any, axis: str, *, taken: float = 0.0) -> int:
    """Number of tick labels that fit along an axis without touching one another.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    axis : "x" or "y"
        Labels along x are taken for rotated by 90 degrees.
    taken : float
        Length that the layout takes from the axis, in points.

    Returns
    -------
    int
        At least 2.
    """
    # Names of rows and a legend take more of the width than of the height.
    spacing = 1.25 if axis == "y" else 2.2
    return max(2, int((_length(axes, axis) - taken) / (spacing * _label_size(axis))))


def _label_size(axis: str) -> float:
    """Size of tick labels in points."""
    from matplotlib import rcParams

    return _points(rcParams["ytick.labelsize" if axis == "y" else "xtick.labelsize"])


def _points(size: str | float) -> float:
    """Size of a font in points."""
    from matplotlib.font_manager import FontProperties

    return float(FontProperties(size=size).get_size_in_points())


def _length(axes: Any, axis: str) -> float:
    """Length of an axis in points, before the layout shrinks it."""
    box, pixels = axes.get_position(), axes.figure.bbox
    inches = box.height * pixels.height if axis == "y" else box.width * pixels.width
    return float(72 * inches / axes.figure.dpi)


def label_rows(
    axes: Any,
    names: Sequence[str],
    axis: str = "y",
    *,
    offset: float = 0.0,
    share: float = 0.0,
    taken: float = 0.0,
) -> None:
    """Label rows 0, 1, … of an axis by name, as many as fit.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    names : sequence of str
    axis : "x" or "y"
        Labels along x are rotated by 90 degrees.
    offset : float
        Distance of each label from the number of its row.
    share : float
        Part of the width that names beside rows may take, where that is more than usual.
    taken : float
        As in `free_labels`.
    """
    every = -(-len(names) // free_labels(axes, axis, taken=taken))
    longest = letters_within(axes, share)
    rows = range(0, len(names), every)
    ticks = axes.xaxis if axis == "x" else axes.yaxis
    ticks.set_ticks(
        [row + offset for row in rows],
        [plain(shortened(names[row], longest)) for row in rows],
        rotation=90 if axis == "x" else 0,
    )
    axes.tick_params(axis=axis, length=0)


def letters_within(axes: Any, share: float) -> int:
    """Number of letters of a label that fit into a part of the width of axes.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    share : float
        Part of the width.

    Returns
    -------
    int
    """
    return int(share * _length(axes, "x") / (_LETTER * _label_size("y")))


def length_of_names(names: Sequence[str]) -> float:
    """Length of the longest name below rotated ticks, in points.

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    float
    """
    return _LETTER * _label_size("x") * max((len(shortened(name)) for name in names), default=0)


def values_fit(axes: Any, bars: int) -> bool:
    """Return whether values in small letters fit beside horizontal bars.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    bars : int
        Number of bars below one another, including gaps.

    Returns
    -------
    bool
    """
    return _length(axes, "y") / bars > 0.8 * _points("x-small")


def legend_above(axes: Any, columns: int) -> None:
    """Add a legend above the axes, where it covers no data.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    columns : int
        Largest number of columns; there are as many as fit.
    """
    names = axes.get_legend_handles_labels()[1]
    letters = max(map(len, names), default=0) + 7  # with the sample of the line and a gap
    fitting = int(1.2 * _length(axes, "x") / (_LETTER * _points("small") * letters))
    axes.legend(
        fontsize="small",
        ncols=max(1, min(columns, fitting)),
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
    letter = 0.75 * _points(size)  # mean width, with a margin
    return textwrap.fill(text, max(10, int(_length(axes, axis) / letter)))


def shortened(text: str, longest: int = 0) -> str:
    """Cut a long name, so that the picture keeps most of the figure.

    Parameters
    ----------
    text : str
    longest : int
        Number of letters, where that is more than usual.

    Returns
    -------
    str

    Examples
    --------
    >>> shortened("acoustic grand piano"), shortened("piano"), shortened("electric piano", 14)
    ('acoustic gra…', 'piano', 'electric piano')
    """
    most = max(_LONGEST, longest)
    return text if len(text) <= most else text[: most - 1] + "…"


def plain(text: Any) -> str:
    r"""Return text in which dollar signs do not begin formulas.

    Examples
    --------
    >>> plain("$tem")
    '\\$tem'
    """
    return str(text).replace("$", r"\$")
