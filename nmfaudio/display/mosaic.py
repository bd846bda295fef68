"""Source frames of a mosaic over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from nmfaudio.display.factors import transform_of
from nmfaudio.display.panels import one_panel
from nmfaudio.display.style import colours
from nmfaudio.factorisation.decomposition import Decomposition

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SMALLEST = 0.03  # share drawn


class Resynthesis(Protocol):
    """Model of a target by the frames of sources, such as a `Mosaic`."""

    @property
    def decomposition(self) -> Decomposition: ...


def plot_mosaic(mosaic: Resynthesis, *, ax: Axes | None = None) -> Axes:
    """Draw the place in the sources of the frames that each frame of a mosaic is made of.

    Rising lines are passages of the sources that are played unchanged. Larger dots have a larger
    share in their frame.

    Parameters
    ----------
    mosaic : Mosaic
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

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal(8000)
    >>> m = na.mosaics.mosaic(y, y[::-1].copy(), 8000, iterations=2)
    >>> na.display.plot_mosaic(m).get_ylabel()
    'time in the sources (s)'
    """
    W, H = mosaic.decomposition
    transform = transform_of(mosaic.decomposition)
    step = 1.0 if transform is None else transform.hop_seconds
    unit = "frame" if transform is None else "s"
    # Not the weights themselves, which are largest for the faintest frames of the sources.
    energies = H * W.sum(axis=0)[:, None]
    totals = energies.sum(axis=0)
    shares = energies / np.where(totals > 0, totals, 1)
    source, target = np.nonzero(shares > _SMALLEST)
    axes: Axes = one_panel(ax, 7.0, 4.5)
    axes.scatter(
        step * target,
        step * source,
        s=14 * shares[source, target],
        color=colours(axes, 1),
        rasterized=True,
    )
    axes.set(
        xlim=(0, step * H.shape[1]),
        ylim=(0, step * len(H)),
        xlabel=f"time in the mosaic ({unit})",
        ylabel=f"time in the sources ({unit})",
    )
    return axes
