"""Measures of separated stems as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.display.panels import note_omitted, one_panel
from nmfaudio.display.style import (
    HATCHES,
    colours,
    ink,
    label_rows,
    legend_above,
    plain,
    values_fit,
)
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 12
_NAMES = 0.4  # of the width that names of rows may take
_MIXTURE, _IDEAL = "mixture", "ideal mask"
_LABELS = {
    "si_sdr": "SI-SDR (dB)",
    "sdr": "SDR (dB)",
    "sir": "SIR (dB)",
    "sar": "SAR (dB)",
    "isr": "ISR (dB)",
    "image_sdr": "image SDR (dB)",
    "si_sdr_improvement": "SI-SDR improvement (dB)",
    "sdr_improvement": "SDR improvement (dB)",
}


class SourceScores(Protocol):
    """Measures of several sources, such as an `Evaluation`."""

    @property
    def matches(self) -> Mapping[str, str]: ...
    @property
    def scores(self) -> Mapping[str, np.ndarray]: ...


def plot_evaluation(
    evaluation: SourceScores | Mapping[str, SourceScores],
    *,
    measure: str = "si_sdr",
    ideal: SourceScores | None = None,
    names: Sequence[str] | None = None,
    max_sources: int = _MOST,
    ax: Axes | None = None,
) -> Axes:
    """Draw a measure of each source as bars, beside the unprocessed mixture and an ideal mask.

    Parameters
    ----------
    evaluation : Evaluation, or mapping of str to Evaluation
        Scores of one separation, or of several to compare by name, of the same sources.
    measure : str
        Measure as in `Evaluation.scores`. That of the mixture is the difference of ``si_sdr`` or
        ``sdr`` and its improvement, where both are known.
    ideal : Evaluation, optional
        Scores of the stems of an ideal mask, the best that masks can do.
    names : sequence of str, optional
        Sources to draw. Default: the first `max_sources`; a line tells how many are omitted.
    max_sources : int
        Largest number of sources drawn.
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
        The measure or a source is unknown, or there is nothing to draw.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> kick, snare = np.random.default_rng(0).standard_normal((2, 8000))
    >>> estimates = {"kick": kick + 0.1 * snare, "snare": snare + 0.2 * kick}
    >>> evaluation = na.evaluate({"kick": kick, "snare": snare}, estimates)
    >>> ax = na.display.plot_evaluation(evaluation)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['mixture', 'separated']
    """
    named = evaluation if isinstance(evaluation, Mapping) else {"separated": evaluation}
    if not named:
        raise ParameterError("no evaluation to draw; give one, or several by name")
    first = next(iter(named.values()))
    sources = list(first.matches)
    chosen = sources[: as_count(max_sources, "max_sources", low=1)] if names is None else names
    series = {name: _values(scores, measure, chosen) for name, scores in named.items()}
    before = f"{measure}_improvement"
    if before in first.scores:
        with np.errstate(invalid="ignore"):  # inf − inf, where the mixture is a perfect estimate
            mixture = _values(first, measure, chosen) - _values(first, before, chosen)
        series = {_MIXTURE: mixture} | series
    if ideal is not None:
        series |= {_IDEAL: _values(ideal, measure, chosen)}
    axes: Axes = one_panel(ax, 7.0, 1.2 + 0.24 * len(chosen) * (len(series) + 0.6))
    draw_bars(axes, chosen, series, label=_LABELS.get(measure, measure))
    note_omitted(axes, len(sources) - len(chosen) if names is None else 0, "sources")
    return axes


def _values(scores: SourceScores, measure: str, sources: Sequence[str]) -> np.ndarray:
    """Values of a measure for several sources."""
    if measure not in scores.scores:
        raise ParameterError(
            f"measure is {measure!r}; it must be one of {', '.join(scores.scores)}"
        )
    known = list(scores.matches)
    for source in sources:
        if source not in known:
            raise ParameterError(f"no source is called {source!r}; choose from {', '.join(known)}")
    return np.asarray(scores.scores[measure])[[known.index(source) for source in sources]]


def draw_bars(
    axes: Any,
    rows: Sequence[str],
    series: Mapping[str, np.ndarray],
    *,
    label: str,
    decimals: int = 1,
) -> None:
    """Draw groups of horizontal bars, with their values where these fit.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    rows : sequence of str
        Names of the groups, from top to bottom.
    series : Mapping of str to np.ndarray [shape=(row,)]
        Values of the bars of each group, by name of the series. Infinite ones reach the edge.
    label : str
        Label of the values.
    decimals : int
        Decimals of the values.
    """
    values = np.array(list(series.values()), float)
    finite = values[np.isfinite(values)]
    low, high = min(finite.min(initial=0), 0.0), max(finite.max(initial=0), 0.0)
    span = (high - low) or 1.0
    # Space for the text at both ends.
    low, high = low - 0.14 * span * (low < 0), high + 0.14 * span
    thickness = 0.8 / len(series)
    bars_and_gaps = round(len(rows) / thickness)
    looks = zip(colours(axes, len(series)), cycle(HATCHES), strict=False)
    for number, ((name, own), (colour, hatch)) in enumerate(
        zip(series.items(), looks, strict=False)
    ):
        y = np.arange(len(rows)) - 0.4 + thickness * (number + 0.5)
        widths = np.clip(np.nan_to_num(own, nan=0.0, posinf=high, neginf=low), low, high)
        bars = axes.barh(
            y, widths, 0.92 * thickness, color=colour, hatch=hatch, label=plain(name),
            edgecolor=axes.get_facecolor(), linewidth=0,
        )  # fmt: skip
        if values_fit(axes, bars_and_gaps):
            texts = [_text(x, decimals) for x in own]
            axes.bar_label(bars, texts, padding=2, fontsize="x-small", color=ink(axes))
    label_rows(axes, rows, share=_NAMES)
    axes.set(xlim=(low, high), ylim=(len(rows) - 0.45, -0.55), xlabel=label)
    axes.axvline(0, color=ink(axes), lw=0.8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    if len(series) > 1:
        legend_above(axes, len(series))


def _text(value: float, decimals: int) -> str:
    """Value in decimals, with a minus sign; – for NaN."""
    if np.isnan(value):
        return "–"
    return f"{value:.{decimals}f}".replace("-", "−").replace("inf", "∞")
