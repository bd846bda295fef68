"""Templates of several frames as short spectrograms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.audio.transforms import Transform
from nmfaudio.display.factors import component_names, stem_of_components, transform_of
from nmfaudio.display.grid import Scale, draw_grid, grid_of
from nmfaudio.display.panels import Panels, canvas
from nmfaudio.display.style import plain, shortened
from nmfaudio.display.views import FactorView
from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.structures import Convolutive, Product

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

_MOST = 16
_RANGE_DB = 60.0


def plot_templates(
    templates: Any,
    *,
    transform: Transform | None = None,
    names: Sequence[str] | None = None,
    components: Sequence[int] | None = None,
    max_components: int = _MOST,
    top_hz: float | None = None,
    scale: Scale | None = None,
    decibels: bool = True,
    fig: Figure | SubFigure | None = None,
) -> Panels:
    """Draw templates as short spectrograms in milliseconds and Hz, such as those of NMFD.

    Each template is scaled to its maximum. Templates that further factors shape are drawn as by
    `nmfaudio.plot_factors`.

    Parameters
    ----------
    templates : Decomposition, Dictionary, or np.ndarray [shape=(lag, freq, component)]
        Templates; those without lags are a frame long.
    transform : Transform, optional
        Transform of the templates. Default: that of the decomposition or dictionary; without one,
        axes count bins and frames.
    names : sequence of str, optional
        Name of each component. Default: labels of a dictionary, stems of a decomposition, or
        indices.
    components : sequence of int, optional
        Components to draw. Default: the first `max_components`; a line tells how many are omitted.
    max_components : int
        Largest number of templates drawn.
    top_hz : float, optional
        Highest frequency shown, in Hz. Default: all are shown.
    scale : "log", "notes" or "linear", optional
        Scale of frequencies. Default: ``"notes"`` for a constant-Q transform, else ``"log"``.
    decibels : bool
        Whether templates are drawn in dB, or linearly.
    fig : matplotlib.figure.Figure or SubFigure, optional
        Figure to draw into. Default: a new one, which pyplot does not keep open.

    Returns
    -------
    Panels
        Axes by name of the component; of components of one name, the later ones are numbered.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    ParameterError
        A component does not exist.
    ShapeError
        Names or transform do not fit the templates.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> W = np.random.default_rng(0).random((8, 257, 2))
    >>> panels = na.display.plot_templates(W, transform=na.Stft(8000, 512), names=["kick", "snare"])
    >>> list(panels), float(panels["kick"].get_xlim()[1])  # 8 frames of 16 ms
    (['kick', 'snare'], 128.0)
    """
    known, own = _templates_of(templates)
    transform, count = transform or own, known.n_components
    labels = component_names(_default_names(templates) if names is None else names, count)
    if components is None:
        chosen = list(range(min(count, as_count(max_components, "max_components", low=1))))
    else:
        chosen = [as_count(k, "component", low=0, high=count - 1) for k in components]
    spectra = known.templates(chosen)
    spectra = spectra if spectra.ndim == 3 else spectra[:, None]
    _, lags, bins = spectra.shape
    top = math.inf if top_hz is None else top_hz
    grid = grid_of(transform, (bins, lags), top_hz=top, scale=scale)
    hop = 1.0 if transform is None else 1000 * transform.hop_seconds
    grid = replace(grid, columns=hop * np.arange(lags + 1))
    down = math.ceil(math.sqrt(len(chosen) / 2))
    across = -(-len(chosen) // down)
    figure = canvas(fig, 1.1 + 1.2 * across, 0.8 + 1.9 * down)
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    by_name: dict[str, Any] = {}
    for k, spectrum, axes in zip(chosen, spectra, panels.flat, strict=False):
        mesh = draw_grid(axes, spectrum.T, grid, decibels=decibels, range_db=_RANGE_DB)
        axes.set(xlabel="", ylabel="")
        axes.set_title(plain(shortened(labels[k])), fontsize="small")
        by_name[_distinct(labels[k], by_name)] = axes
    for axes in panels.flat[len(chosen) :]:
        axes.set_visible(False)
    _label(figure, panels, grid.units[0], "frame" if transform is None else "time (ms)")
    if components is None and len(chosen) < count:
        figure.suptitle(f"components omitted: {count - len(chosen)}", fontsize="small")
    figure.colorbar(mesh, ax=panels, label="dB" if decibels else None, pad=0.02)
    return Panels(by_name, own=fig is None)


def _label(figure: Any, panels: np.ndarray, vertical: str, horizontal: str) -> None:
    """Label the axes of the whole figure."""
    figure.supylabel(vertical, fontsize="medium")
    figure.supxlabel(horizontal, fontsize="medium")
    for axes in panels[:, 0]:
        axes.tick_params(labelleft=True)


def _templates_of(templates: Any) -> tuple[FactorView, Transform | None]:
    """View of templates, and their transform."""
    if isinstance(templates, Decomposition):
        view = FactorView(templates.structure, templates.factors)
        return view, transform_of(templates)
    if hasattr(templates, "templates"):
        W, own = templates.templates, templates.transform
    else:
        W, own = np.asarray(templates), None
    if W.ndim not in (2, 3):
        raise ShapeError(
            f"templates have shape {W.shape}; they must be (freq, component) or "
            "(lag, freq, component)"
        )
    structure = Product() if W.ndim == 2 else Convolutive()
    return FactorView(structure, (W, np.empty((W.shape[-1], 0), W.dtype))), own


def _default_names(templates: Any) -> list[str] | None:
    """Labels of a dictionary, or the stems of a decomposition's components."""
    if hasattr(templates, "labels"):
        return list(templates.labels)
    stems = stem_of_components(templates)
    if not stems:
        return None
    return [f"{stems[k]} {k}" if k in stems else str(k) for k in range(templates.n_components)]


def _distinct(name: str, known: Any) -> str:
    """Name, numbered if it is known."""
    number, distinct = 1, name
    while distinct in known:
        number += 1
        distinct = f"{name}-{number}"
    return distinct
