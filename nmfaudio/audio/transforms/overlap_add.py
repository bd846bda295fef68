"""Overlap-add synthesis, block by block."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.fft import irfft

from nmfaudio.kernels.frames import add_frames
from nmfaudio.kernels.threads import parallel_for

_STRIP = 64  # frames in one part of the work: they stay in the cache until added


class OverlapAdd:
    """Least-squares inverse of an STFT that arrives in blocks (Griffin & Lim, 1984, eq. 6).

    Each sample is the sum of the windowed frames that contain it, divided by the sum of their
    squared windows. Frames are summed in strips, counted from the first frame of all, and the sums
    of the strips are added in order, so that neither the division into blocks nor the number of
    threads has an influence on a bit of the result. Sums are float64: with a small hop thousands of
    frames contain a sample.

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
        overlap = -(-len(window) // hop)  # frames that contain a sample
        self._reach = overlap * hop  # window length, rounded up to whole hops
        pieces = np.zeros(self._reach)
        pieces[: len(window)] = np.square(window, dtype=np.float64)
        # Summed squared windows in the n-th hop after the begin of the first frame of all, as long
        # as no frame has ended [shape=(n, sample)].
        self._weights = np.cumsum(pieces.reshape(overlap, hop), axis=0)
        self._done = 0  # frames
        # Sums at the unfinished samples, of whole strips and of the strip in progress
        # [shape=(channel, sample)].
        self._whole: np.ndarray | None = None
        self._current: np.ndarray | None = None

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
        first, self._done = self._done, self._done + frames
        strips = _strips(first, frames)
        sums = self._strip_sums(Z, strips)
        weight = self._weight(first, frames)[start:stop]
        audio = np.empty((channels, stop - start), self._window.dtype)
        begin, ended = strips[-1].start * self._hop, self._done % _STRIP == 0
        whole = np.empty((channels, self._reach - self._hop))

        def combine(indices: range) -> None:
            for c in indices:
                total = np.zeros(self._length(range(frames)))
                if self._whole is not None:
                    total[: self._reach - self._hop] = self._whole[c]
                for strip, strip_sums in zip(strips[:-1], sums, strict=False):
                    total[strip.start * self._hop :][: strip_sums.shape[1]] += strip_sums[c]
                if not ended:
                    whole[c] = total[frames * self._hop :]
                total[begin:] += sums[-1][c]
                if ended:
                    whole[c] = total[frames * self._hop :]
                audio[c] = total[start:stop] / weight

        parallel_for(combine, channels)
        self._whole = whole
        self._current = None if ended else sums[-1][:, frames * self._hop - begin :]
        return audio

    def _strip_sums(self, Z: np.ndarray, strips: list[range]) -> list[np.ndarray]:
        """Sums of the windowed frames of each strip [shape=(channel, sample)]."""
        channels = len(Z)
        sums = [np.zeros((channels, self._length(strip))) for strip in strips]
        if self._current is not None:  # the first of these frames belong to the same strip
            sums[0][:, : self._current.shape[1]] = self._current

        def work(parts: range) -> None:
            for part in parts:
                number, c = divmod(part, channels)
                frames = Z[c, :, strips[number].start : strips[number].stop]
                rows = irfft(frames.T, len(self._window), axis=-1)
                add_frames(rows, self._window, self._hop, sums[number][c])

        parallel_for(work, channels * len(strips))
        return sums

    def _length(self, frames: range) -> int:
        """Number of samples from the first of these frames to the end of the last."""
        return (len(frames) - 1) * self._hop + self._reach

    def _weight(self, first: int, frames: int) -> np.ndarray:
        """Summed squared windows from the begin of frame `first`, if `frames` frames are left."""
        overlap = len(self._weights)
        hops = np.arange(first, first + frames + overlap - 1)
        weight = self._weights[np.minimum(hops, overlap - 1)]
        ended = hops - (first + frames)  # hops since the last frame began, less one
        late = ended >= 0
        weight[late] -= self._weights[ended[late]]
        return weight.reshape(-1)


def _strips(first: int, frames: int) -> list[range]:
    """Strips of the frames from frame `first` on, counted from it."""
    edges = [
        first,
        *range(first // _STRIP * _STRIP + _STRIP, first + frames, _STRIP),
        first + frames,
    ]
    return [range(low - first, high - first) for low, high in pairwise(edges)]
