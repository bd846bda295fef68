"""Scores of settings that were tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any, Protocol

from nmfaudio.display.panels import one_panel
from nmfaudio.display.style import DASHES, MARKERS, colours, ink, legend_above, plain
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PER_LINE = 3  # names of a legend
_MOST_CURVES = 9  # that a legend names


class TriedSettings(Protocol):
    """Settings with their scores, such as a `Tuning`."""

    @property
    def metric(self) -> str: ...
    @property
    def table(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def folds(self) -> Sequence[tuple[str, Mapping[str, Any], float]]: ...


def plot_tuning(tuning: TriedSettings, *, ax: Axes | None = None) -> Axes:
    """Draw the scores of a tuning over the first setting, with a curve for each of the others.

    Diamonds mark the best value of each part of a drum kit, else the best of all. Crosses are the
    scores of the pieces with the settings that the other pieces choose.

    Parameters
    ----------
    tuning : Tuning
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
        The tuning tried no settings.

    Examples
    --------
    >>> import nmfaudio as na
    >>> rows = ({"threshold": 0.1, "onset_f": 0.7}, {"threshold": 0.2, "onset_f": 0.9})
    >>> tuning = na.transcription.Tuning(na.Transcriber(threshold=0.2), "onset_f", rows[1], rows)
    >>> na.display.plot_tuning(tuning).get_xlabel()
    'threshold'
    """
    metric, table = tuning.metric, tuning.table
    settings = [name for name in (table[0] if table else ()) if name not in (metric, "part")]
    if not settings:
        raise ParameterError("the tuning tried no settings; there is nothing to draw")
    first = settings[0]
    curves: dict[str, list[tuple[Any, float]]] = {}
    for row in table:
        rest = {k: v for k, v in row.items() if k not in (metric, first)}
        name = ", ".join(str(v) if k == "part" else f"{k} {v}" for k, v in rest.items())
        curves.setdefault(name, []).append((row[first], row[metric]))
    axes: Axes = one_panel(ax, 6.0, 3.4)
    looks = zip(colours(axes, len(curves)), cycle(MARKERS), cycle(DASHES), strict=False)
    for (name, points), (colour, marker, dash) in zip(curves.items(), looks, strict=False):
        x, y = _axis(points), [score for _, score in points]
        label = plain(name) if len(curves) <= _MOST_CURVES else f"_{name}"
        axes.plot(x, y, color=colour, marker=marker, linestyle=dash, ms=3.5, lw=1.2, label=label)
    every = [point for points in curves.values() for point in points]
    for points in curves.values() if "part" in table[0] else [every]:
        best = max(range(len(points)), key=lambda i: points[i][1])
        place = _axis(points)[best], points[best][1]
        axes.plot(*place, "D", ms=7, mfc="none", color=colours(axes, 2)[1], zorder=3)
    for _, chosen, score in tuning.folds:
        axes.plot(*_axis([(chosen[first], score)]), score, "x", ms=5, color=ink(axes), alpha=0.6)
    axes.set(xlabel=plain(first), ylabel=plain(metric))
    axes.grid(alpha=0.3)
    if 1 < len(curves) <= _MOST_CURVES:
        legend_above(axes, min(_PER_LINE, len(curves)))
    return axes


def _axis(points: Sequence[tuple[Any, float]]) -> list[Any]:
    """Values of the setting; those that are not all numbers are categories."""
    values = [value for value, _ in points]
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    return values if numbers else [str(v) for v in values]
