"""Learned weights of frequencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nmfaudio.audio.transforms import Transform
from nmfaudio.display.factors import transform_of
from nmfaudio.display.panels import one_panel
from nmfaudio.display.style import colours
from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.recipes.feature_weighting import FeatureWeighted

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_feature_weights(
    result: FeatureWeighted, *, transform: Transform | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the weight of each frequency beside the mean of all, which is 1.

    Parameters
    ----------
    result : FeatureWeighted
    transform : Transform, optional
        Transform of the data, for an axis in Hz. Default: that of the decomposition's `metadata`;
        without one, the axis counts bins.
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
    ShapeError
        The transform has another number of frequencies.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 60))
    >>> ax = na.display.plot_feature_weights(na.recipes.feature_weighted_nmf(V, 3, rng=0))
    >>> ax.get_xlabel(), len(ax.lines[0].get_ydata())
    ('bin', 20)
    """
    weights, chosen = result.feature_weights, transform or transform_of(result.decomposition)
    places = np.arange(len(weights)) if chosen is None else chosen.frequencies
    if len(places) != len(weights):
        raise ShapeError(
            f"there are {len(weights)} weights and the transform has {len(places)} frequencies; "
            "give the transform of the data"
        )
    axes: Axes = one_panel(ax, 6.0, 3.0)
    line, mean = colours(axes, 2)
    axes.plot(places, weights, color=line, lw=1.2)
    axes.axhline(1.0, color=mean, ls="--", lw=1)
    axes.set(xlabel="bin" if chosen is None else "frequency (Hz)", ylabel="weight")
    axes.set(xlim=(places[0], places[-1]), ylim=(0, None))
    axes.grid(alpha=0.3)
    return axes
