"""Scores of systems on the same pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from nmfaudio.display.panels import one_panel
from nmfaudio.display.style import MARKERS, colours, ink, label_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class PieceComparison(Protocol):
    """Scores of systems by piece, such as a `Comparison`."""

    @property
    def pieces(self) -> Sequence[str]: ...
    @property
    def scores(self) -> Mapping[str, np.ndarray]: ...
    @property
    def measure(self) -> str: ...


def plot_comparison(comparison: PieceComparison, *, ax: Axes | None = None) -> Axes:
    """Draw the scores of systems as dots, with a line for each piece and the means as bars.

    Parameters
    ----------
    comparison : Comparison
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
    >>> import nmfaudio as na
    >>> scores = {"ours": {"waltz": 0.9, "march": 0.8}, "theirs": {"waltz": 0.7, "march": 0.7}}
    >>> ax = na.display.plot_comparison(na.compare(scores))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['ours', 'theirs']
    """
    systems = list(comparison.scores)
    axes: Axes = one_panel(ax, 6.0, 1.2 + 0.5 * len(systems))
    rows = np.arange(len(systems))
    values = np.array([comparison.scores[system] for system in systems])  # (system, piece)
    axes.plot(values, rows, color=ink(axes), alpha=0.25, linewidth=0.8)
    for row, colour, marker, scores in zip(
        rows, colours(axes, len(systems)), MARKERS * len(systems), values, strict=False
    ):
        axes.plot(scores, np.full(len(scores), row), marker, color=colour, markersize=5)
        axes.plot([scores.mean()] * 2, [row - 0.3, row + 0.3], color=colour, linewidth=3)
    axes.set_ylim(len(systems) - 0.5, -0.5)
    label_rows(axes, systems)
    axes.set_xlabel(comparison.measure or "score")
    return axes
