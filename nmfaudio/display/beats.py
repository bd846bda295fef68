"""Beats, bars and tempo of a performance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio.display.notes import plot_notes
from nmfaudio.display.panels import Panels, canvas
from nmfaudio.display.style import colours, ink, legend_above
from nmfaudio.symbolic.beats import Beats
from nmfaudio.symbolic.conversion import Notes

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

_MARGIN = 0.15  # of the range of the tempo, above and below its curve


def plot_beats(
    beats: Beats, notes: Notes | None = None, *, fig: Figure | SubFigure | None = None
) -> Panels:
    """Draw beats and downbeats over the notes, and the tempo from beat to beat below.

    Parameters
    ----------
    beats : Beats
    notes : sequence of Note, path, or object with notes, optional
        Notes of the performance, drawn as a piano roll. Default: the tempo alone.
    fig : matplotlib.figure.Figure or SubFigure, optional
        Figure to draw into. Default: a new one, which pyplot does not keep open.

    Returns
    -------
    Panels
        Axes "notes", if there are notes, and "tempo", in beats per minute.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    ParameterError
        Notes are of no known form.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> notes = [na.Note(i / 2, i / 2 + 0.4, 60 + i % 3) for i in range(9)]
    >>> panels = na.display.plot_beats(na.symbolic.Beats(np.arange(9) / 2, per_bar=3), notes)
    >>> list(panels), panels["tempo"].get_ylabel()
    (['notes', 'tempo'], 'tempo (bpm)')
    """
    if notes is None:
        figure = canvas(fig, 9.0, 2.6)
        axes = {"tempo": figure.subplots()}
    else:
        figure = canvas(fig, 9.0, 5.2)
        heights = {"height_ratios": (3, 1)}
        axes = dict(zip(("notes", "tempo"), figure.subplots(2, gridspec_kw=heights), strict=True))
        plot_notes(notes, ax=axes["notes"]).collections[0].set_label("notes")
        axes["notes"].set_xlabel("")
        axes["notes"].tick_params(labelbottom=False)
    _draw_tempo(axes["tempo"], beats)
    for each in axes.values():
        _draw_beats(each, beats)
        _limit_time(each, beats, axes.get("notes"))
    legend_above(next(iter(axes.values())), 4)
    return Panels(axes, own=fig is None)


def _draw_tempo(axes: Any, beats: Beats) -> None:
    """Draw the tempo of each beat as a level line from it to the next one."""
    tempo = 60 / np.diff(beats.times)
    margin = _MARGIN * max(np.ptp(tempo), 0.1 * beats.tempo)
    axes.stairs(tempo, beats.times, baseline=None, color=colours(axes, 1)[0], lw=1.5, zorder=3)
    axes.axhline(beats.tempo, color=ink(axes), ls="--", lw=1, label=f"{beats.tempo:.0f} bpm")
    axes.set(xlabel="time (s)", ylabel="tempo (bpm)")
    axes.set_ylim(tempo.min() - margin, tempo.max() + margin)


def _draw_beats(axes: Any, beats: Beats) -> None:
    """Draw a thin line at each beat, and a thick one at each downbeat."""
    others = beats.times[~np.isin(beats.times, beats.downbeats)]
    above, below = beats.time_signature
    kinds = {
        "beat": (others, {"lw": 0.7, "ls": ":"}),
        f"downbeat, {above}/{below}": (beats.downbeats, {"lw": 1.3, "ls": "-"}),
    }
    for name, (times, line) in kinds.items():
        # Lines from the bottom to the top, whatever the limits.
        axes.vlines(
            times,
            0,
            1,
            transform=axes.get_xaxis_transform(),
            color=ink(axes),
            alpha=0.7,
            zorder=0.5,
            label=name,
            **line,
        )


def _limit_time(axes: Any, beats: Beats, roll: Any) -> None:
    """Show the same stretch in all panels: all beats, and the notes if there are some."""
    low, high = beats.times[[0, -1]]
    if roll is not None:
        start, end = roll.get_xlim()
        low, high = min(low, start), max(high, end)
    axes.set_xlim(low, high)
