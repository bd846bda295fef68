"""Layers of a deep NMF as a tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.pitch import hz_to_midi
from nmfaudio._common.validation import as_count, as_number
from nmfaudio.audio.transforms import Transform
from nmfaudio.display.factors import component_names
from nmfaudio.display.panels import note_omitted, one_panel
from nmfaudio.display.style import colours, plain
from nmfaudio.factorisation.recipes.deep import DeepDecomposition
from nmfaudio.symbolic.names import pitch_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 24
_LOWEST_PITCH_HZ = 20.0


def plot_layers(
    deep: DeepDecomposition,
    *,
    names: Sequence[str] | None = None,
    transform: Transform | None = None,
    threshold: float = 0.05,
    max_components: int = _MOST,
    ax: Axes | None = None,
) -> Axes:
    """Draw the layers of a deep NMF as a tree, from the last layer on the left to the first.

    Lines join a component with those of the layer before that its template is composed of, as thick
    as their share in it. The size of a dot tells the energy of the component within its layer.

    Parameters
    ----------
    deep : DeepDecomposition
    names : sequence of str, optional
        Names of the components of the first layer. Default: with a transform, note and frequency
        of the maximum of their templates, else their indices.
    transform : Transform, optional
        Transform of the data.
    threshold : float
        Smallest share drawn, from 0 to 1.
    max_components : int
        Largest number of components drawn in a layer, the strongest; a line tells how many are
        omitted.
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
        `threshold` or `max_components` is out of range.
    ShapeError
        Names do not fit the first layer.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> notes, chords = np.repeat(np.eye(4), 3, axis=0), np.repeat(np.eye(2), 2, axis=0)
    >>> deep = na.recipes.deep_nmf(notes @ chords @ rng.random((2, 50)), [4, 2], rng=0)
    >>> ax = na.display.plot_layers(deep)
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['layer 2', 'layer 1']
    """
    lowest = as_number(threshold, "threshold", low=0)
    most = as_count(max_components, "max_components", low=1)
    *layers, H = deep.joint.factors
    counts = [W.shape[1] for W in layers]
    labels = component_names(_peaks(layers[0], transform) if names is None else names, counts[0])
    energies = _energies(layers, H)
    kept = [np.argsort(-energy, kind="stable")[:most] for energy in energies]
    heights = _heights(layers, kept)
    axes: Axes = one_panel(ax, 7.0, 0.8 + 0.26 * max(map(len, kept)))
    _draw_lines(axes, layers, kept, heights, lowest)
    last = len(layers) - 1
    shades = colours(axes, len(layers))
    for number, shown in enumerate(kept):
        texts = [labels[k] if number == 0 else str(k) for k in shown]
        places = np.column_stack([np.full(len(shown), last - number), heights[number]])
        energy = energies[number][shown] / (energies[number].max() or 1.0)
        _draw_dots(axes, places, energy, texts, shades[number], leaves=number == 0)
    titles = [f"layer {number + 1}" for number in reversed(range(len(layers)))]
    axes.set_xticks(range(len(layers)), titles)
    axes.set(xlim=(-0.25, last + 0.3), ylim=(1.04, -0.04), yticks=[])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    omitted = sum(counts) - sum(map(len, kept))
    note_omitted(axes, omitted, "components")
    return axes


def _peaks(W: np.ndarray, transform: Transform | None) -> list[str] | None:
    """Note and frequency of the maximum of each template."""
    if transform is None:
        return None
    hertz = transform.frequencies[W.argmax(axis=0)]
    return [
        f"{pitch_name(float(hz_to_midi(np.array(f))))} ({f:.0f} Hz)"
        if f > _LOWEST_PITCH_HZ
        else f"{f:.0f} Hz"
        for f in hertz
    ]


def _energies(layers: Sequence[np.ndarray], H: np.ndarray) -> list[np.ndarray]:
    """Sum of the activations of each component, layer by layer; columns of every W sum to one."""
    energies = [H.sum(axis=1)]
    for W in reversed(layers[1:]):
        energies.append(W @ energies[-1])
    return energies[::-1]


def _heights(layers: Sequence[np.ndarray], kept: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Heights of the components kept of each layer, from 0 to 1, near those they belong to."""
    found = [_spread(np.arange(len(kept[-1])))]
    for W, children, parents in zip(layers[:0:-1], kept[-2::-1], kept[:0:-1], strict=True):
        shares = W[np.ix_(children, parents)]
        total = shares.sum(axis=1)
        centres = shares @ found[0] / np.where(total > 0, total, 1)
        found.insert(0, _spread(np.argsort(np.argsort(centres, kind="stable"))))
    return found


def _spread(places: np.ndarray) -> np.ndarray:
    """Places 0, 1, … at even distances between 0 and 1."""
    return (places + 0.5) / len(places)


def _draw_dots(
    axes: Any,
    places: np.ndarray,
    energies: np.ndarray,
    names: Sequence[str],
    colour: str,
    *,
    leaves: bool,
) -> None:
    """Draw the components of a layer with their names, those of the first layer at the right."""
    axes.scatter(*places.T, s=20 + 160 * energies, color=colour, zorder=3)
    for name, place in zip(names, places, strict=True):
        axes.annotate(
            plain(name),
            tuple(place),
            xytext=(9 if leaves else -9, 0),
            textcoords="offset points",
            ha="left" if leaves else "right",
            va="center",
            fontsize="small",
        )


def _draw_lines(
    axes: Any,
    layers: Sequence[np.ndarray],
    kept: Sequence[np.ndarray],
    heights: Sequence[np.ndarray],
    threshold: float,
) -> None:
    from matplotlib.collections import LineCollection

    last = len(layers) - 1
    for number in range(1, len(layers)):
        W = layers[number][np.ix_(kept[number - 1], kept[number])]
        shares = W / np.maximum(layers[number][:, kept[number]].sum(axis=0), 1e-300)
        child, parent = np.nonzero(shares >= threshold)
        x = last - number
        lines = [
            [(x, heights[number][j]), (x + 1, heights[number - 1][i])]
            for i, j in zip(child, parent, strict=True)
        ]
        widths = 0.4 + 5 * shares[child, parent]
        axes.add_collection(LineCollection(lines, linewidths=widths, colors="grey", alpha=0.6))
