"""Spectrogram of a recording with axes and a grid to read off times and frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nmfaudio._common.figures import new_figure
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.transforms import Stft, default_n_fft
from nmfaudio.display.decibels import COLOUR_MAP, RANGE_DB, to_decibels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DEFAULT_TOP = 8000.0  # Hz
_LOWEST = 40.0  # Hz, of a logarithmic axis
_MOST_COLUMNS = 3000  # frames are pooled to this many, about the pixels of the widest figure
_INCHES_PER_SECOND, _NARROWEST, _WIDEST = 0.6, 12.0, 24.0
_HEIGHT = 8.0  # inches
_COLOURS = ("cyan", "lime", "white", "yellow", "deepskyblue")  # of boxes; not those of the map
_ROOM_BELOW = 0.95  # of the highest frequency, for names above boxes
_FREQUENCIES = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)  # of a logarithmic axis


class Box(Protocol):
    """Region of a spectrogram that belongs to a source, such as a box of `paint`."""

    @property
    def source(self) -> str: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


def spectrogram_figure(
    y: np.ndarray,
    sr: int,
    *,
    start: float = 0.0,
    top_hz: float | None = None,
    log: bool = False,
    n_fft: int | None = None,
    boxes: Sequence[Box] = (),
) -> Figure:
    """Draw the spectrogram of a recording in dB, with a grid over seconds and Hz.

    Parameters
    ----------
    y : np.ndarray [shape=(channel, sample)]
        Recording.
    sr : int
        Sample rate in Hz.
    start : float
        Time of the first sample in seconds.
    top_hz : float, optional
        Highest frequency shown, in Hz; by default 8000, or half the sample rate if that is lower.
    log : bool
        Whether the frequency axis is logarithmic, from 40 Hz on.
    n_fft : int, optional
        Window length in samples; by default that of the separators.
    boxes : sequence of Box
        Boxes to draw over it, in seconds and Hz, with the names of their sources.

    Returns
    -------
    matplotlib.figure.Figure
        A figure that pyplot does not keep open.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    stft = Stft(sr, n_fft or default_n_fft(sr))
    top = min(top_hz or _DEFAULT_TOP, sr / 2)
    V = analyse(y, stft)
    seconds = y.shape[1] / sr
    width = float(np.clip(_INCHES_PER_SECOND * seconds, _NARROWEST, _WIDEST))
    figure: Figure = new_figure(width, _HEIGHT)
    axes = figure.subplots()
    times, pooled = _pooled(V, stft.hop / sr)
    image = axes.pcolormesh(
        start + times,
        _edges(stft.frequencies),
        to_decibels(pooled, float(V.max()) or 1.0),
        cmap=COLOUR_MAP,
        vmin=-RANGE_DB,
        vmax=0,
        rasterized=True,
    )
    axes.set(
        xlabel="seconds",
        ylabel="Hz",
        xlim=(start, start + seconds),
        ylim=(min(_LOWEST, top / 2) if log else 0, top),
    )
    _draw_grid(axes, log)
    _draw_boxes(axes, boxes)
    figure.colorbar(image, ax=axes, label="dB", pad=0.01)
    return figure


def _edges(centres: np.ndarray) -> np.ndarray:
    """Borders between evenly spaced bins, one more than there are bins."""
    half = (centres[1] - centres[0]) / 2
    return np.append(centres - half, centres[-1] + half)


def _pooled(V: np.ndarray, hop_seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Borders of columns in seconds, and the largest value of the frames in each column."""
    frames = V.shape[1]
    each = -(-frames // _MOST_COLUMNS)
    first = np.arange(0, frames, each)
    # Frame i is centred at i · hop.
    return (np.append(first, frames) - 0.5) * hop_seconds, np.maximum.reduceat(V, first, axis=1)


def _draw_grid(axes: Any, log: bool) -> None:
    from matplotlib.ticker import AutoMinorLocator, FixedLocator, MaxNLocator, ScalarFormatter

    axes.xaxis.set_major_locator(MaxNLocator(24, steps=[1, 2, 5, 10]))
    axes.xaxis.set_minor_locator(AutoMinorLocator(5))
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(FixedLocator(_FREQUENCIES))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(18, steps=[1, 2, 5, 10]))
        axes.yaxis.set_minor_locator(AutoMinorLocator(5))
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.grid(which="major", color="white", alpha=0.45, lw=0.6)
    axes.grid(which="minor", color="white", alpha=0.15, lw=0.4)
    axes.tick_params(which="both", right=True, labelright=True, top=True)


def _draw_boxes(axes: Any, boxes: Sequence[Box]) -> None:
    """Draw the boxes that are in view, clipped to it, with the names of their sources."""
    from matplotlib.patches import Rectangle

    names = dict.fromkeys(box.source for box in boxes)
    colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for box in boxes:
        if box.end <= left or box.start >= right or box.high <= bottom or box.low >= top:
            continue
        # Sides beyond the view are drawn just outside: the canvas cannot hold any number.
        begin, low = max(box.start, 2 * left - right), max(box.low, bottom / 2)
        end, high = min(box.end, 2 * right - left), min(box.high, 2 * top)
        corner, size = (begin, low), (end - begin, high - low)
        colour = colours[box.source]
        axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=colour, lw=2))
        label = {"facecolor": colour, "edgecolor": "none", "pad": 1.5}
        # Names stand above their boxes, where there is room for them.
        align = "bottom" if box.high < _ROOM_BELOW * top else "top"
        text = axes.text(
            max(box.start, left),
            min(box.high, top),
            box.source,
            color="black",
            bbox=label,
            va=align,
            clip_on=True,
        )
        text.set_in_layout(False)
