"""What a recording goes through before it is looked at."""

from __future__ import annotations

import numpy as np


def prepared(y: np.ndarray, sr: int, wanted: int) -> np.ndarray:
    """A recording at the sample rate that is wanted, without a constant offset.

    An offset is no sound, but where it begins and ends it looks like one.

    Parameters
    ----------
    y : np.ndarray [shape=(channel, sample)]
    sr, wanted : int
        Sample rates in Hz, of `y` and of the result.

    Returns
    -------
    np.ndarray [shape=(channel, sample)]
        Of the precision of `y`.

    Examples
    --------
    >>> prepared(np.array([[3.0, 1.0, 2.0]]), 8000, 8000)
    array([[ 1., -1.,  0.]])
    """
    offset = y.mean(axis=1, keepdims=True, dtype=np.float64)
    centred: np.ndarray = y - offset.astype(y.dtype)
    if sr == wanted:
        return centred
    from nmfaudio._common.librosa_loader import load_librosa

    resampled: np.ndarray = load_librosa().resample(centred, orig_sr=sr, target_sr=wanted)
    return resampled
