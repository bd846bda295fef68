"""Scores of methods of rank selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio.display.panels import Panels, canvas, one_panel
from nmfaudio.display.style import colours, plain, wrapped
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.rank_selection import RankSelection
from nmfaudio.factorisation.rank_selection.ard import RELEVANT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


def plot_rank_selection(
    selections: RankSelection | Sequence[RankSelection] | Mapping[str, RankSelection],
    *,
    true_rank: int | None = None,
    fig: Figure | SubFigure | None = None,
) -> Panels:
    """Draw the scores of several methods of rank selection on one page.

    Parameters
    ----------
    selections : RankSelection, sequence of them, or mapping of str to them
        Selections, by default named by their methods.
    true_rank : int, optional
        Known rank, marked by a dotted line.
    fig : matplotlib.figure.Figure or SubFigure, optional
        Figure to draw into. Default: a new one, which pyplot does not keep open.

    Returns
    -------
    Panels
        Axes by name.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    ParameterError
        There is no selection, or two have the same name.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> V = rng.poisson(rng.gamma(0.5, 20, (20, 3)) @ rng.gamma(0.5, 2, (3, 50)))
    >>> select = na.rank_selection.select_rank
    >>> found = [select(V, range(1, 5), method=method, rng=0) for method in ("error", "ard")]
    >>> list(na.display.plot_rank_selection(found, true_rank=3))
    ['error', 'ard']
    """
    if isinstance(selections, Mapping):
        named = dict(selections)
    else:
        several = [selections] if isinstance(selections, RankSelection) else list(selections)
        named = {selection.method: selection for selection in several}
        if len(named) < len(several):
            raise ParameterError(
                "two selections have the same method; give a mapping of names to selections"
            )
    if not named:
        raise ParameterError("no selection to draw; give one, or several by name")
    across = min(2, len(named))
    down = -(-len(named) // across)
    figure = canvas(fig, 4.5 * across, 2.9 * down)
    panels = figure.subplots(down, across, squeeze=False)
    for (name, selection), axes in zip(named.items(), panels.flat, strict=False):
        plot_rank_scores(selection, title=name, true_rank=true_rank, ax=axes)
    for axes in panels.flat[len(named) :]:
        axes.set_visible(False)
    return Panels(dict(zip(named, panels.flat, strict=False)), own=fig is None)


def plot_rank_scores(
    selection: RankSelection,
    *,
    title: str | None = None,
    true_rank: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the scores of one selection over the ranks, with the selected rank marked.

    Parameters
    ----------
    selection : RankSelection
    title : str, optional
        Default: the name of the method.
    true_rank : int, optional
        Known rank, marked by a dotted line.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into. Default: those of a new figure, which pyplot does not keep open.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`, or the axes of the new figure.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((10, 20))
    >>> selection = na.rank_selection.select_rank(V, range(1, 4), method="error", rng=0)
    >>> na.display.plot_rank_scores(selection).get_title()
    'error: 2'
    """
    axes: Axes = one_panel(ax, 6.0, 3.0)
    from matplotlib.ticker import MaxNLocator  # after one_panel, which checks for matplotlib

    scores = np.array(list(selection.scores.values()))
    line, mark = colours(axes, 2)
    axes.plot(selection.ranks, scores, ".-", color=line)
    axes.plot(selection.best, selection.scores[selection.best], "D", ms=6, color=mark)
    if true_rank is not None:
        axes.axvline(true_rank, ls=":", color="grey", zorder=0)
    _set_scale(axes, scores, relevance=selection.method == "ard")
    known = "" if true_rank is None else f" (true: {true_rank})"
    name = selection.method if title is None else title
    axes.set_title(plain(f"{name}: {selection.best}{known}"), fontsize="medium")
    quantity, _, better = selection.meaning.partition("; ")
    axes.set_xlabel(wrapped(axes, f"components; {better}", "x"), fontsize="small")
    axes.set_ylabel(wrapped(axes, quantity, "y"), fontsize="small")
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    axes.grid(alpha=0.3)
    return axes


def _set_scale(axes: Any, scores: np.ndarray, *, relevance: bool) -> None:
    """Make the axis of scores logarithmic if a single bad one would flatten the rest."""
    low, high = float(np.nanmin(scores)), float(np.nanmax(scores))
    if relevance:  # components of no use may have 1e-250
        low = max(low, RELEVANT / 100)
        axes.axhline(RELEVANT, ls="--", color="grey", zorder=0)
    if not high > 3 * low > 0:
        return
    axes.set_yscale("log")
    axes.set_ylim(low / 1.5, 1.5 * high)
    if high < 100 * low:  # a decade has too few ticks, and minor ones would have long labels
        middle = float(np.sqrt(low * high))
        axes.yaxis.set_ticks([low, middle, high], [f"{x:.2g}" for x in (low, middle, high)])
    axes.yaxis.set_ticks([], minor=True)
