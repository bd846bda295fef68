"""Picture of a factorisation: V, with W at its left and H below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio._public import public
from nmfaudio.audio.transforms import Transform, transform_from
from nmfaudio.display.grid import (
    DEFAULT_TOP_HZ,
    MOST_COLUMNS,
    Grid,
    Scale,
    draw_grid,
    grid_of,
    pool,
)
from nmfaudio.display.panels import Panels, canvas
from nmfaudio.display.ridges import draw_rows
from nmfaudio.display.style import (
    colours,
    label_rows,
    length_of_names,
    letters_within,
    plain,
    shortened,
)
from nmfaudio.display.views import Factors, FactorView, over_channels, view_of
from nmfaudio.errors import ShapeError

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

MOST_COMPONENTS = 24


@public
def plot_factors(
    decomposition: Factors,
    V: np.ndarray | None = None,
    *,
    transform: Transform | None = None,
    names: Sequence[str] | None = None,
    groups: Mapping[str, Any] | None = None,
    components: Sequence[int] | None = None,
    max_components: int = MOST_COMPONENTS,
    top_hz: float = DEFAULT_TOP_HZ,
    scale: Scale | None = None,
    decibels: bool = True,
    fig: Figure | SubFigure | None = None,
) -> Panels:
    """Draw V with templates at its left and activations below, all on the same axes.

    Each template and each activation is scaled to a maximum of 1, and coloured by its stem.
    Templates of several frames are short spectrograms, and activations of several shifts have a
    line for each, the lowest shift at the bottom; darker means stronger there, on a dark background
    lighter.

    Parameters
    ----------
    decomposition : Decomposition or (W, H)
        Result of any structure, or the matrices of plain NMF. Components that further factors shape
        are drawn as they are in the model: templates of `AttackDecay` under their envelopes, and
        templates and activations of `SourceFilter` and `Masked` under their filters and masks.
    V : np.ndarray [shape=(…, freq, time)], optional
        Data, averaged over channels. Default: the model.
    transform : Transform, optional
        Transform of V, for axes in Hz and seconds. Default: that of the decomposition's
        `metadata`; without one, axes count bins and frames.
    names : sequence of str, optional
        Name of each component, such as that of its note. Default: their indices.
    groups : Mapping of str to ComponentGroup or sequence of int, optional
        Components of each stem, such as `Stems.groups`. Default: those of the decomposition's
        `metadata`.
    components : sequence of int, optional
        Components to draw, in this order. Default: by decreasing energy, stem by stem.
    max_components : int
        Largest number of components drawn; a line tells how many are omitted.
    top_hz : float
        Highest frequency shown, in Hz.
    scale : "log", "notes" or "linear", optional
        Scale of frequencies, ``"notes"`` with note names. Default: ``"notes"`` for a constant-Q
        transform, else ``"log"``.
    decibels : bool
        Whether V is drawn in dB, or linearly.
    fig : matplotlib.figure.Figure or SubFigure, optional
        Figure to draw into. Default: a new one, which pyplot does not keep open.

    Returns
    -------
    Panels
        Axes ``"V"``, ``"W"`` and ``"H"``, and ``"legend"`` with the stems; their figure is
        ``panels.figure``.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    ParameterError
        There are no activations, templates or activations have further axes, or a component does
        not exist.
    ShapeError
        V, `names` or the transform do not fit.

    See Also
    --------
    nmfaudio.display.plot_templates : Templates of several frames.
    nmfaudio.display.plot_model : Model and residual beside V.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 30))
    >>> panels = na.plot_factors(na.nmf(V, 3, rng=0), V, names=["a", "b", "c"])
    >>> sorted(label.get_text() for label in panels["H"].get_yticklabels())
    ['a', 'b', 'c']
    """
    view = view_of(decomposition)
    title = "model" if V is None else "V"
    data = view.model() if V is None else over_channels(V)
    if data.shape != view.shape:
        raise ShapeError(f"V has shape {data.shape}; these factors need {view.shape}")
    grid = grid_of(transform or transform_of(decomposition), data.shape, top_hz=top_hz, scale=scale)
    stems, count = stem_of_components(decomposition, groups), view.n_components
    if components is None:
        order = view.strongest(max_components)
        # Stem by stem, with the strongest components of each first.
        first = list(dict.fromkeys(stems.values()))
        order.sort(key=lambda k: first.index(stems[k]) if k in stems else len(first))
    else:
        order = [as_count(k, "component", low=0, high=count - 1) for k in components]
    omitted = count - len(order) if components is None else 0
    return draw_factors(
        canvas(fig, 9.0, 4.2 + 0.1 * len(order)),
        FactorPicture(view, data, grid, order, stems, component_names(names, count), omitted),
        title=title,
        decibels=decibels,
        own=fig is None,
    )


@dataclass(frozen=True)
class FactorPicture:
    """Contents of a picture: factors, data, cells, and components with stems and names."""

    view: FactorView
    V: np.ndarray
    grid: Grid
    order: Sequence[int]
    stems: Mapping[int, str]
    names: Sequence[str]
    omitted: int = 0
    """Number of components that are not drawn, and not left out by the caller."""

    @property
    def activations(self) -> tuple[np.ndarray, np.ndarray]:
        """Activations of the components drawn, of as many frames as can be seen, and borders."""
        borders = self.grid.columns
        even = np.linspace(borders[0], borders[-1], MOST_COLUMNS)
        return pool(self.view.activations(self.order), borders, even, axis=-1)

    @property
    def templates(self) -> tuple[np.ndarray, np.ndarray]:
        """Templates of the components drawn, of the frequencies in view, and borders."""
        rows = self.grid.rows
        inside = (rows[1:] > self.grid.low) & (rows[:-1] < self.grid.top)
        borders = rows[np.append(inside, False) | np.append(False, inside)]
        spectra = self.view.templates(self.order)[..., inside]
        return spectra, np.clip(borders, self.grid.low, self.grid.top)


def draw_factors(
    figure: Any,
    picture: FactorPicture,
    *,
    title: str,
    decibels: bool,
    own: bool,
    peak: float | None = None,
) -> Panels:
    """Draw V, W and H into a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure or SubFigure
    picture : FactorPicture
    title : str
        Title of V.
    decibels : bool
        As in `plot_factors`.
    own : bool
        Whether the figure was made for this picture.
    peak : float, optional
        As in `draw_grid`.

    Returns
    -------
    Panels
        V, W, H, and the corner with the legend.
    """
    order, grid = picture.order, picture.grid
    height = min(0.6 + 0.08 * len(order), 1.8)  # of H, where V has 2
    parts = figure.add_gridspec(2, 2, width_ratios=[1, 2.4], height_ratios=[2, height])
    V = figure.add_subplot(parts[0, 1])
    W = figure.add_subplot(parts[0, 0], sharey=V)
    H = figure.add_subplot(parts[1, 1], sharex=V)
    mesh = draw_grid(V, picture.V, grid, decibels=decibels, peak=peak)
    figure.colorbar(mesh, ax=[V, H], pad=0.01, aspect=30, label="dB" if decibels else None)
    shades = _shades(V, order, picture.stems)
    draw_rows(W, *picture.templates, shades, upright=True)
    draw_rows(H, *picture.activations, shades, upright=False)
    V.set(title=title, xlabel="", ylabel="")
    V.tick_params(labelleft=False, labelbottom=False)
    W.set(title="W", ylabel=grid.units[0])
    H.set(xlabel=grid.units[1], ylabel="H")
    labels = [picture.names[k] for k in order]
    # The names below W take from both rows of the figure.
    label_rows(H, labels, offset=-0.45, taken=length_of_names(labels) / 2)
    label_rows(W, labels, "x", offset=0.45)
    for axes in (W, H):
        axes.spines[["top", "right"]].set_visible(False)
    corner = figure.add_subplot(parts[1, 0])
    _draw_legend(corner, picture, shades)
    return Panels({"V": V, "W": W, "H": H, "legend": corner}, own=own)


def _draw_legend(axes: Any, picture: FactorPicture, shades: Sequence[str]) -> None:
    """Fill the corner below W with the stems and the number of components that are omitted."""
    from matplotlib.patches import Patch

    axes.axis("off")
    stems = {picture.stems.get(k, "other"): c for k, c in zip(picture.order, shades, strict=True)}
    title = f"components\nomitted: {picture.omitted}" if picture.omitted else None
    longest = letters_within(axes, 0.8)
    handles = [Patch(color=c, label=plain(shortened(n, longest))) for n, c in stems.items()]
    if picture.stems or title:
        axes.legend(
            handles=handles if picture.stems else [],
            title=title,
            loc="center",
            frameon=False,
            fontsize="small",
            title_fontsize="small",
            borderaxespad=0,
        )


def _shades(axes: Any, order: Sequence[int], stems: Mapping[int, str]) -> list[str]:
    """Colour of each component: that of its stem; grey for components of none."""
    if not stems:
        return colours(axes, 1) * len(order)
    names = list(dict.fromkeys(stems.values()))
    palette = dict(zip(names, colours(axes, len(names)), strict=True))
    return [palette[stems[k]] if k in stems else "grey" for k in order]


def transform_of(decomposition: Any) -> Transform | None:
    """Transform in the metadata of a decomposition, None if it names none.

    Parameters
    ----------
    decomposition : Decomposition or (W, H)

    Returns
    -------
    Transform or None
    """
    parameters = getattr(decomposition, "metadata", {}).get("transform")
    return None if parameters is None else transform_from(parameters)


def stem_of_components(
    decomposition: Any, groups: Mapping[str, Any] | None = None
) -> dict[int, str]:
    """Name of the stem of each component.

    Parameters
    ----------
    decomposition : Decomposition or (W, H)
        Its metadata name the stems where `groups` is None.
    groups : Mapping of str to ComponentGroup or sequence of int, optional

    Returns
    -------
    dict of int to str
        Without components of no stem.
    """
    saved = getattr(decomposition, "metadata", {}).get("sources", {})
    chosen = {name: group["components"] for name, group in saved.items()}
    if groups is not None:
        chosen = {name: getattr(group, "components", group) for name, group in groups.items()}
    return {int(k): name for name, group in chosen.items() for k in group}


def component_names(names: Sequence[str] | None, count: int) -> list[str]:
    """Names of all components; their indices if there are none.

    Raises
    ------
    ShapeError
        There is another number of names.
    """
    if names is None:
        return [str(k) for k in range(count)]
    if len(names) != count:
        raise ShapeError(f"{len(names)} names for {count} components; give one for each")
    return [str(name) for name in names]
