"""Pictures of a model and of stems; needs the extra ``nmfaudio[plot]``.

Every function returns a matplotlib figure that belongs to nobody: a notebook shows it, and
``figure.savefig(path)`` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio._common.figures import new_figure
from nmfaudio._common.validation import as_count
from nmfaudio._public import public
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.transforms import Stft, transform_from
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.stems.stems import Stems

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RANGE_DB = 80.0
COLOURS = "magma"
ROUNDING = 1e-9  # an exact fit may cost as much less than nothing, of the largest loss


@public
def plot_factors(
    decomposition: Decomposition, *, components: Sequence[int] | None = None, top_hz: float = 8000.0
) -> Figure:
    """Draw templates beside their activations, one row per component.

    Parameters
    ----------
    decomposition : Decomposition
        Of plain NMF, or of what has templates and activations of the same shapes. Axes are in Hz
        and seconds where its `metadata` tells the transform, else in bins and frames.
    components : sequence of int, optional
        Which, in which order; by default all, the loudest first.
    top_hz : float
        Templates are drawn up to this frequency in Hz.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    ParameterError
        The model is not (freq, time), or templates or activations have further axes.
    """
    W, H = decomposition.W, decomposition.H
    model = decomposition.structure.shape(decomposition.factors)
    if not len(model) == W.ndim == H.ndim == 2:
        raise ParameterError(
            f"the model has shape {model}, its templates {W.shape} and activations {H.shape}; "
            "plot_factors draws (freq, component) beside (component, time), as those of plain NMF"
        )
    loudness = W.sum(0) * H.sum(1)
    if components is None:
        order = np.argsort(-loudness, kind="stable").tolist()
    else:
        order = [as_count(k, "component", low=0, high=W.shape[1] - 1) for k in components]
    frequencies, times, units = _axes(decomposition)
    figure: Figure = new_figure(10, 0.5 * len(order) + 1)
    left, right = figure.subplots(1, 2, width_ratios=[1, 2])
    shown = frequencies <= top_hz if units[0] == "Hz" else slice(None)
    for row, k in enumerate(order):
        left.fill_between(frequencies[shown], row, row - _unit(W[shown, k]), lw=0, color="C0")
        right.fill_between(times, row, row - _unit(H[k]), lw=0, color="C1")
    for axes, title, unit in (
        (left, "W: templates", units[0]),
        (right, "H: activations", units[1]),
    ):
        axes.set(title=title, xlabel=unit, ylim=(len(order) - 0.9, -1.05))
        axes.set_yticks(range(len(order)), [str(k) for k in order])
        axes.margins(x=0)
        axes.spines[["top", "right"]].set_visible(False)
    left.set_ylabel("component, loudest first" if components is None else "component")
    return figure


@public
def plot_stems(stems: Stems, *, top_hz: float = 8000.0) -> Figure:
    """Draw the spectrograms of the mixture and of each stem, on one scale.

    Parameters
    ----------
    stems : Stems
    top_hz : float
        They are drawn up to this frequency in Hz.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    stft = Stft(stems.sr, stems.transform.n_fft)
    sounds = {"mixture": stems.mixture, **stems}
    loudest = float(analyse(stems.mixture, stft).max()) or 1.0
    figure: Figure = new_figure(10, 1.7 * len(sounds) + 0.6)
    seconds = stems.mixture.shape[1] / stems.sr
    rows = figure.subplots(len(sounds), 1, sharex=True, sharey=True)
    for axes, (name, y) in zip(rows, sounds.items(), strict=True):
        V = analyse(y, stft)[stft.frequencies <= top_hz]
        level = 20 * np.log10(np.maximum(V / loudest, 1e-12))
        image = axes.imshow(
            level,
            origin="lower",
            aspect="auto",
            cmap=COLOURS,
            vmin=-RANGE_DB,
            vmax=0,
            extent=(0, seconds, 0, min(top_hz, stems.sr / 2) / 1000),
        )
        axes.set(title=name, ylabel="kHz")
    rows[-1].set_xlabel("seconds")
    figure.colorbar(image, ax=list(rows), label="dB", pad=0.01)
    return figure


@public
def plot_dictionary(dictionary: Dictionary) -> Figure:
    """Draw all templates side by side, each as loud as the others, labels between lines.

    Parameters
    ----------
    dictionary : Dictionary
        Templates that last several frames are drawn as these frames.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    whole = dictionary.select(dictionary.names)
    stretches = whole.templates if whole.lags > 1 else whole.templates[None]
    peaks = stretches.max(axis=(0, 1))
    shown = np.maximum(stretches / np.where(peaks > 0, peaks, 1), 1e-12)
    level = 20 / whole.transform.power * np.log10(shown)
    figure: Figure = new_figure(10, 4)
    axes = figure.subplots()
    frames = level.transpose(1, 2, 0).reshape(level.shape[1], -1)  # the lags of each together
    edges = np.cumsum([0, *(whole.lags * whole.labels.count(name) for name in whole.names)])
    frequencies = whole.transform.frequencies
    image = axes.pcolormesh(
        np.arange(frames.shape[1] + 1) - 0.5,
        np.append(frequencies, 2 * frequencies[-1] - frequencies[-2]) / 1000,
        frames,
        cmap=COLOURS,
        vmin=-RANGE_DB,
        vmax=0,
        rasterized=True,
    )
    for edge in edges[1:-1]:
        axes.axvline(edge - 0.5, color="white", lw=1)
    axes.set_xticks((edges[1:] + edges[:-1] - 1) / 2, whole.names)
    axes.set(ylabel="kHz")
    figure.colorbar(image, ax=axes, label="dB", pad=0.01)
    return figure


def plot_losses(decomposition: Decomposition | Mapping[str, Decomposition]) -> Figure:
    """Draw how the objective went down.

    The scale is logarithmic, so that an exact fit leaves the picture at the bottom, unless an
    objective is below 0, as logarithmic penalties make it.

    Parameters
    ----------
    decomposition : Decomposition or mapping of str to Decomposition
        One, or several by name to be compared, such as what different solvers found.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    ParameterError
        The mapping is empty.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 30))
    >>> figure = na.display.plot_losses({s: na.nmf(V, 3, solver=s, rng=0) for s in ("mu", "bmme")})
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['mu', 'bmme']
    """
    named = isinstance(decomposition, Mapping)
    several = decomposition if isinstance(decomposition, Mapping) else {"": decomposition}
    if not several:
        raise ParameterError("there is no decomposition to draw; give one, or several by name")
    figure: Figure = new_figure(6, 3)
    from matplotlib.ticker import MaxNLocator

    axes = figure.subplots()
    for (name, d), marker in zip(several.items(), cycle("osv^D*"), strict=False):
        axes.plot(d.checks, d.losses, marker=marker, ms=3, lw=1, label=name)
    losses = np.concatenate([d.losses for d in several.values()])
    if losses.min() >= -ROUNDING * losses.max() < 0:
        axes.set_yscale("log")
    axes.set(xlabel="iteration", ylabel="objective")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    if named:
        axes.legend()
    return figure


def _axes(decomposition: Decomposition) -> tuple[np.ndarray, np.ndarray, tuple[str, str]]:
    bins, frames = len(decomposition.W), decomposition.H.shape[1]
    if "transform" not in decomposition.metadata:
        return np.arange(bins), np.arange(frames), ("bin", "frame")
    transform = transform_from(decomposition.metadata["transform"])
    return transform.frequencies, transform.times(frames), ("Hz", "seconds")


def _unit(row: np.ndarray) -> np.ndarray:
    return row / (row.max(initial=0) or 1.0)
