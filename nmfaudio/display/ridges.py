"""Rows of non-negative values as filled curves, one above the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

HEIGHT = 0.92  # of a row, of its largest value


def draw_ridges(
    axes: Any, borders: np.ndarray, rows: np.ndarray, colours: Sequence[str], *, upright: bool
) -> Any:
    """Draw rows of values, each scaled to its maximum.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    borders : np.ndarray [shape=(n + 1,)]
        Borders of the cells of a row.
    rows : np.ndarray [shape=(row, n)]
    colours : sequence of str
        One per row.
    upright : bool
        Whether rows stand side by side and the cells go up, as those of templates beside a
        spectrogram. Else rows lie below one another, the first on top.

    Returns
    -------
    matplotlib.collections.PolyCollection
    """
    from matplotlib.collections import PolyCollection

    outlines = ridge_outlines(borders, rows, upright=upright)
    ridges = PolyCollection(outlines, facecolors=colours, edgecolors=colours, linewidths=0.4)
    axes.add_collection(ridges, autolim=False)
    if upright:
        axes.set_xlim(-0.1, max(len(rows), 1))
    else:
        axes.set_ylim(max(len(rows), 1) - 0.9, -1.05)
    return ridges


def ridge_outlines(borders: np.ndarray, rows: np.ndarray, *, upright: bool) -> list[np.ndarray]:
    """Outlines of the filled curves, for `PolyCollection.set_verts`.

    Parameters
    ----------
    borders, rows, upright
        As in `draw_ridges`.

    Returns
    -------
    list of np.ndarray [shape=(point, 2)]
    """
    along = np.repeat(borders, 2)  # each cell is flat: two points at each border
    outlines = []
    for number, row in enumerate(rows):
        peak = float(row.max(initial=0)) or 1.0
        heights = np.concatenate([[0.0], np.repeat(HEIGHT * row / peak, 2), [0.0]])
        pair = (number + heights, along) if upright else (along, number - heights)
        outlines.append(np.column_stack(pair))
    return outlines
