"""Updates of a factorisation as a film."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.validation import as_number
from nmfaudio.audio.transforms import Transform
from nmfaudio.display.factors import (
    MOST_COMPONENTS,
    FactorPicture,
    component_names,
    draw_factors,
)
from nmfaudio.display.grid import DEFAULT_TOP_HZ, Scale, cells_of, grid_of
from nmfaudio.display.history import History, Step
from nmfaudio.display.panels import canvas
from nmfaudio.display.ridges import draw_rows
from nmfaudio.display.style import colours
from nmfaudio.display.views import FactorView, over_channels
from nmfaudio.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure


def plot_updates(
    history: History,
    V: np.ndarray | None = None,
    *,
    transform: Transform | None = None,
    names: Sequence[str] | None = None,
    start: int | None = None,
    max_components: int = MOST_COMPONENTS,
    top_hz: float = DEFAULT_TOP_HZ,
    scale: Scale | None = None,
    decibels: bool = True,
    seconds: float = 0.15,
    fig: Figure | None = None,
) -> FuncAnimation:
    """Draw the updates of a decomposition as a film of the model, the factors and the objective.

    A notebook shows it by ``IPython.display.HTML(film.to_jshtml())``, and
    ``film.save("film.gif", writer="pillow")`` writes it.

    Parameters
    ----------
    history : History
        Course of the decomposition, passed to it as ``callback=``; each step is a picture.
    V : np.ndarray [shape=(…, freq, time)], optional
        Data, averaged over channels, whose maximum is the upper end of the colours. Default: the
        last model's.
    transform : Transform, optional
        Transform of V, for axes in Hz and seconds. Without one, axes count bins and frames.
    names : sequence of str, optional
        Name of each component. Default: their indices.
    start : int, optional
        Index of the start shown. Default: the best one.
    max_components : int
        Largest number of components drawn, the strongest of the last step.
    top_hz : float
        Highest frequency shown, in Hz.
    scale : "log", "notes" or "linear", optional
        Scale of frequencies. Default: ``"notes"`` for a constant-Q transform, else ``"log"``.
    decibels : bool
        Whether the model is drawn in dB, or linearly.
    seconds : float
        Duration of each picture.
    fig : matplotlib.figure.Figure, optional
        Figure to draw into. Default: a new one, which pyplot does not keep open.

    Returns
    -------
    matplotlib.animation.FuncAnimation
        Film with a picture for each step.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    ParameterError
        The history is empty or has no factors, or these cannot be drawn.
    ShapeError
        V, `names` or the transform do not fit.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V, history = np.random.default_rng(0).random((8, 12)), na.display.History()
    >>> d = na.nmf(V, 2, max_iter=4, tol=0, check_every=2, rng=0, callback=history)
    >>> film = na.display.plot_updates(history, V)
    >>> html = film.to_jshtml()
    """
    figure = canvas(fig, 9.0, 5.4)
    from matplotlib.animation import FuncAnimation

    steps = history.steps(start)
    last = _view(history, steps[-1])
    data = last.model() if V is None else over_channels(V)
    if data.shape != last.shape:
        raise ShapeError(f"V has shape {data.shape}; these factors need {last.shape}")
    grid = grid_of(transform, last.shape, top_hz=top_hz, scale=scale)
    peak = float(data.max()) or 1.0
    order = last.strongest(max_components)
    names = component_names(names, last.n_components)

    def picture_of(step: Step) -> FactorPicture:
        view = _view(history, step)
        return FactorPicture(view, view.model(), grid, order, {}, names)

    first = picture_of(steps[0])
    panels = draw_factors(figure, first, title="", decibels=decibels, own=fig is None, peak=peak)
    dot = _draw_objective(panels["legend"], steps)
    shades = colours(panels["V"], 1) * len(order)

    def draw(step: Step) -> list[Any]:
        picture = picture_of(step)
        (mesh,) = panels["V"].collections
        mesh.set_array(cells_of(picture.V, grid, peak=peak, decibels=decibels)[0])
        rows = []
        for name, drawn in (("W", picture.templates), ("H", picture.activations)):
            panels[name].collections[0].remove()
            rows.append(draw_rows(panels[name], *drawn, shades, upright=name == "W"))
        plural = "" if step.iteration == 1 else "s"
        panels["V"].set_title(f"model after {step.iteration} iteration{plural}")
        panels["legend"].set_title(f"objective {float(f'{step.loss:.4g}'):,g}")
        dot.set_data([step.iteration], [step.loss])
        return [mesh, *rows, dot]

    if fig is None:  # the layout takes longer than a picture, and would move with the title
        draw(steps[-1])
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    milliseconds = 1000 * as_number(seconds, "seconds", above=0)
    return FuncAnimation(figure, draw, frames=steps, interval=milliseconds)


def _view(history: History, step: Step) -> FactorView:
    """Factors of a step."""
    if not step.factors or history.structure is None:
        raise ParameterError("the history has no factors; make it with History(factors=True)")
    return FactorView(history.structure, step.factors)


def _draw_objective(axes: Any, steps: Sequence[Step]) -> Any:
    """Draw the objective over iterations; return the dot that marks an iteration."""
    axes.axis("on")
    colour, second = colours(axes, 2)
    losses = [step.loss for step in steps]
    axes.plot([step.iteration for step in steps], losses, color=colour, lw=1.5)
    (dot,) = axes.plot([], [], "o", color=second, ms=6)
    if min(losses) > 0:
        axes.set_yscale("log")
    for minor in (False, True):  # the value is in the title: labels would be cut off
        axes.yaxis.set_ticks([], minor=minor)
    axes.set(xlabel="iteration", title="objective")
    axes.title.set_fontsize("medium")
    axes.spines[["top", "right"]].set_visible(False)
    return dot
