"""Scores of methods of rank selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio.display.panels import Panels, canvas, one_panel
from nmfaudio.display.style import colours, plain
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.rank_selection import RankSelection

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

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((10, 20))
    >>> selection = na.rank_selection.select_rank(V, range(1, 4), method="error", rng=0)
    >>> na.display.plot_rank_scores(selection).get_xlabel()
    'components'
    """
    axes: Axes = one_panel(ax, 6.0, 3.0)
    from matplotlib.ticker import MaxNLocator  # after one_panel, which checks for matplotlib

    scores = np.array(list(selection.scores.values()))
    line, mark = colours(axes, 2)
    axes.plot(selection.ranks, scores, ".-", color=line)
    best = selection.scores[selection.best]
    axes.plot(selection.best, best, "D", ms=8, color=mark, label=f"best: {selection.best}")
    if true_rank is not None:
        axes.axvline(true_rank, ls=":", color="grey", zorder=0, label=f"true: {true_rank}")
    low, high = np.nanmin(scores), np.nanmax(scores)
    if high > 3 * low > 0:  # a single bad fold would flatten the rest
        axes.set_yscale("log")
        _label_ends(axes, float(low), float(high))
    quantity, _, better = selection.meaning.partition("; ")
    name = plain(selection.method if title is None else title)
    axes.set_title(f"{name}: {better}", fontsize="medium", loc="left", wrap=True)
    axes.set(xlabel="components")
    axes.set_ylabel(quantity, fontsize="small")
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return axes


def _label_ends(axes: Any, low: float, high: float) -> None:
    """Label the ends of a logarithmic axis of less than a decade, which would have no label."""
    if high < 10 * low:
        axes.yaxis.set_ticks([low, high], [f"{low:.2g}", f"{high:.2g}"])
        axes.yaxis.set_ticks([], minor=True)
