"""Smooth spectral gain between a recording and its model."""

from __future__ import annotations

import numpy as np

_LOWEST = 20.0  # Hz; lower frequencies are clipped to it, since the logarithm of 0 Hz is undefined
_FLOOR = 1e-12  # share of the model's largest row below which it is silent
_FINE = 4  # grid points in each standard deviation of the kernel


def channel_gain(
    recorded: np.ndarray, modelled: np.ndarray, frequencies: np.ndarray, *, octaves: float = 0.2
) -> np.ndarray:
    """Estimate the smooth gain over frequency that matches a model to the recording.

    Instrument, room and microphone filter all notes alike. A gain that is smooth over log
    frequency models this filter, and cannot turn one note into another.

    Parameters
    ----------
    recorded, modelled : np.ndarray [shape=(freq,)]
        Sums over time of the spectrogram and of its model, ≥ 0.
    frequencies : np.ndarray [shape=(freq,)]
        In Hz, ascending.
    octaves : float
        Standard deviation of the Gaussian kernel over log frequency, above 0.

    Returns
    -------
    np.ndarray [shape=(freq,)]
        float64, ≥ 0; 1 where the model is silent.

    Notes
    -----
    With G a Gaussian of the distance of two rows in octaves, v the recorded and m the modelled
    spectrum, the gain is the ratio of two kernel smoothers (Nadaraya–Watson without their common
    normalisation):

    .. math:: g(f) = \\frac{\\sum_{f'} G(f, f')\\, v(f')}{\\sum_{f'} G(f, f')\\, m(f')}

    Examples
    --------
    >>> import numpy as np
    >>> frequencies = np.arange(200) * 20.0
    >>> dull = 1 / (1 + frequencies / 500)
    >>> gain = channel_gain(dull, np.ones(200), frequencies, octaves=0.1)
    >>> bool(np.allclose(gain[10:180], dull[10:180], rtol=0.02))
    True
    """
    position = np.log2(np.maximum(frequencies, _LOWEST))  # in octaves
    # A smooth curve needs few points: it is computed on a coarse grid and interpolated.
    count = int(_FINE * (position[-1] - position[0]) / octaves) + 2
    grid = np.linspace(position[0], position[-1], min(count, len(position) + 1))
    kernel = np.exp(-0.5 * ((grid[:, None] - position) / octaves) ** 2)  # (grid, freq)
    numerator = (kernel * np.asarray(recorded, np.float64)).sum(axis=1)
    denominator = (kernel * np.asarray(modelled, np.float64)).sum(axis=1)
    audible = denominator > _FLOOR * denominator.max()
    gain = np.divide(numerator, denominator, out=np.ones_like(denominator), where=audible)
    return np.asarray(np.interp(position, grid, gain))
