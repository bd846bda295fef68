"""Measures of transcriptions as bars."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.display.evaluation import draw_bars
from nmfaudio.display.panels import note_omitted, one_panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SUFFIXES = {"precision": "_p", "recall": "_r", "F-measure": "_f"}
_MOST = 24


class NoteScores(Protocol):
    """Measures of transcribed notes by name, such as `TranscriptionScores`."""

    @property
    def measures(self) -> dict[str, float]: ...


class PieceScores(Protocol):
    """Measures of several pieces, such as a `TranscriptionSummary`."""

    @property
    def pieces(self) -> Mapping[str, NoteScores]: ...
    def values(self, measure: str) -> np.ndarray: ...


def plot_note_scores(scores: NoteScores, *, ax: Axes | None = None) -> Axes:
    """Draw precision, recall and F-measure of transcribed notes as bars.

    Parameters
    ----------
    scores : TranscriptionScores
        Measures that do not apply are left out.
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
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64)]
    >>> ax = na.display.plot_note_scores(na.evaluate_transcription(score, score[:1]))
    >>> [label.get_text() for label in ax.get_yticklabels()][:2]
    ['onset', 'offset']
    """
    measures = scores.measures
    names = [
        name.removesuffix("_f")
        for name, value in measures.items()
        if name.endswith("_f") and not math.isnan(value)
    ]
    rows = [name.replace("_", ", ") for name in names]
    series = {
        label: np.array([measures[name + suffix] for name in names])
        for label, suffix in _SUFFIXES.items()
    }
    axes: Axes = one_panel(ax, 6.0, 1.2 + 0.7 * len(rows))
    draw_bars(axes, rows, series, label="score", decimals=2)
    return axes


def plot_piece_scores(
    summary: PieceScores,
    *,
    measure: str = "onset_f",
    max_pieces: int = _MOST,
    ax: Axes | None = None,
) -> Axes:
    """Draw one measure of several transcribed pieces as bars, with their mean.

    Parameters
    ----------
    summary : TranscriptionSummary
    measure : str
        Measure as in `TranscriptionScores.measures`.
    max_pieces : int
        Largest number of pieces drawn; a line tells how many are omitted.
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
        No piece has this measure.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64)]
    >>> pairs = {"waltz": (score, score), "march": (score, score[:1])}
    >>> ax = na.display.plot_piece_scores(na.metrics.evaluate_transcriptions(pairs))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['waltz', 'march', 'mean']
    """
    values = np.asarray(summary.values(measure), float)
    known = values[~np.isnan(values)]
    most = as_count(max_pieces, "max_pieces", low=1)
    rows = list(summary.pieces)[:most]
    axes: Axes = one_panel(ax, 6.0, 1.2 + 0.28 * len(rows))
    bars = np.append(values[:most], known.mean() if len(known) else math.nan)
    draw_bars(axes, [*rows, "mean"], {measure: bars}, label=measure, decimals=2)
    note_omitted(axes, len(values) - len(rows), "pieces")
    return axes
