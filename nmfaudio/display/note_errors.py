"""Errors of transcribed notes by kind, and scores over the tolerance of onsets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np

from nmfaudio.display.evaluation import draw_bars
from nmfaudio.display.panels import one_panel
from nmfaudio.display.style import DASHES, colours, legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class KindCounts(Protocol):
    """Numbers of notes by kind, such as `NoteErrors`."""

    @property
    def counts(self) -> Mapping[str, int]: ...


class Curve(Protocol):
    """Scores over tolerances, such as a `ToleranceCurve`."""

    @property
    def tolerances(self) -> np.ndarray: ...
    @property
    def precision(self) -> np.ndarray: ...
    @property
    def recall(self) -> np.ndarray: ...
    @property
    def f(self) -> np.ndarray: ...


def plot_note_errors(errors: KindCounts, *, ax: Axes | None = None) -> Axes:
    """Draw the number of transcribed notes of each kind of error as bars.

    Parameters
    ----------
    errors : NoteErrors
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
    >>> errors = na.metrics.note_errors([na.Note(0, 1, 60)], [na.Note(0, 1, 72)])
    >>> ax = na.display.plot_note_errors(errors)
    >>> ax.get_xlabel()
    'notes'
    """
    counts = errors.counts
    axes: Axes = one_panel(ax, 6.0, 1.2 + 0.28 * len(counts))
    bars = np.array(list(counts.values()), float)
    draw_bars(axes, list(counts), {"notes": bars}, label="notes", decimals=0)
    return axes


def plot_tolerance_curve(curve: Curve, *, ax: Axes | None = None) -> Axes:
    """Draw precision, recall and F-measure of onsets over their tolerance.

    Parameters
    ----------
    curve : ToleranceCurve
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
    >>> curve = na.metrics.tolerance_curve([na.Note(0, 1, 60)], [na.Note(0.03, 1, 60)])
    >>> ax = na.display.plot_tolerance_curve(curve)
    >>> ax.get_xlabel()
    'tolerance of onsets (ms)'
    """
    axes: Axes = one_panel(ax, 6.0, 3.2)
    scores = {"precision": curve.precision, "recall": curve.recall, "F-measure": curve.f}
    for (name, values), colour, dashes in zip(
        scores.items(), colours(axes, len(scores)), DASHES, strict=False
    ):
        axes.plot(1000 * curve.tolerances, values, color=colour, linestyle=dashes, label=name)
    axes.set_xlabel("tolerance of onsets (ms)")
    axes.set_ylim(0, 1.02)
    legend_above(axes, len(scores))
    return axes
