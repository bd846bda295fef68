"""Frames of a short-time Fourier transform, as soon as their samples have arrived."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nmfaudio.audio.transforms import Stft
from nmfaudio.audio.transforms.windows import window_samples

BLOCK = 32  # frames transformed at a time, at most


class FrameReader:
    """Short-time Fourier transform of float32 audio that arrives in blocks.

    The frames are those of `Stft.forward` for all of the audio, bit for bit, whatever the blocks.

    Parameters
    ----------
    stft : Stft
    channels : int

    Attributes
    ----------
    channels : int
        Number of channels.
    received : int
        Number of samples so far.
    frames : int
        Number of frames so far.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> stft, y = na.Stft(8000, 256), np.random.default_rng(0).random((1, 1000), np.float32)
    >>> reader = FrameReader(stft, 1)
    >>> blocks = [*reader.push(y[:, :300]), *reader.push(y[:, 300:]), *reader.flush()]
    >>> bool((np.concatenate(blocks, axis=2) == stft.forward(y)).all())
    True
    """

    def __init__(self, stft: Stft, channels: int) -> None:
        self._stft = stft
        self._window = window_samples(stft.window, stft.n_fft)
        # Samples from the beginning of the next frame on; the first frame is centred on sample 0.
        self._samples = np.zeros((channels, stft.n_fft + BLOCK * stft.hop), np.float32)
        self._count = stft.n_fft // 2
        self.channels = channels
        self.received = 0
        self.frames = 0

    def push(self, y: np.ndarray) -> Iterator[np.ndarray]:
        """Add samples, and compute the frames that they complete.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample)]
            Any number of samples.

        Yields
        ------
        np.ndarray [shape=(channel, freq, time)]
            One frame or more.
        """
        done = 0
        while done < y.shape[1]:
            taken = y[:, done : done + self._samples.shape[1] - self._count]
            self._samples[:, self._count : self._count + taken.shape[1]] = taken
            self._count += taken.shape[1]
            self.received += taken.shape[1]
            done += taken.shape[1]
            yield from self._complete()

    def flush(self) -> Iterator[np.ndarray]:
        """Compute the last frames, with zeros after the end of the audio.

        Yields
        ------
        np.ndarray [shape=(channel, freq, time)]
            One frame or more.
        """
        received, total = self.received, self._stft.n_frames(self.received)
        while received and self.frames < total:
            padding = np.zeros((len(self._samples), self._stft.hop), np.float32)
            yield from self.push(padding)
        self.received = received

    def _complete(self) -> Iterator[np.ndarray]:
        """Yield the frames whose samples are all there, and drop samples of no later frame."""
        n_fft, hop = self._stft.n_fft, self._stft.hop
        ready = (self._count - n_fft) // hop + 1
        if ready < 1:
            return
        self.frames += ready
        yield self._transform(self._samples[:, : (ready - 1) * hop + n_fft], ready)
        left = self._count - ready * hop
        self._samples[:, :left] = self._samples[:, ready * hop : self._count].copy()
        self._count = left

    def _transform(self, y: np.ndarray, frames: int) -> np.ndarray:
        from nmfaudio._common.librosa_loader import load_librosa

        stft = load_librosa("core.spectrum").stft
        n_fft, hop = self._stft.n_fft, self._stft.hop
        rows = np.empty((len(y), frames, n_fft // 2 + 1), np.complex64)
        for samples, out in zip(y, rows, strict=True):
            stft(samples, n_fft=n_fft, hop_length=hop, window=self._window, center=False, out=out.T)
        return rows.transpose(0, 2, 1)
