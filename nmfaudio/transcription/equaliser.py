"""The difference in colour between a recording and the dictionary that is to explain it."""

from __future__ import annotations

import numpy as np

_LOWEST = 20.0  # Hz; rows below count as this one
_LEAST = 1e-12  # of the model's largest row
_FINE = 4  # places in each standard deviation at which the gain is found


def channel_gain(
    recorded: np.ndarray, modelled: np.ndarray, frequencies: np.ndarray, *, octaves: float = 0.2
) -> np.ndarray:
    """The smooth gain over frequency that makes a model as strong as the recording.

    Instrument, room and microphone colour all notes alike; a smooth curve says how, and cannot
    make one note of another.

    Parameters
    ----------
    recorded, modelled : np.ndarray [shape=(freq,)]
        Sums over time of the spectrogram and of its model, ≥ 0.
    frequencies : np.ndarray [shape=(freq,)]
        In Hz, ascending.
    octaves : float
        Standard deviation of the Gaussian over log frequency that both are smoothed with, above 0.

    Returns
    -------
    np.ndarray [shape=(freq,)]
        float64, ≥ 0; 1 where the model is silent.

    Examples
    --------
    >>> import numpy as np
    >>> frequencies = np.arange(200) * 20.0
    >>> dull = 1 / (1 + frequencies / 500)
    >>> gain = channel_gain(dull, np.ones(200), frequencies, octaves=0.1)
    >>> bool(np.allclose(gain[10:180], dull[10:180], rtol=0.02))
    True
    """
    place = np.log2(np.maximum(frequencies, _LOWEST))
    count = int(_FINE * (place[-1] - place[0]) / octaves) + 2
    grid = np.linspace(place[0], place[-1], min(count, len(place) + 1))
    kernel = np.exp(-0.5 * ((grid[:, None] - place) / octaves) ** 2)
    above = (kernel * np.asarray(recorded, np.float64)).sum(axis=1)
    below = (kernel * np.asarray(modelled, np.float64)).sum(axis=1)
    heard = below > _LEAST * below.max()
    gain = np.divide(above, below, out=np.ones_like(below), where=heard)
    return np.asarray(np.interp(place, grid, gain))
