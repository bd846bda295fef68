"""Templates of a dictionary, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from nmfaudio._public import public
from nmfaudio.audio.transforms import Transform
from nmfaudio.display.grid import Scale, draw_grid, grid_of
from nmfaudio.display.panels import one_panel
from nmfaudio.display.style import free_labels, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class LabelledTemplates(Protocol):
    """Templates with a label each, such as `nmfaudio.Dictionary`."""

    @property
    def templates(self) -> np.ndarray: ...
    @property
    def labels(self) -> Sequence[str]: ...
    @property
    def names(self) -> Sequence[str]: ...
    @property
    def lags(self) -> int: ...
    @property
    def transform(self) -> Transform: ...
    def select(self, names: Sequence[str], /) -> Self: ...


@public
def plot_dictionary(
    dictionary: LabelledTemplates,
    *,
    names: Sequence[str] | None = None,
    top_hz: float | None = None,
    scale: Scale | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw all templates side by side, grouped by label.

    Each template is scaled to a maximum of 0 dB; lines separate the labels.

    Parameters
    ----------
    dictionary : Dictionary
        Templates of several frames are drawn as these frames.
    names : sequence of str, optional
        Labels to draw, from left to right. Default: all.
    top_hz : float, optional
        Highest frequency shown, in Hz. Default: all are shown.
    scale : "log", "notes" or "linear", optional
        Scale of frequencies. Default: ``"notes"`` for a constant-Q transform, else ``"log"``.
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
        A label or the scale is unknown.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> spectra = np.random.default_rng(0).random((257, 3))
    >>> known = na.Dictionary(spectra, ["kick", "snare", "kick"], na.Stft(8000, 512))
    >>> ax = na.plot_dictionary(known)
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['kick', 'snare']
    """
    # The templates of each label side by side.
    ordered = dictionary.select(dictionary.names if names is None else names)
    W = ordered.templates if ordered.lags > 1 else ordered.templates[None]  # (lag, freq, component)
    peaks = W.max(axis=(0, 1))
    scaled = W / np.where(peaks > 0, peaks, 1)
    frames = scaled.transpose(1, 2, 0).reshape(W.shape[1], -1)  # (freq, component · lag)
    top = math.inf if top_hz is None else top_hz
    grid = grid_of(ordered.transform, frames.shape, top_hz=top, scale=scale)
    axes: Axes = one_panel(ax, 9.0, 4.0)
    borders = np.arange(frames.shape[1] + 1) - 0.5
    mesh = draw_grid(axes, frames, replace(grid, columns=borders), peak=1.0)
    edges = np.cumsum([0, *(ordered.lags * ordered.labels.count(name) for name in ordered.names)])
    _label(axes, edges, ordered.names)
    axes.figure.colorbar(mesh, ax=axes, label="dB", pad=0.01)
    return axes


def _label(axes: Any, edges: np.ndarray, names: Sequence[str]) -> None:
    """Name the groups between edges, as many as fit, and separate them by lines."""
    if len(names) <= 2 * free_labels(axes, "x"):
        for edge in edges[1:-1]:
            axes.axvline(edge - 0.5, color="white", lw=0.8)
    every = -(-len(names) // free_labels(axes, "x"))
    middles = (edges[1:] + edges[:-1] - 1) / 2
    letters = sum(len(name) for name in names[::every])
    upright = every > 1 or letters > free_labels(axes, "x")
    axes.set_xticks(middles[::every], list(map(plain, names[::every])), rotation=90 * upright)
    axes.set_xlabel("")
