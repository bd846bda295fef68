"""Objective of decompositions over iterations, over seconds and over starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from nmfaudio.display.history import History
from nmfaudio.display.panels import one_panel
from nmfaudio.display.style import DASHES, MARKERS, colours, plain
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.decomposition import Decomposition

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Course: TypeAlias = Decomposition | History

# Rounding can take the loss of an exact fit below 0 by this share of the largest loss.
_ROUNDING = 1e-9
_MOST_MARKERS = 12  # of a curve
_MOST_CURVES = 12  # in the legend; with more of them the best alone is named


@dataclass(frozen=True)
class _Curve:
    name: str
    x: np.ndarray
    losses: np.ndarray


def plot_losses(
    decomposition: Course | Mapping[str, Course],
    *,
    over: Literal["iterations", "seconds"] = "iterations",
    ax: Axes | None = None,
) -> Axes:
    """Draw the objective of one or several decompositions over iterations or seconds.

    A `History` of several starts has a curve for each of them, thick for the best one. The scale is
    logarithmic unless an objective is negative, as logarithmic penalties make it. The losses of an
    exact fit lie below the lower edge of the figure.

    Parameters
    ----------
    decomposition : Decomposition, History, or mapping of str to these
        One decomposition, or several to compare by name, e.g. the results of different solvers.
    over : "iterations" or "seconds"
        Horizontal axis; seconds need a `History`, passed as ``callback=`` to the decomposition.
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
        There is nothing to draw, `over` is unknown, or the seconds of a Decomposition are missing.

    See Also
    --------
    nmfaudio.plot_factors : Templates and activations of a decomposition.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 30))
    >>> ax = na.display.plot_losses({s: na.nmf(V, 3, solver=s, rng=0) for s in ("mu", "bmme")})
    >>> [line.get_label() for line in ax.lines]
    ['mu', 'bmme']

    Five starts, over seconds:

    >>> history = na.display.History(factors=False)
    >>> d = na.nmf(V, 3, n_init=5, rng=0, callback=history)
    >>> len(na.display.plot_losses(history, over="seconds").lines)
    5
    """
    if over not in ("iterations", "seconds"):
        raise ParameterError(f"over is {over!r}; it must be 'iterations' or 'seconds'")
    named = decomposition if isinstance(decomposition, Mapping) else {"": decomposition}
    if not named:
        raise ParameterError("no decomposition to draw; give one, or several by name")
    curves = [curve for name, course in named.items() for curve in _curves(name, course, over)]
    axes: Axes = one_panel(ax, 6.0, 3.4)
    from matplotlib.ticker import MaxNLocator  # after one_panel, which checks for matplotlib

    _draw_curves(axes, curves)
    losses = np.concatenate([curve.losses for curve in curves])
    if losses.min() >= -_ROUNDING * losses.max() < 0:
        axes.set_yscale("log")
    if over == "iterations":
        label, ticks = "iteration", MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10])
    else:  # few ticks: those of milliseconds have long labels
        label, ticks = "time (s)", MaxNLocator(4, steps=[1, 2, 5, 10])
    axes.set(xlabel=label, ylabel="objective")
    axes.xaxis.set_major_locator(ticks)
    axes.grid(alpha=0.3)
    if any(curve.name for curve in curves):
        axes.legend(fontsize="small")
    return axes


def _curves(name: str, course: Course, over: str) -> list[_Curve]:
    """Curves of a decomposition, or of each start of a history."""
    if isinstance(course, Decomposition):
        if over == "seconds":
            raise ParameterError(
                "a Decomposition does not know its seconds; pass callback=na.display.History() to "
                "the decomposition, and the history to plot_losses"
            )
        return [_Curve(name, course.checks, course.losses)]
    best = course.best
    found = []
    for start, steps in sorted(course.starts.items()):
        x = [step.iteration if over == "iterations" else step.seconds for step in steps]
        several = f"start {start}" + (", best" if start == best else "")
        label = ": ".join(filter(None, (name, several))) if len(course.starts) > 1 else name
        found.append(_Curve(label, np.array(x), np.array([step.loss for step in steps])))
    return found


def _draw_curves(axes: Axes, curves: list[_Curve]) -> None:
    looks = zip(colours(axes, len(curves)), cycle(MARKERS), cycle(DASHES), strict=False)
    for curve, (colour, marker, dash) in zip(curves, looks, strict=False):
        best = curve.name.endswith(", best")
        named = len(curves) <= _MOST_CURVES or best
        axes.plot(
            curve.x,
            curve.losses,
            color=colour,
            marker=marker,
            linestyle="-" if best else dash,
            ms=3.5,
            lw=2.4 if best else 1.2,
            markevery=max(1, len(curve.x) // _MOST_MARKERS),
            label=plain(curve.name) if named else f"_{curve.name}",
        )
