"""Templates of a dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from nmfaudio._common.figures import new_figure
from nmfaudio._public import public
from nmfaudio.audio.transforms import Transform
from nmfaudio.display.decibels import COLOUR_MAP, RANGE_DB, to_decibels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
def plot_dictionary(dictionary: LabelledTemplates) -> Figure:
    """Draw all templates side by side, grouped by label.

    Each template is scaled to a maximum of 0 dB; lines separate the labels.

    Parameters
    ----------
    dictionary : Dictionary
        Templates of several frames are drawn as these frames.

    Returns
    -------
    matplotlib.figure.Figure
        A figure that pyplot does not keep open.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> spectra = np.random.default_rng(0).random((257, 3))
    >>> known = na.Dictionary(spectra, ["kick", "snare", "kick"], na.Stft(8000, 512))
    >>> axes, _ = na.plot_dictionary(known).axes
    >>> [label.get_text() for label in axes.get_xticklabels()]
    ['kick', 'snare']
    """
    ordered = dictionary.select(dictionary.names)  # the templates of each label side by side
    W = ordered.templates if ordered.lags > 1 else ordered.templates[None]  # (lag, freq, component)
    peaks = W.max(axis=(0, 1))
    levels = to_decibels(W, np.where(peaks > 0, peaks, 1), power=ordered.transform.power)
    figure: Figure = new_figure(10, 4)
    axes = figure.subplots()
    frames = levels.transpose(1, 2, 0).reshape(levels.shape[1], -1)  # (freq, component · lag)
    edges = np.cumsum([0, *(ordered.lags * ordered.labels.count(name) for name in ordered.names)])
    frequencies = ordered.transform.frequencies
    image = axes.pcolormesh(
        np.arange(frames.shape[1] + 1) - 0.5,
        np.append(frequencies, 2 * frequencies[-1] - frequencies[-2]) / 1000,
        frames,
        cmap=COLOUR_MAP,
        vmin=-RANGE_DB,
        vmax=0,
        rasterized=True,
    )
    for edge in edges[1:-1]:
        axes.axvline(edge - 0.5, color="white", lw=1)
    axes.set_xticks((edges[1:] + edges[:-1] - 1) / 2, ordered.names)
    axes.set(ylabel="kHz")
    figure.colorbar(image, ax=axes, label="dB", pad=0.01)
    return figure
