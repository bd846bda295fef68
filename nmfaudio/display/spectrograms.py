"""Spectrograms of a mixture and its stems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np

from nmfaudio._common.figures import new_figure
from nmfaudio._public import public
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.transforms import Stft, Transform
from nmfaudio.display.decibels import COLOUR_MAP, RANGE_DB, to_decibels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
def plot_stems(stems: SeparatedAudio, *, top_hz: float = 8000.0, start: float = 0.0) -> Figure:
    """Draw the spectrograms of the mixture and of each stem on one colour scale.

    Parameters
    ----------
    stems : Stems
    top_hz : float
        Highest frequency shown, in Hz.
    start : float
        Time of the first sample in seconds, such as that of an excerpt in its file.

    Returns
    -------
    matplotlib.figure.Figure
        A figure that pyplot does not keep open.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> figure = na.plot_stems(na.separate(y, 8000, n_components=4, max_iter=10))
    >>> [axes.get_title() for axes in figure.axes if axes.get_title()]
    ['mixture', 'harmonic', 'percussive']
    """
    stft = Stft(stems.sr, stems.transform.n_fft)
    signals = {"mixture": stems.mixture, **stems.stems}
    peak = float(analyse(stems.mixture, stft).max()) or 1.0
    figure: Figure = new_figure(10, 1.7 * len(signals) + 0.6)
    seconds = stems.mixture.shape[1] / stems.sr
    rows = figure.subplots(len(signals), 1, sharex=True, sharey=True)
    for axes, (name, y) in zip(rows, signals.items(), strict=True):
        V = analyse(y, stft)[stft.frequencies <= top_hz]
        image = axes.imshow(
            to_decibels(V, peak),
            origin="lower",
            aspect="auto",
            cmap=COLOUR_MAP,
            vmin=-RANGE_DB,
            vmax=0,
            extent=(start, start + seconds, 0, min(top_hz, stems.sr / 2) / 1000),
        )
        axes.set_title(name, parse_math=False)  # names may have dollar signs
        axes.set_ylabel("kHz")
    rows[-1].set_xlabel("seconds")
    figure.colorbar(image, ax=list(rows), label="dB", pad=0.01)
    return figure
