"""Preparation of recordings for analysis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nmfaudio._common.lazy_audio import LazyAudio

_SUMMED = 2**22  # samples that are summed at a time, 95 s at 44.1 kHz
_RESAMPLED = 2**18  # samples that are resampled at a time
_QUALITY = "soxr_hq"  # that of librosa by default


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
    centred: np.ndarray = y - _offset(y)
    if sr == target_sr:
        return centred
    from nmfaudio._common.librosa_loader import load_librosa

    resample = load_librosa("core.audio").resample
    resampled: np.ndarray = resample(centred, orig_sr=sr, target_sr=target_sr, res_type=_QUALITY)
    return resampled


class Prepared(LazyAudio):
    """Samples of `prepared`, bit for bit, of a recording that is read where it is needed.

    Slices are fast if none begins before the one that was read last; otherwise the recording is
    resampled from its beginning again.

    Parameters
    ----------
    y : np.ndarray or LazyAudio [shape=(channel, sample)]
    sr, target_sr : int
        Sample rates of `y` and of the result in Hz.

    Examples
    --------
    >>> y = np.random.default_rng(0).standard_normal((1, 9000))
    >>> blocks = Prepared(y, 9000, 8000)
    >>> blocks.shape
    (1, 8000)
    >>> bool((blocks[:, 2000:5000] == prepared(y, 9000, 8000)[:, 2000:5000]).all())
    True
    """

    def __init__(self, y: np.ndarray | LazyAudio, sr: int, target_sr: int) -> None:
        self._y, self._rates = y, (sr, target_sr)
        self._offset = _offset(y)
        channels, samples = y.shape
        # As in librosa.resample.
        length = samples if sr == target_sr else math.ceil(samples * (float(target_sr) / sr))
        self.shape, self.dtype = (channels, length), y.dtype
        self._kept = np.empty((channels, 0), y.dtype)
        self._begin()

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        channels, samples = key
        start, stop, _ = samples.indices(self.shape[1])
        if self._rates[0] == self._rates[1]:
            centred: np.ndarray = self._y[:, start:stop] - self._offset
            return centred[channels]
        if start < self._first:
            self._begin()
        while self._first + self._kept.shape[1] < stop:
            following = self._following()
            left_out = min(max(start - self._first, 0), self._kept.shape[1])
            self._kept = np.concatenate([self._kept[:, left_out:], following], axis=1)
            self._first += left_out
        return self._kept[channels, start - self._first : stop - self._first]

    def _begin(self) -> None:
        """Go to the beginning of the recording."""
        import soxr  # type: ignore[import-untyped]  # of librosa

        self._read, self._first = 0, 0  # samples read, and the first sample that is kept
        self._kept = self._kept[:, :0]
        self._streams = [
            soxr.ResampleStream(*self._rates, 1, dtype=self.dtype, quality=_QUALITY)
            for _ in range(self.shape[0])
        ]

    def _following(self) -> np.ndarray:
        """Resample the next samples; after the last ones there are zeros, as in librosa."""
        block = self._y[:, self._read : self._read + _RESAMPLED] - self._offset
        if not block.shape[1]:
            missing = self.shape[1] - self._first - self._kept.shape[1]
            return np.zeros((len(block), missing), self.dtype)
        self._read += block.shape[1]
        is_last = self._read == self._y.shape[1]
        pairs = zip(self._streams, np.ascontiguousarray(block), strict=True)
        return np.stack([stream.resample_chunk(row, last=is_last) for stream, row in pairs])


def _offset(y: np.ndarray | LazyAudio) -> np.ndarray:
    """Mean of each channel [shape=(channel, 1)], in the precision of `y`."""
    channels, samples = y.shape
    sums: list[Any] = [
        y[:, first : first + _SUMMED].sum(axis=1, dtype=np.float64)
        for first in range(0, samples, _SUMMED)
    ]
    means = [math.fsum(channel) / samples for channel in zip(*sums, strict=True)]
    return np.array(means, np.float64).reshape(channels, 1).astype(y.dtype)
