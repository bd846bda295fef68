"""Spectrograms below one another, on the same axes and colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nmfaudio.display.grid import Grid, draw_grid
from nmfaudio.display.panels import Panels, canvas, note_omitted
from nmfaudio.display.style import plain
from nmfaudio.errors import ParameterError

MOST_PANELS = 8


def draw_stack(
    fig: Any,
    spectrograms: Mapping[str, np.ndarray],
    grid: Grid,
    *,
    label: str | None,
    omitted: int = 0,
    **options: Any,
) -> Panels:
    """Draw spectrograms below one another.

    Parameters
    ----------
    fig : matplotlib.figure.Figure, SubFigure or None
        None for a new figure.
    spectrograms : Mapping of str to np.ndarray [shape=(freq, time)]
        By title, from top to bottom.
    grid : Grid
        Cells of all of them.
    label : str or None
        Label of the colour bar.
    omitted : int
        Number of stems that are not drawn.
    **options
        Further arguments of `draw_grid`.

    Returns
    -------
    Panels
        By title.
    """
    count = len(spectrograms)
    figure = canvas(fig, 9.0, 1.6 * count + 0.6)
    rows = figure.subplots(count, 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, (name, values) in zip(rows, spectrograms.items(), strict=True):
        mesh = draw_grid(axes, values, grid, **options)
        axes.set_title(plain(name), loc="left", fontsize="medium")
        axes.set(xlabel="", ylabel="")
    figure.supylabel(grid.units[0], fontsize="medium")
    rows[-1].set_xlabel(grid.units[1])
    note_omitted(rows[-1], omitted, "stems")
    figure.colorbar(mesh, ax=list(rows), label=label, pad=0.01, aspect=15 * count)
    return Panels(dict(zip(spectrograms, rows, strict=True)), own=fig is None)


def chosen_names(names: Any, known: Any, most: int) -> list[str]:
    """Names of stems to draw: those of the caller, or the first ones.

    Parameters
    ----------
    names : sequence of str or None
    known : iterable of str
    most : int
        Largest number.

    Returns
    -------
    list of str

    Raises
    ------
    ParameterError
        A name is unknown.
    """
    every = list(known)
    if names is None:
        return every[:most]
    chosen = [names] if isinstance(names, str) else list(names)
    for name in chosen:
        if name not in every:
            raise ParameterError(f"no stem is called {name!r}; choose from {', '.join(every)}")
    return chosen
