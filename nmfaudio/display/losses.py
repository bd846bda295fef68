"""Objective of decompositions over iterations."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio._common.figures import new_figure
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.decomposition import Decomposition

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Rounding can take the loss of an exact fit below 0 by this share of the largest loss.
_ROUNDING = 1e-9


def plot_losses(decomposition: Decomposition | Mapping[str, Decomposition]) -> Figure:
    """Draw the objective of one or several decompositions over iterations.

    The scale is logarithmic unless an objective is negative, as logarithmic penalties make it. The
    losses of an exact fit lie below the lower edge of the figure.

    Parameters
    ----------
    decomposition : Decomposition or mapping of str to Decomposition
        One decomposition, or several to compare by name, e.g. the results of different solvers.

    Returns
    -------
    matplotlib.figure.Figure
        A figure that pyplot does not keep open.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    ParameterError
        The mapping is empty.

    See Also
    --------
    nmfaudio.plot_factors : Templates and activations of a decomposition.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 30))
    >>> figure = na.display.plot_losses({s: na.nmf(V, 3, solver=s, rng=0) for s in ("mu", "bmme")})
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['mu', 'bmme']
    """
    compared = isinstance(decomposition, Mapping)
    curves = decomposition if isinstance(decomposition, Mapping) else {"": decomposition}
    if not curves:
        raise ParameterError("no decomposition to draw; give one, or several by name")
    figure: Figure = new_figure(6, 3)
    from matplotlib.ticker import MaxNLocator

    axes = figure.subplots()
    for (name, d), marker in zip(curves.items(), cycle("osv^D*"), strict=False):
        axes.plot(d.checks, d.losses, marker=marker, ms=3, lw=1, label=name)
    losses = np.concatenate([d.losses for d in curves.values()])
    if losses.min() >= -_ROUNDING * losses.max() < 0:
        axes.set_yscale("log")
    axes.set(xlabel="iteration", ylabel="objective")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    if compared:
        axes.legend()
    return figure
