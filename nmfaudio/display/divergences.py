"""Beta-divergences as functions of the model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio._common.validation import as_number
from nmfaudio.display.panels import one_panel
from nmfaudio.display.style import DASHES, colours, legend_above, plain
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.divergences import Beta, Divergence, divergence_named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 241
_NAMES = {0.0: "Itakura–Saito", 1.0: "Kullback–Leibler", 2.0: "Euclidean"}


def plot_divergences(
    divergences: Sequence[str | float | Divergence] = (0, 1, 2),
    *,
    value: float = 1.0,
    names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the cost of a model of one value of the data, d(v | y) over y.

    Parameters
    ----------
    divergences : sequence of float, str or Divergence
        Values of β, or divergences.
    value : float
        Value v of the data; the model y runs from 0 to 4 v.
    names : sequence of str, optional
        Labels of the curves. Default: β and the name of the divergence.
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
    ParameterError
        `value` is not above 0, there is no divergence, or not one name for each.

    Examples
    --------
    >>> import nmfaudio as na
    >>> ax = na.display.plot_divergences([0, 1, 2, 0.5])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['β = 0, Itakura–Saito', 'β = 1, Kullback–Leibler', 'β = 2, Euclidean', 'β = 0.5']
    """
    v = as_number(value, "value", above=0)
    costs = [divergence_named(d) for d in divergences]
    labels = [_label(cost) for cost in costs] if names is None else list(names)
    if not costs or len(labels) != len(costs):
        raise ParameterError(f"{len(labels)} names for {len(costs)} divergences; give one for each")
    axes: Axes = one_panel(ax, 5.0, 3.4)
    y = np.linspace(0, 4 * v, _POINTS)[1:]
    looks = zip(colours(axes, len(costs)), cycle(DASHES), strict=False)
    for cost, label, (colour, dash) in zip(costs, labels, looks, strict=False):
        d = [cost.value(np.array([[v]]), np.array([[model]]), None) for model in y]
        axes.plot(y, d, linestyle=dash, color=colour, label=plain(label), lw=2)
    axes.axvline(v, color="grey", lw=0.8, zorder=0)
    # Three times the steepest cost of twice the data keeps the poles at y = 0 out.
    highest = 3 * max(cost.value(np.array([[v]]), np.array([[2 * v]]), None) for cost in costs)
    axes.set(xlim=(0, 4 * v), ylim=(0, highest))
    axes.set(xlabel=f"model y, of the value v = {v:g}", ylabel="cost d(v | y)")
    legend_above(axes, min(2, len(costs)))
    axes.grid(alpha=0.3)
    return axes


def _label(divergence: Divergence) -> str:
    if not isinstance(divergence, Beta):
        return type(divergence).__name__
    name = _NAMES.get(divergence.beta)
    return f"β = {divergence.beta:g}" + (f", {name}" if name else "")
