"""Errors of transcriptions by kind, pitch and loudness, and scores by tolerance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nmfaudio.display.evaluation import draw_bars
from nmfaudio.display.panels import Panels, canvas, one_panel
from nmfaudio.display.style import DASHES, MARKERS, colours, legend_above, plain
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARGIN = 1.14  # space for the numbers at the ends of bars
_TICKS = (5, 10, 20, 50, 100, 200, 500, 1000)  # ms
_TITLES = {"kind": "by kind", "pitch": "by pitch", "velocity": "by velocity"}


class NoteErrors(Protocol):
    """Numbers of errors by kind, such as `TranscriptionErrors`."""

    @property
    def missed(self) -> Mapping[str, int]: ...
    @property
    def extra(self) -> Mapping[str, int]: ...
    def by_pitch(self) -> Mapping[str, NoteErrors]: ...
    def by_velocity(self) -> Mapping[str, NoteErrors]: ...


class OnsetScores(Protocol):
    """F-measures by tolerance, such as a `ToleranceCurve`."""

    @property
    def tolerances(self) -> np.ndarray: ...
    @property
    def f(self) -> np.ndarray: ...


def plot_transcription_errors(errors: NoteErrors, *, fig: Any = None) -> Panels:
    """Draw numbers of missed and extra notes by kind, pitch and velocity.

    Parameters
    ----------
    errors : TranscriptionErrors
    fig : matplotlib.figure.Figure or SubFigure, optional
        Figure to draw into. Default: a new one, which pyplot does not keep open.

    Returns
    -------
    Panels
        Axes by name: ``"kind"``, ``"pitch"`` and ``"velocity"``.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64)]
    >>> errors = na.metrics.transcription_errors(score, score[:1])
    >>> list(na.display.plot_transcription_errors(errors))
    ['kind', 'pitch', 'velocity']
    """
    groups = {
        "kind": {kind: (errors.missed[kind], errors.extra[kind]) for kind in errors.missed},
        "pitch": _totals(errors.by_pitch()),
        "velocity": _totals(errors.by_velocity()),
    }
    heights = [max(1, len(rows)) for rows in groups.values()]
    figure = canvas(fig, 6.0, 2.0 + 0.4 * sum(heights))
    axes = figure.subplots(3, 1, height_ratios=heights, sharex=True)
    for ax, (name, rows) in zip(axes, groups.items(), strict=True):
        counts = np.array(list(rows.values()), float).reshape(-1, 2).T
        series = dict(zip(("missed", "extra"), counts, strict=True))
        draw_bars(ax, list(rows), series, label="", decimals=0)
        ax.set_ylabel(_TITLES[name])
        if name != "kind":
            ax.get_legend().remove()
    most = max(count for rows in groups.values() for row in rows.values() for count in row)
    axes[-1].set(xlim=(0, _MARGIN * max(most, 1)), xlabel="notes")
    axes[-1].xaxis.get_major_locator().set_params(integer=True)
    figure.align_ylabels(axes)
    return Panels(dict(zip(groups, axes, strict=True)), own=fig is None)


def plot_tolerance_curve(
    curves: OnsetScores | Mapping[str, OnsetScores], *, ax: Axes | None = None
) -> Axes:
    """Draw F-measures of onsets over their tolerance.

    Parameters
    ----------
    curves : ToleranceCurve, or mapping of str to ToleranceCurve
        Scores of one transcription, or of several by name.
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
        There are no curves.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64)]
    >>> ax = na.display.plot_tolerance_curve(na.metrics.tolerance_curve(score, score))
    >>> ax.get_xlabel()
    'tolerance of onsets (ms)'
    """
    named = curves if isinstance(curves, Mapping) else {"": curves}
    if not named:
        raise ParameterError("there are no curves; give one, or several by name")
    axes: Axes = one_panel(ax, 5.0, 3.2)
    for number, ((name, curve), colour) in enumerate(
        zip(named.items(), colours(axes, len(named)), strict=True)
    ):
        axes.plot(
            1000 * curve.tolerances, curve.f, color=colour, label=plain(name), markersize=4,
            marker=MARKERS[number % len(MARKERS)], linestyle=DASHES[number % len(DASHES)],
        )  # fmt: skip
    axes.set(
        xscale="log", ylim=(-0.03, 1.03), xlabel="tolerance of onsets (ms)", ylabel="F-measure"
    )
    low, high = axes.get_xlim()
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    axes.set_xticks(ticks, list(map(str, ticks)))
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    if isinstance(curves, Mapping):
        legend_above(axes, min(len(named), 3))
    return axes


def _totals(groups: Mapping[str, NoteErrors]) -> dict[str, tuple[int, int]]:
    """Numbers of missed and of extra notes in each group."""
    return {
        name: (sum(errors.missed.values()), sum(errors.extra.values()))
        for name, errors in groups.items()
    }
