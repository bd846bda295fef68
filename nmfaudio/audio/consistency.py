"""Minimisation of the objective of consistent Wiener filtering."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import irfft, rfft

from nmfaudio.audio.transforms import Stft
from nmfaudio.audio.transforms.windows import window_samples
from nmfaudio.kernels.consistency import (
    add_scaled,
    inner_product,
    scale_and_add,
    subtract_corrections,
)
from nmfaudio.kernels.frames import add_frames
from nmfaudio.kernels.threads import parallel_for

_STRIP = 32  # frames transformed at a time by one thread: they stay in its cache
_PART = 2**16  # samples in one part of other loops
# Lower bound on variances relative to their mean. It limits the condition of the linear system:
# bins without energy of a source would otherwise dominate it.
_MIN_VARIANCE = 1e-6


class Consistency:
    """Corrections of the audio of sources, and the state of the conjugate gradients that find them.

    For audio x_s with the spectrogram F x_s, the consistency term of `consistent_wiener` is
    ``γ |C_s − F x_s|²``: its minimum over x_s is ``γ |C_s − P C_s|²``. For given x_s, the best
    ``D_s = C_s − X_s`` follow bin by bin. With ``e_s = F x_s − X_s`` and ``a_s = 1/(1/v_s + γ)``,

        D_s = a_s (γ e_s − m),    m = γ Σ a_s e_s / Σ a_s,

    so the x_s are the only unknowns. The gradient with respect to x_s is that of
    ``γ |e_s − D_s|²`` for fixed D_s, and the inverse of e_s − D_s is the gradient preconditioned by
    the summed squared windows, which are the weights of the inner products here. The x_s sum to the
    inverse of ΣX, so that the correction of the last source is minus the sum of the others.

    Parameters
    ----------
    X : np.ndarray [shape=(source, channel, freq, time)]
        Complex spectrograms of two or more sources.
    audio : np.ndarray [shape=(source, channel, sample)]
        Their inverse.
    v : np.ndarray [shape=(source, channel or 1, freq, time)]
        Modelled power of each source.
    weight : float
        Weight γ of the consistency.
    stft : Stft
    """

    def __init__(
        self, X: np.ndarray, audio: np.ndarray, v: np.ndarray, weight: float, stft: Stft
    ) -> None:
        self._stft, self._weight, self._audio = stft, weight, audio
        self._window = window_samples(stft.window, stft.n_fft).astype(audio.dtype)
        sources, self._channels, _, self._frames = X.shape
        self._length = (self._frames - 1) * stft.hop + stft.n_fft  # of a channel with its margins
        self._a = self._shares(v)
        summed = self._summed_windows()
        self._weights = np.tile(summed, self._channels)
        with np.errstate(divide="ignore"):
            self._gains = np.where(summed > 0, 1 / summed, 0).astype(audio.dtype)
        shape = sources - 1, self._channels, -(-self._frames // _STRIP)
        self._sums = np.empty((*shape, (_STRIP - 1) * stft.hop + stft.n_fft), audio.dtype)
        padded = np.zeros((sources, self._channels, self._length), audio.dtype)
        padded[..., self._inside] = audio
        self._residual = self._gradient(padded.reshape(sources, -1), X)
        np.negative(self._residual, out=self._residual)
        self._step = self._residual.copy()
        self._correction = np.zeros_like(self._step)
        self._gain = self._inner(self._residual, self._residual)
        self._enough = self._gain * float(np.finfo(audio.dtype).eps) ** 2  # of rounding errors

    def descend(self) -> bool:
        """Take one conjugate gradient step; return False if the minimum is reached."""
        image = self._gradient(self._step)
        curvature = self._inner(self._step, image)
        if self._gain <= self._enough or curvature <= 0:
            return False
        size, gain = self._gain / curvature, self._gain

        def move(parts: range) -> None:
            for part in parts:
                start, stop = part * _PART, (part + 1) * _PART
                add_scaled(self._correction, size, self._step, start, stop)
                add_scaled(self._residual, -size, image, start, stop)

        def turn(parts: range) -> None:
            for part in parts:
                start, stop = part * _PART, (part + 1) * _PART
                scale_and_add(self._step, self._gain / gain, self._residual, start, stop)

        parallel_for(move, self._parts)
        self._gain = self._inner(self._residual, self._residual)
        parallel_for(turn, self._parts)
        return True

    def corrected(self) -> np.ndarray:
        """Audio with the corrections [shape=(source, channel, sample)]."""
        shape = len(self._correction), self._channels, self._length
        correction = self._correction.reshape(shape)[..., self._inside]
        audio = self._audio.copy()
        audio[:-1] += correction
        audio[-1] -= correction.sum(axis=0)
        return audio

    @property
    def _inside(self) -> slice:
        """Samples of the audio in a channel with its margins."""
        begin = self._stft.n_fft // 2
        return slice(begin, begin + self._audio.shape[2])

    @property
    def _parts(self) -> int:
        """Number of parts of loops over the samples of all channels."""
        return -(-len(self._weights) // _PART)

    def _shares(self, v: np.ndarray) -> np.ndarray:
        """The a_s [shape=(channel or 1, source, time, freq)].

        With variances in units of their mean, no term depends on the level of the sources.
        """
        real = self._audio.dtype.type
        mean = float(v.mean(dtype=np.float64))
        shares = np.multiply(v.transpose(1, 0, 3, 2), 1 / mean if mean > 0 else 1.0, order="C")
        shares = np.maximum(shares, _MIN_VARIANCE).astype(real, copy=False)
        return np.asarray(shares / (1 + real(self._weight) * shares))

    def _summed_windows(self) -> np.ndarray:
        """Summed squared windows at the samples of a channel, 0 in the margins."""
        hop, squared = self._stft.hop, np.square(self._window, dtype=np.float64)
        sums, weights = np.zeros(self._length), np.zeros(self._length, self._audio.dtype)
        for t in range(self._frames):
            sums[t * hop :][: len(squared)] += squared
        weights[self._inside] = sums[self._inside]
        return weights

    def _gradient(self, signals: np.ndarray, X: np.ndarray | None = None) -> np.ndarray:
        """Inverse of e_s − D_s for all sources but the last [shape=(source, sample)].

        Parameters
        ----------
        signals : np.ndarray [shape=(source, sample)]
            Audio of all sources, or changes of all but the last, with margins.
        X : np.ndarray [shape=(source, channel, freq, time)], optional
            Spectrograms to subtract from those of the signals.
        """
        strips = self._sums.shape[2]

        def work(parts: range) -> None:
            for part in parts:
                channel, strip = divmod(part, strips)
                frames = slice(strip * _STRIP, min((strip + 1) * _STRIP, self._frames))
                E = self._spectra(signals, channel, frames)
                if X is not None:
                    E -= X[:, channel, :, frames].swapaxes(1, 2)
                a = self._a[channel if len(self._a) > 1 else 0]
                subtract_corrections(E.view(signals.dtype), a, self._weight, frames.start)
                for s, sums in enumerate(self._sums[:, channel, strip]):
                    sums[:] = 0
                    rows = irfft(E[s], len(self._window), axis=-1)
                    add_frames(rows, self._window, self._stft.hop, sums)

        parallel_for(work, self._channels * strips)
        return self._overlapped()

    def _spectra(self, signals: np.ndarray, channel: int, frames: slice) -> np.ndarray:
        """Frames of the spectrograms of the signals in a channel [shape=(source, time, freq)]."""
        hop, n_fft = self._stft.hop, self._stft.n_fft
        first = channel * self._length + frames.start * hop
        stop = channel * self._length + (frames.stop - 1) * hop + n_fft
        windowed = sliding_window_view(signals[:, first:stop], n_fft, axis=1)[:, ::hop]
        return np.asarray(rfft(windowed * self._window, axis=-1, overwrite_x=True))

    def _overlapped(self) -> np.ndarray:
        """Signals of the sums of the strips, divided by the summed squared windows."""
        sources, _, strips, length = self._sums.shape
        out = np.zeros((sources, self._channels, self._length), self._sums.dtype)

        def work(parts: range) -> None:
            for part in parts:
                s, channel = divmod(part, self._channels)
                row = out[s, channel]
                for strip in range(strips):
                    target = row[strip * _STRIP * self._stft.hop :][:length]
                    target += self._sums[s, channel, strip, : len(target)]
                row *= self._gains

        parallel_for(work, sources * self._channels)
        return out.reshape(sources, -1)

    def _inner(self, A: np.ndarray, B: np.ndarray) -> float:
        """Inner product of changes of all sources but the last, which is included."""
        products = np.empty(self._parts)

        def work(parts: range) -> None:
            for part in parts:
                start, stop = part * _PART, (part + 1) * _PART
                products[part] = inner_product(A, B, self._weights, start, stop)

        parallel_for(work, self._parts)
        return float(products.sum())
