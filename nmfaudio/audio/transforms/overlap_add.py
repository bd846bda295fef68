"""Windowed frames into samples, block after block."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft

from nmfaudio.kernels.threads import parallel_for

_STRIP = 128  # frames inverted at a time: they stay in the cache until they are added


class OverlapAdd:
    """The least-squares inverse of a spectrogram that comes in blocks.

    Each sample is a sum over the frames that reach it, oldest first however they are cut into
    blocks, divided by the sum of their squared windows. The sums are taken in float64: with a small
    hop thousands of frames meet in a sample. Channels are dealt to threads.

    Parameters
    ----------
    window : np.ndarray [shape=(n_fft,)]
        float32 or float64, like the audio.
    hop : int
        Samples from one frame to the next.
    """

    def __init__(self, window: np.ndarray, hop: int) -> None:
        self._window = window
        self._hop = hop
        self._reach = -(-len(window) // hop) * hop  # samples from where a frame begins
        self._sums = np.zeros((0, 0))
        self._weight = np.zeros(0)

    def add(self, Z: np.ndarray, start: int, stop: int) -> np.ndarray:
        """Add the next frames.

        Parameters
        ----------
        Z : np.ndarray [shape=(channel, freq, time)]
            The same number of channels each time.
        start, stop : int
            Samples, counted from where the first of these frames begins, that no later frame
            reaches.

        Returns
        -------
        np.ndarray [shape=(channel, sample)]
            Those samples, once and for all.
        """
        channels, _, frames = Z.shape
        length = (frames - 1) * self._hop + self._reach
        before, self._sums = self._sums, np.zeros((channels, length))
        weight = np.zeros(length)
        weight[: len(self._weight)] = self._weight
        squared = np.square(self._window, dtype=np.float64)
        self._add_frames(np.broadcast_to(squared, (frames, len(squared))), weight)
        audio = np.empty((channels, stop - start), self._window.dtype)

        def work(mine: range) -> None:
            for c in mine:
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
        """Add windowed frames (time, sample), the first of which begins where `sums` does."""
        hop = self._hop
        for begin in range(self._reach - hop, -1, -hop):
            piece = frames[:, begin : begin + hop]
            there = sums[begin : begin + len(frames) * hop].reshape(len(frames), hop)
            there[:, : piece.shape[1]] += piece
