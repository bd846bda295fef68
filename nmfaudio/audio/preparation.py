"""Preparation of recordings for analysis."""

from __future__ import annotations

import numpy as np

from nmfaudio._common.lazy_audio import LazyAudio

_BLOCK = 2**20  # samples summed at a time


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


class Centred(LazyAudio):
    """Recording without its constant offset, as `prepared` at its own sample rate.

    Parameters
    ----------
    y : np.ndarray or LazyAudio [shape=(channel, sample)]
        Read once here, and then wherever the object is sliced.

    Examples
    --------
    >>> Centred(np.array([[3.0, 1.0, 2.0]]))[:, 1:]
    array([[-1.,  0.]])
    """

    def __init__(self, y: np.ndarray | LazyAudio) -> None:
        self._y, self.shape, self.dtype = y, (len(y), y.shape[1]), y.dtype
        blocks = (y[:, start : start + _BLOCK] for start in range(0, y.shape[1], _BLOCK))
        total = sum(block.sum(axis=1, keepdims=True, dtype=np.float64) for block in blocks)
        self._offset = np.asarray(total / y.shape[1], y.dtype)

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        """Return a new array of a slice of samples of all channels."""
        centred: np.ndarray = self._y[key] - self._offset
        return centred
