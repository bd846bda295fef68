"""Templates and activations of a decomposition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio._common.figures import new_figure
from nmfaudio._common.validation import as_count
from nmfaudio._public import public
from nmfaudio.audio.transforms import transform_from
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.decomposition import Decomposition

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@public
def plot_factors(
    decomposition: Decomposition, *, components: Sequence[int] | None = None, top_hz: float = 8000.0
) -> Figure:
    """Draw templates beside their activations, one row per component.

    Each template and each activation is scaled to a maximum of 1.

    Parameters
    ----------
    decomposition : Decomposition
        Plain NMF, or any structure with templates and activations of the same shapes. Axes are in
        Hz and seconds if its `metadata` holds the transform, else in bins and frames.
    components : sequence of int, optional
        Components to draw, from top to bottom. Default: all, by decreasing energy.
    top_hz : float
        Highest frequency shown, in Hz.

    Returns
    -------
    matplotlib.figure.Figure
        A figure that pyplot does not keep open.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    ParameterError
        The model is not (freq, time), or templates or activations have further axes.

    See Also
    --------
    nmfaudio.display.plot_losses : Objective over iterations.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> d = na.nmf(np.random.default_rng(0).random((20, 30)), 3, rng=0)
    >>> templates, activations = na.plot_factors(d).axes
    >>> len(templates.collections), len(activations.collections)
    (3, 3)
    """
    W, H = decomposition.W, decomposition.H
    model = decomposition.structure.shape(decomposition.factors)
    if not len(model) == W.ndim == H.ndim == 2:
        raise ParameterError(
            f"the model has shape {model}, its templates {W.shape} and activations {H.shape}; "
            "plot_factors draws templates (freq, component) and activations (component, time), "
            "such as those of plain NMF"
        )
    if components is None:
        # Σ_ft of w_k h_kᵀ factors into the product of the two sums.
        order = np.argsort(-(W.sum(0) * H.sum(1)), kind="stable").tolist()
    else:
        order = [as_count(k, "component", low=0, high=W.shape[1] - 1) for k in components]
    frequencies, times, units = _axes(decomposition)
    figure: Figure = new_figure(10, 0.5 * len(order) + 1)
    left, right = figure.subplots(1, 2, width_ratios=[1, 2])
    shown = frequencies <= top_hz if units[0] == "Hz" else slice(None)
    for row, k in enumerate(order):  # row 0 on top: the vertical axis points down
        template, activation = _peak_normalised(W[shown, k]), _peak_normalised(H[k])
        left.fill_between(frequencies[shown], row, row - template, lw=0, color="C0")
        right.fill_between(times, row, row - activation, lw=0, color="C1")
    for axes, title, unit in (
        (left, "W: templates", units[0]),
        (right, "H: activations", units[1]),
    ):
        axes.set(title=title, xlabel=unit, ylim=(len(order) - 0.9, -1.05))
        axes.set_yticks(range(len(order)), [str(k) for k in order])
        axes.margins(x=0)
        axes.spines[["top", "right"]].set_visible(False)
    left.set_ylabel("component, by energy" if components is None else "component")
    return figure


def _axes(decomposition: Decomposition) -> tuple[np.ndarray, np.ndarray, tuple[str, str]]:
    """Positions along frequency and time, and the units of both."""
    bins, frames = len(decomposition.W), decomposition.H.shape[1]
    if "transform" not in decomposition.metadata:
        return np.arange(bins), np.arange(frames), ("bin", "frame")
    transform = transform_from(decomposition.metadata["transform"])
    return transform.frequencies, transform.times(frames), ("Hz", "seconds")


def _peak_normalised(row: np.ndarray) -> np.ndarray:
    """Row divided by its maximum; zeros stay zeros."""
    return row / (row.max(initial=0) or 1.0)
