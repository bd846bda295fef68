"""Spectrograms on axes of time and frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nmfaudio._common.pitch import hz_to_midi, midi_to_hz
from nmfaudio.audio.transforms import Cqt, Transform
from nmfaudio.display.decibels import COLOUR_MAP, RANGE_DB, to_decibels
from nmfaudio.display.style import free_labels
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.symbolic.names import pitch_name

Scale = Literal["log", "notes", "linear"]

SCALES = ("log", "notes", "linear")
LOWEST_HZ = 40.0  # of a logarithmic axis
DEFAULT_TOP_HZ = 8000.0
MOST_COLUMNS, MOST_ROWS = 1200, 400  # cells beyond these are pooled, about the pixels of a figure
_STEPS = ((1, 2, 5), (1, 3), (1,))  # ticks of a decade, from dense to sparse
_OCTAVE = 12  # semitones


@dataclass(frozen=True)
class Grid:
    """Cells of a spectrogram: their borders along both axes, and the units of these.

    Parameters
    ----------
    rows : np.ndarray [shape=(freq + 1,)]
        In Hz, or in bins without a transform.
    columns : np.ndarray [shape=(time + 1,)]
        In seconds, or in frames without a transform.
    low, top : float
        Limits of the frequency axis.
    scale : "log", "notes" or "linear"
    transform : Transform or None

    Examples
    --------
    >>> grid = grid_of(None, (2, 3))
    >>> grid.rows, grid.columns
    (array([-0.5,  0.5,  1.5]), array([-0.5,  0.5,  1.5,  2.5]))
    """

    rows: np.ndarray
    columns: np.ndarray
    low: float
    top: float
    scale: Scale
    transform: Transform | None

    @property
    def power(self) -> float:
        """Exponent of the magnitudes."""
        return 1.0 if self.transform is None else self.transform.power

    @property
    def units(self) -> tuple[str, str]:
        """Labels of the frequency and the time axis."""
        if self.transform is None:
            return "bin", "frame"
        return "note" if self.scale == "notes" else "frequency (Hz)", "time (s)"


def grid_of(
    transform: Transform | None,
    shape: tuple[int, ...],
    *,
    top_hz: float = DEFAULT_TOP_HZ,
    scale: Scale | None = None,
    start: float = 0.0,
) -> Grid:
    """Return the cells of a spectrogram.

    Parameters
    ----------
    transform : Transform or None
        Transform of the spectrogram; without it, axes count bins and frames.
    shape : (int, int)
        Numbers of frequencies and frames.
    top_hz : float
        Highest frequency shown, in Hz.
    scale : "log", "notes" or "linear", optional
        Scale of frequencies: logarithmic with ticks in Hz or at notes, or linear. Default:
        ``"notes"`` for a constant-Q transform, else ``"log"``.
    start : float
        Time of the first frame in seconds.

    Returns
    -------
    Grid

    Raises
    ------
    ParameterError
        `scale` is unknown.
    ShapeError
        The transform has another number of frequencies.
    """
    bins, frames = shape
    if transform is None:
        return Grid(np.arange(bins + 1) - 0.5, np.arange(frames + 1) - 0.5, -0.5, bins - 0.5,
                    "linear", None)  # fmt: skip
    if scale not in (None, *SCALES):
        raise ParameterError(f"scale is {scale!r}; it must be one of {', '.join(SCALES)}")
    chosen: Scale = scale or ("notes" if isinstance(transform, Cqt) else "log")
    centres = transform.frequencies
    if len(centres) != bins:
        raise ShapeError(
            f"the spectrogram has {bins} frequencies and its transform {len(centres)}; give the "
            "transform that it was made with"
        )
    rows = _borders(centres)
    step = transform.hop_seconds
    columns = start + float(transform.times(1)[0]) + (np.arange(frames + 1) - 0.5) * step
    low = 0.0 if chosen == "linear" else max(float(rows[0]), LOWEST_HZ)
    return Grid(rows, columns, low, max(min(top_hz, float(rows[-1])), 2 * low), chosen, transform)


def _borders(centres: np.ndarray) -> np.ndarray:
    """Borders between ascending centres, one more than there are centres."""
    if len(centres) == 1:
        return np.array([centres[0] / 2, 2 * centres[0]])
    inner = (centres[1:] + centres[:-1]) / 2
    first, last = 2 * centres[0] - inner[0], 2 * centres[-1] - inner[-1]
    return np.concatenate([[first], inner, [last]])


def draw_grid(
    axes: Any,
    values: np.ndarray,
    grid: Grid,
    *,
    peak: float | None = None,
    decibels: bool = True,
    range_db: float = RANGE_DB,
    cmap: str = COLOUR_MAP,
    limits: tuple[float, float] | None = None,
) -> Any:
    """Draw a spectrogram, with the frequency axis of its grid.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    values : np.ndarray [shape=(freq, time)]
    grid : Grid
    peak : float, optional
        Value at the upper end of the colours; 0 dB. Default: the largest value.
    decibels : bool
        Whether values are drawn in dB, or linearly.
    range_db : float
        Range of the colours in dB.
    cmap : str
        Colour map.
    limits : (float, float), optional
        Values at the ends of the colours, where values are not in dB.

    Returns
    -------
    matplotlib.collections.QuadMesh
    """
    cells, rows, columns = cells_of(values, grid, peak=peak, decibels=decibels)
    if decibels:
        limits = (-range_db, 0.0)
    low, high = limits or (0.0, peak or float(values.max(initial=0)) or 1.0)
    if grid.scale != "linear":
        rows = np.maximum(rows, grid.low / 2)  # the lowest bin of an STFT reaches below 0 Hz
    mesh = axes.pcolormesh(
        columns, rows, cells, cmap=cmap, vmin=low, vmax=high, rasterized=True, shading="flat"
    )
    axes.set(xlim=(grid.columns[0], grid.columns[-1]), xlabel=grid.units[1])
    set_frequency_axis(axes, grid)
    return mesh


def cells_of(
    values: np.ndarray, grid: Grid, *, peak: float | None = None, decibels: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values of the cells that are drawn, and their borders.

    Parameters
    ----------
    values, grid, peak, decibels
        As in `draw_grid`.

    Returns
    -------
    cells, rows, columns : np.ndarray
    """
    pooled, rows, columns = _pooled(values, grid)
    if decibels:
        top = peak or float(values.max(initial=0)) or 1.0
        pooled = to_decibels(pooled, top, power=grid.power)
    return pooled, rows, columns


def set_frequency_axis(axes: Any, grid: Grid) -> None:
    """Set scale, limits, ticks and label of the frequency axis.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    grid : Grid
    """
    from matplotlib.ticker import MaxNLocator

    if grid.scale == "linear":
        axes.set_ylim(grid.low, grid.top)
        axes.yaxis.set_major_locator(
            MaxNLocator("auto", integer=grid.transform is None, steps=[1, 2, 5, 10])
        )
    else:
        axes.set_yscale("log")
        axes.set_ylim(grid.low, grid.top)
        most = free_labels(axes, "y")
        ticks = (_note_ticks if grid.scale == "notes" else _decade_ticks)(grid.low, grid.top, most)
        axes.yaxis.set_ticks(list(ticks), list(ticks.values()))
        axes.yaxis.set_ticks([], minor=True)
    axes.set_ylabel(grid.units[0])


def _decade_ticks(low: float, high: float, most: int) -> dict[float, str]:
    """Ticks of a logarithmic axis in Hz: as many as fit."""
    found: dict[float, str] = {}
    for steps in _STEPS:
        hertz = [step * 10.0**k for k in range(1, 6) for step in steps]
        found = {f: hertz_label(f) for f in hertz if low <= f <= high}
        if len(found) <= most:
            break
    return found


def _note_ticks(low: float, high: float, most: int) -> dict[float, str]:
    """Ticks at the Cs of all octaves, or at each semitone where these fit."""
    first, last = (int(x) for x in np.ceil(hz_to_midi(np.array([low, high + 1e-9]))))
    for step in (1, _OCTAVE, 2 * _OCTAVE):
        pitches = [p for p in range(first, last) if p % step == 0]
        if len(pitches) <= most:
            break
    return {midi_to_hz(float(p)): pitch_name(p) for p in pitches}


def hertz_label(hertz: float) -> str:
    """Short label of a frequency in Hz.

    Examples
    --------
    >>> hertz_label(200.0), hertz_label(5000.0)
    ('200', '5k')
    """
    return f"{hertz / 1000:g}k" if hertz >= 1000 else f"{hertz:g}"


def _pooled(values: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows in view and all columns, with the largest value of the cells that share a pixel."""
    first = max(int(np.searchsorted(grid.rows, grid.low, "right")) - 1, 0)
    last = min(int(np.searchsorted(grid.rows, grid.top, "left")), len(grid.rows) - 1)
    rows, values = grid.rows[first : last + 1], values[first:last]
    if len(values) > MOST_ROWS:
        spaced = np.linspace if grid.scale == "linear" else np.geomspace
        low = rows[0] if grid.scale == "linear" else max(rows[0], grid.low / 2)
        values, rows = pool(values, rows, spaced(low, rows[-1], MOST_ROWS), axis=0)
    even = np.linspace(grid.columns[0], grid.columns[-1], MOST_COLUMNS)
    values, columns = pool(values, grid.columns, even, axis=1)
    return values, rows, columns


def pool(
    values: np.ndarray, borders: np.ndarray, spaced: np.ndarray, axis: int
) -> tuple[np.ndarray, np.ndarray]:
    """Join neighbouring cells, with their largest value, if there are more than wanted.

    Parameters
    ----------
    values : np.ndarray
    borders : np.ndarray [shape=(n + 1,)]
        Borders of the cells of `values` along `axis`.
    spaced : np.ndarray [shape=(m,)]
        Borders at about which cells begin, if n exceeds m.
    axis : int

    Returns
    -------
    values, borders : np.ndarray
        The arguments, if n is at most m.
    """
    if len(borders) - 1 <= len(spaced):
        return values, borders
    begin = first_cells(borders, spaced)
    return np.maximum.reduceat(values, begin, axis=axis), np.append(borders[begin], borders[-1])


def first_cells(borders: np.ndarray, spaced: np.ndarray) -> np.ndarray:
    """Index of the first of the cells that `pool` joins.

    Parameters
    ----------
    borders, spaced
        As in `pool`.

    Returns
    -------
    np.ndarray of int
    """
    begin = np.unique(np.append(0, np.searchsorted(borders[:-1], spaced)))
    return begin[begin < len(borders) - 1]
