"""Preparation of recordings for analysis."""

from __future__ import annotations

import numpy as np


def prepared(y: np.ndarray, sr: int, target_sr: int) -> np.ndarray:
    """Remove the constant offset of a recording and resample it.

    An offset is inaudible, but its onset at the beginning and its end look like sounds.

    Parameters
    ----------
    y : np.ndarray [shape=(channel, sample)]
    sr, target_sr : int
        Sample rates of `y` and of the result in Hz.

    Returns
    -------
    np.ndarray [shape=(channel, sample)]
        In the precision of `y`.

    Examples
    --------
    >>> prepared(np.array([[3.0, 1.0, 2.0]]), 8000, 8000)
    array([[ 1., -1.,  0.]])
    """
    offset = y.mean(axis=1, keepdims=True, dtype=np.float64)
    centred: np.ndarray = y - offset.astype(y.dtype)
    if sr == target_sr:
        return centred
    from nmfaudio._common.librosa_loader import load_librosa

    resample = load_librosa("core.audio").resample
    resampled: np.ndarray = resample(centred, orig_sr=sr, target_sr=target_sr)
    return resampled
