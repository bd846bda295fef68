"""Spectrograms of a mixture and its stems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio._public import public
from nmfaudio.audio.masking import analyse_blocks
from nmfaudio.audio.transforms import Stft, Transform
from nmfaudio.display.grid import DEFAULT_TOP_HZ, MOST_COLUMNS, Grid, Scale, first_cells, grid_of
from nmfaudio.display.panels import Panels
from nmfaudio.display.stacks import MOST_PANELS, chosen_names, draw_stack

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure


class SeparatedAudio(Protocol):
    """Mixture and stems, such as `nmfaudio.Stems`."""

    @property
    def stems(self) -> Mapping[str, np.ndarray]: ...
    @property
    def mixture(self) -> np.ndarray: ...
    @property
    def sr(self) -> int: ...
    @property
    def transform(self) -> Transform: ...


@public
def plot_stems(
    stems: SeparatedAudio,
    *,
    names: Sequence[str] | None = None,
    transform: Transform | None = None,
    max_stems: int = MOST_PANELS,
    top_hz: float = DEFAULT_TOP_HZ,
    scale: Scale | None = None,
    start: float = 0.0,
    fig: Figure | SubFigure | None = None,
) -> Panels:
    """Draw the spectrograms of the mixture and of each stem on one colour scale.

    Frames and frequencies that share a pixel are drawn with their largest value.

    Parameters
    ----------
    stems : Stems
    names : sequence of str, optional
        Stems to draw. Default: the first `max_stems`; a line tells how many are omitted.
    transform : Transform, optional
        Transform of the pictures. Default: an STFT with the windows of the separation.
    max_stems : int
        Largest number of stems drawn.
    top_hz : float
        Highest frequency shown, in Hz.
    scale : "log", "notes" or "linear", optional
        Scale of frequencies. Default: ``"notes"`` for a constant-Q transform, else ``"log"``.
    start : float
        Time of the first sample in seconds, such as that of an excerpt in its file.
    fig : matplotlib.figure.Figure or SubFigure, optional
        Figure to draw into. Default: a new one, which pyplot does not keep open.

    Returns
    -------
    Panels
        Axes of ``"mixture"`` and of each stem; their figure is ``panels.figure``.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    ParameterError
        A name or the scale is unknown.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> panels = na.plot_stems(na.separate(y, 8000, n_components=4, max_iter=10))
    >>> list(panels)
    ['mixture', 'harmonic', 'percussive']
    """
    most = as_count(max_stems, "max_stems", low=1)
    shown = chosen_names(names, stems.stems, most)
    chosen = transform or Stft(stems.sr, stems.transform.n_fft)
    frames = chosen.n_frames(stems.mixture.shape[1])
    shape = (len(chosen.frequencies), frames)
    grid, first = _pooled(grid_of(chosen, shape, top_hz=top_hz, scale=scale, start=start))
    # A stem may be called mixture, too.
    titles = {name: name if name != "mixture" else "mixture (stem)" for name in shown}
    audio = {"mixture": stems.mixture} | {titles[name]: stems.stems[name] for name in shown}
    spectrograms = {name: _largest(y, chosen, first) for name, y in audio.items()}
    peak = float(spectrograms["mixture"].max()) or 1.0
    omitted = len(stems.stems) - len(shown) if names is None else 0
    panels = draw_stack(fig, spectrograms, grid, label="dB", peak=peak, omitted=omitted)
    panels["mixture"].set_xlim(start, start + stems.mixture.shape[1] / stems.sr)
    return panels


def _pooled(grid: Grid) -> tuple[Grid, np.ndarray]:
    """Grid with the columns that are drawn, and the first frame of each."""
    columns = grid.columns
    if len(columns) - 1 <= MOST_COLUMNS:
        return grid, np.arange(len(columns) - 1)
    first = first_cells(columns, np.linspace(columns[0], columns[-1], MOST_COLUMNS))
    return replace(grid, columns=np.append(columns[first], columns[-1])), first


def _largest(y: np.ndarray, transform: Transform, first: np.ndarray) -> np.ndarray:
    """Largest features of the frames of each column [shape=(freq, column)].

    The spectrogram itself, which for a long recording is larger than its audio, is never whole.
    """
    values = np.zeros((len(transform.frequencies), len(first)), y.dtype)
    begin = 0
    for block in analyse_blocks(y, transform):
        end = begin + block.shape[1]
        column = int(np.searchsorted(first, begin, "right")) - 1
        inside = first[(first > begin) & (first < end)]
        largest = np.maximum.reduceat(block, np.append(0, inside - begin), axis=1)
        own = values[:, column : column + largest.shape[1]]
        np.maximum(own, largest, out=own)
        begin = end
    return values
