"""The difference in colour between a recording and the dictionary that is to explain it."""

from __future__ import annotations

from typing import Any

import numpy as np

_LOWEST = 20.0  # Hz; rows below count as this one
_LEAST = 1e-12  # of the model's largest row


def octave_kernel(frequencies: np.ndarray, octaves: float = 0.2) -> np.ndarray:
    """How much each row counts in the smoothed value of each row.

    Parameters
    ----------
    frequencies : np.ndarray [shape=(freq,)]
        In Hz.
    octaves : float
        Standard deviation of the Gaussian over log frequency, above 0.

    Returns
    -------
    np.ndarray [shape=(freq, freq)]
        1 on the diagonal.

    Examples
    --------
    >>> import numpy as np
    >>> octave_kernel(np.array([100.0, 200.0]), 1.0).round(2).tolist()
    [[1.0, 0.61], [0.61, 1.0]]
    """
    place: Any = np.log2(np.maximum(frequencies, _LOWEST))
    kernel: np.ndarray = np.exp(-0.5 * ((place[:, None] - place) / octaves) ** 2)
    return kernel


def channel_gain(recorded: np.ndarray, modelled: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The smooth gain over frequency that makes a model as strong as the recording.

    Instrument, room and microphone colour all notes alike; a smooth curve says how, and cannot
    make one note of another.

    Parameters
    ----------
    recorded, modelled : np.ndarray [shape=(freq,)]
        Sums over time of the spectrogram and of its model, ≥ 0.
    kernel : np.ndarray [shape=(freq, freq)]
        What both are smoothed with, such as `octave_kernel`.

    Returns
    -------
    np.ndarray [shape=(freq,)]
        float64, ≥ 0; 1 where the model is silent.

    Examples
    --------
    >>> import numpy as np
    >>> frequencies = np.arange(200) * 20.0
    >>> dull = 1 / (1 + frequencies / 500)
    >>> gain = channel_gain(dull, np.ones(200), octave_kernel(frequencies, 0.1))
    >>> bool(np.allclose(gain[10:180], dull[10:180], rtol=0.02))
    True
    """
    above = (kernel * np.asarray(recorded, np.float64)).sum(axis=1)
    below = (kernel * np.asarray(modelled, np.float64)).sum(axis=1)
    heard = below > _LEAST * below.max()
    gain: np.ndarray = np.divide(above, below, out=np.ones_like(below), where=heard)
    return gain
