"""Rows of non-negative values: filled curves, or bands of pixels where a row has several lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmfaudio.display.grid import pool

HEIGHT = 0.92  # of a row, of its largest value
_MOST_LINES = 48  # of a band; lines beyond these are pooled


def draw_rows(
    axes: Any, values: np.ndarray, borders: np.ndarray, colours: Sequence[str], *, upright: bool
) -> Any:
    """Draw rows of values, each scaled to its maximum.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    values : np.ndarray [shape=(row, n) or (row, line, n)]
        Rows, drawn as filled curves; those of several lines as bands of pixels.
    borders : np.ndarray [shape=(n + 1,)]
        Borders of the cells of a row.
    colours : sequence of str
        One per row.
    upright : bool
        Whether rows stand side by side and the cells go up, as those of templates beside a
        spectrogram. Else rows lie below one another, the first on top.

    Returns
    -------
    matplotlib.collections.PolyCollection or matplotlib.collections.QuadMesh
    """
    draw = _draw_ridges if values.ndim == 2 else _draw_bands
    drawn = draw(axes, borders, values, colours, upright=upright)
    if upright:
        axes.set_xlim(-0.1, max(len(values), 1))
    else:
        axes.set_ylim(max(len(values), 1) - 0.9, -1.05)
    return drawn


def _draw_ridges(
    axes: Any, borders: np.ndarray, rows: np.ndarray, colours: Sequence[str], *, upright: bool
) -> Any:
    from matplotlib.collections import PolyCollection

    outlines = _outlines(borders, rows, upright=upright)
    ridges = PolyCollection(outlines, facecolors=colours, edgecolors=colours, linewidths=0.4)
    axes.add_collection(ridges, autolim=False)
    return ridges


def _outlines(borders: np.ndarray, rows: np.ndarray, *, upright: bool) -> list[np.ndarray]:
    """Outlines [shape=(point, 2)] of the filled curves."""
    along = np.repeat(borders, 2)  # each cell is flat: two points at each border
    outlines = []
    for number, row in enumerate(rows):
        peak = float(row.max(initial=0)) or 1.0
        heights = np.concatenate([[0.0], np.repeat(HEIGHT * row / peak, 2), [0.0]])
        pair = (number + heights, along) if upright else (along, number - heights)
        outlines.append(np.column_stack(pair))
    return outlines


def _draw_bands(
    axes: Any, borders: np.ndarray, rows: np.ndarray, colours: Sequence[str], *, upright: bool
) -> Any:
    """Draw a band of pixels per row; its opacity is the cube root of the value."""
    from matplotlib.colors import to_rgb

    lines = np.arange(rows.shape[1] + 1)
    rows, _ = pool(rows, lines, np.linspace(0, lines[-1], _MOST_LINES), axis=1)
    count, across, cells = rows.shape
    peaks = rows.max(axis=(1, 2), keepdims=True)
    pixels = np.zeros((count, across + 1, cells, 4))  # the last line is the gap to the next band
    pixels[..., :3] = np.array([to_rgb(colour) for colour in colours])[:, None, None]
    ordered = rows if upright else rows[:, ::-1]
    pixels[:, :across, :, 3] = np.cbrt(ordered / np.where(peaks > 0, peaks, 1))
    first = 0.0 if upright else -HEIGHT
    offsets = first + HEIGHT * np.arange(across + 1) / across
    edges = np.append((np.arange(count)[:, None] + offsets).ravel(), count + first)
    pixels = pixels.reshape(-1, cells, 4)
    x, y = (edges, borders) if upright else (borders, edges)
    image = pixels.transpose(1, 0, 2) if upright else pixels
    return axes.pcolormesh(x, y, image, shading="flat", rasterized=True)
