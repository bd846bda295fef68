"""Model and residual beside the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nmfaudio.audio.transforms import Transform
from nmfaudio.display.factors import transform_of
from nmfaudio.display.grid import DEFAULT_TOP_HZ, Scale, grid_of
from nmfaudio.display.panels import Panels
from nmfaudio.display.stacks import draw_stack
from nmfaudio.display.views import Factors, over_channels
from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.decomposition import Decomposition

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure


def plot_model(
    decomposition: Factors,
    V: np.ndarray,
    *,
    transform: Transform | None = None,
    top_hz: float = DEFAULT_TOP_HZ,
    scale: Scale | None = None,
    decibels: bool = True,
    fig: Figure | SubFigure | None = None,
) -> Panels:
    """Draw V, its model and the absolute difference of both on one colour scale.

    Parameters
    ----------
    decomposition : Decomposition or (W, H)
        Result of any structure.
    V : np.ndarray [shape=(…, freq, time)]
        Data. Those of several channels are drawn as their means, and so are model and difference.
    transform : Transform, optional
        Transform of V, for axes in Hz and seconds. Default: that of the decomposition's
        `metadata`; without one, axes count bins and frames.
    top_hz : float
        Highest frequency shown, in Hz.
    scale : "log", "notes" or "linear", optional
        Scale of frequencies. Default: ``"notes"`` for a constant-Q transform, else ``"log"``.
    decibels : bool
        Whether values are drawn in dB, or linearly.
    fig : matplotlib.figure.Figure or SubFigure, optional
        Figure to draw into. Default: a new one, which pyplot does not keep open.

    Returns
    -------
    Panels
        Axes ``"V"``, ``"model"`` and ``"residual"``; the title of the last one tells the share of
        the residual in the sum of V.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    ShapeError
        V or the transform does not fit the model.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 30))
    >>> list(na.display.plot_model(na.nmf(V, 3, rng=0), V))
    ['V', 'model', 'residual']
    """
    if isinstance(decomposition, Decomposition):
        model = decomposition.model()
    else:
        model = decomposition[0] @ decomposition[1]
    if V.shape != model.shape:
        raise ShapeError(
            f"V has shape {V.shape} and the model {model.shape}; both must be the same "
            "(…, freq, time)"
        )
    chosen = transform or transform_of(decomposition)
    residual = over_channels(np.abs(V - model))
    V, model = over_channels(V), over_channels(model)
    panels = draw_stack(
        fig,
        {"V": V, "model": model, "residual": residual},
        grid_of(chosen, V.shape, top_hz=top_hz, scale=scale),
        label="dB" if decibels else None,
        decibels=decibels,
        peak=float(V.max(initial=0)) or 1.0,
    )
    share = float(residual.sum() / (V.sum() or 1.0))
    panels["residual"].set_title(f"|V − model|: {share:.1%} of V", loc="left", fontsize="medium")
    return panels
