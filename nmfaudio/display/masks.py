"""Masks of stems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.audio.transforms import Transform
from nmfaudio.display.grid import DEFAULT_TOP_HZ, Scale, grid_of
from nmfaudio.display.panels import Panels
from nmfaudio.display.stacks import MOST_PANELS, chosen_names, draw_stack
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

_COLOUR_MAP = "cividis"  # even in lightness, also to the colour-blind


def plot_masks(
    stems: Any,
    *,
    names: Sequence[str] | None = None,
    transform: Transform | None = None,
    max_stems: int = MOST_PANELS,
    top_hz: float = DEFAULT_TOP_HZ,
    scale: Scale | None = None,
    start: float = 0.0,
    fig: Figure | SubFigure | None = None,
) -> Panels:
    """Draw the mask of each stem: its share of every bin, from 0 to 1.

    Parameters
    ----------
    stems : Stems, or Mapping of str to np.ndarray [shape=(freq, time)]
        Stems, whose masks are computed from their model, or masks by name. Masks of several
        channels are averaged over these.
    names : sequence of str, optional
        Stems to draw. Default: the first `max_stems`; a line tells how many are omitted.
    transform : Transform, optional
        Transform of the masks, for axes in Hz and seconds. Default: that of the stems; without
        one, axes count bins and frames.
    max_stems : int
        Largest number of stems drawn.
    top_hz : float
        Highest frequency shown, in Hz.
    scale : "log", "notes" or "linear", optional
        Scale of frequencies. Default: ``"notes"`` for a constant-Q transform, else ``"log"``.
    start : float
        Time of the first frame in seconds.
    fig : matplotlib.figure.Figure or SubFigure, optional
        Figure to draw into. Default: a new one, which pyplot does not keep open.

    Returns
    -------
    Panels
        Axes of each stem.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    ParameterError
        There are no masks, or a name or the scale is unknown.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> list(na.display.plot_masks(na.separate(y, 8000, n_components=4, max_iter=10)))
    ['harmonic', 'percussive']
    """
    most = as_count(max_stems, "max_stems", low=1)
    if hasattr(stems, "masking"):
        transform = transform or stems.transform
        models = [stems.decomposition.part(group.components) for group in stems.groups.values()]
        masks: Mapping[str, Any] = dict(zip(stems.groups, stems.masking.masks(models), strict=True))
    else:
        masks = stems
    if not masks:
        raise ParameterError("no mask to draw; give stems, or masks by name")
    shown = {
        name: np.asarray(masks[name]).reshape(-1, *np.shape(masks[name])[-2:]).mean(axis=0)
        for name in chosen_names(names, masks, most)
    }
    shape = next(iter(shown.values())).shape
    return draw_stack(
        fig,
        shown,
        grid_of(transform, shape, top_hz=top_hz, scale=scale, start=start),
        label="share",
        omitted=len(masks) - len(shown) if names is None else 0,
        decibels=False,
        limits=(0.0, 1.0),
        cmap=_COLOUR_MAP,
    )
