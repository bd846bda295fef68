"""Overlap-add synthesis, block by block."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft

from nmfaudio.kernels.threads import parallel_for

_STRIP = 128  # frames inverted at a time: they stay in the cache until added


class OverlapAdd:
    """Least-squares inverse of an STFT that arrives in blocks (Griffin & Lim, 1984, eq. 6).

    Each sample is the sum of the windowed frames that contain it, divided by the sum of their
    squared windows. Frames are added oldest first, so that the division into blocks has no
    influence on a bit of the result. Sums are float64: with a small hop thousands of frames
    contain a sample. Channels are distributed over threads.

    Parameters
    ----------
    window : np.ndarray [shape=(n_fft,)]
        In the precision of the audio, float32 or float64.
    hop : int
        Step between frames in samples.
    """

    def __init__(self, window: np.ndarray, hop: int) -> None:
        self._window = window
        self._hop = hop
        self._reach = -(-len(window) // hop) * hop  # window length, rounded up to whole hops
        self._sums = np.zeros((0, 0))  # unfinished samples [shape=(channel, sample)]
        self._weight = np.zeros(0)  # sums of squared windows at these samples

    def add(self, Z: np.ndarray, start: int, stop: int) -> np.ndarray:
        """Add the next frames and return the samples that they complete.

        Parameters
        ----------
        Z : np.ndarray [shape=(channel, freq, time)]
            The same number of channels each time.
        start, stop : int
            Range of samples that no later frame contains, counted from the begin of the first of
            these frames.

        Returns
        -------
        np.ndarray [shape=(channel, sample)]
            The samples of that range.
        """
        channels, _, frames = Z.shape
        length = (frames - 1) * self._hop + self._reach
        before, self._sums = self._sums, np.zeros((channels, length))
        weight = np.zeros(length)
        weight[: len(self._weight)] = self._weight
        squared = np.square(self._window, dtype=np.float64)
        self._add_frames(np.broadcast_to(squared, (frames, len(squared))), weight)
        audio = np.empty((channels, stop - start), self._window.dtype)

        def work(indices: range) -> None:
            for c in indices:
                sums = self._sums[c]
                if before.size:
                    sums[: before.shape[1]] = before[c]
                for first in range(0, frames, _STRIP):
                    rows = irfft(Z[c, :, first : first + _STRIP].T, len(self._window), axis=-1)
                    rows *= self._window
                    self._add_frames(rows, sums[first * self._hop :])
                audio[c] = sums[start:stop] / weight[start:stop]

        parallel_for(work, channels)
        self._sums = self._sums[:, frames * self._hop :]
        self._weight = weight[frames * self._hop :]
        return audio

    def _add_frames(self, frames: np.ndarray, sums: np.ndarray) -> None:
        """Add windowed frames [shape=(time, sample)] to sums that begin with the first of them.

        The window is cut into pieces of one hop. The pieces at one position in all frames tile a
        contiguous range of samples, so each piece is one addition.
        """
        hop = self._hop
        for begin in range(self._reach - hop, -1, -hop):
            piece = frames[:, begin : begin + hop]
            tiles = sums[begin : begin + len(frames) * hop].reshape(len(frames), hop)
            tiles[:, : piece.shape[1]] += piece
