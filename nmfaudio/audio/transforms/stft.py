"""Short-time Fourier transform."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from nmfaudio._common.validation import as_audio, as_count, as_number, as_sample_rate
from nmfaudio._public import public
from nmfaudio.audio.transforms.overlap_add import OverlapAdd
from nmfaudio.audio.transforms.windows import require_invertible, window_samples
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.kernels.frames import magnitudes
from nmfaudio.kernels.threads import parallel_for

MAX_N_FFT = 2**20
_WINDOW_LENGTH = 0.093  # s: resolves the partials of pitched sounds
_BLOCK = 512  # frames inverted at a time
_STRIP = 128  # frames transformed at a time by one thread


def default_n_fft(sr: int) -> int:
    """Default window length: the power of two nearest to 93 ms, such as 4096 at 44.1 kHz.

    Parameters
    ----------
    sr : int
        Sample rate in Hz, 100 to 1,500,000.

    Returns
    -------
    int
        Window length in samples.

    Raises
    ------
    ParameterError
        `sr` is out of range.
    """
    return int(2 ** round(math.log2(_WINDOW_LENGTH * as_sample_rate(sr))))


@public
@dataclass(frozen=True)
class Stft:
    """Short-time Fourier transform with an exact inverse for audio of any length.

    Frame t is centred on sample ``t * hop``, as in `librosa.stft`. The audio is padded with zeros
    so that the last centre is at or after its end: every sample lies between two frames, and a
    single sample has two frames. float32 audio has a complex64 spectrogram, float64 audio a
    complex128 one.

    Parameters
    ----------
    sr : int
        Sample rate in Hz, 100 to 1,500,000.
    n_fft : int
        Window length in samples, 2 to 2**20. See also `default_n_fft`.
    hop : int
        Step between frames in samples; by default a quarter of `n_fft`.
    window : str
        Name of a window without parameters, as in `scipy.signal.get_window`.
    power : float
        Exponent p of the features ``|Z|^p``: 1 amplitude, 2 power.

    Raises
    ------
    ParameterError
        A parameter is out of range, or the frames overlap too little: between the centres of any
        two neighbouring frames their summed squared windows must exceed a tenth of the peak of the
        squared window. The message states the largest hop that works.

    References
    ----------
    D. W. Griffin, J. S. Lim, "Signal estimation from modified short-time Fourier transform", IEEE
    TASSP 32(2), 1984, eq. 6 (the inverse), doi:10.1109/TASSP.1984.1164317.

    Examples
    --------
    >>> import numpy as np
    >>> import nmfaudio as na
    >>> stft = na.Stft(sr=8000, n_fft=512)
    >>> y = np.random.default_rng(0).standard_normal((2, 1000))
    >>> Z = stft.forward(y)
    >>> Z.shape, stft.features(Z).shape
    ((2, 257, 9), (257, 9))
    >>> bool(np.allclose(stft.inverse(Z, length=1000), y))
    True
    """

    sr: int
    n_fft: int = 4096
    hop: int = None  # type: ignore[assignment]  # an int after construction
    window: str = "hann"
    power: float = 1.0

    kind: ClassVar[str] = "stft"

    def __post_init__(self) -> None:
        def put(field: str, value: object) -> None:
            object.__setattr__(self, field, value)  # the dataclass is frozen

        put("sr", as_sample_rate(self.sr))
        put("n_fft", as_count(self.n_fft, "n_fft", low=2, high=MAX_N_FFT))
        hop = max(1, self.n_fft // 4) if self.hop is None else self.hop
        put("hop", as_count(hop, "hop", low=1, high=self.n_fft))
        put("power", as_number(self.power, "power", above=0))
        require_invertible(self.window, self.n_fft, self.hop)

    @property
    def frequencies(self) -> np.ndarray:
        """Centre of each bin in Hz, float64 [shape=(freq,)]."""
        return np.arange(self._n_bins) * (self.sr / self.n_fft)

    @classmethod
    def rows_in(cls, parameters: Mapping[str, Any]) -> int:
        """Number of bins with these parameters, without building the transform.

        Parameters
        ----------
        parameters : mapping
            As returned by `to_dict`; missing ones have their defaults.

        Returns
        -------
        int
        """
        return int(parameters.get("n_fft", cls.n_fft)) // 2 + 1

    @property
    def hop_seconds(self) -> float:
        """Step between frames in seconds."""
        return self.hop / self.sr

    def times(self, n_frames: int) -> np.ndarray:
        """Centres of the first frames.

        Parameters
        ----------
        n_frames : int

        Returns
        -------
        np.ndarray [shape=(time,)]
            In seconds, float64.
        """
        return np.arange(n_frames) * (self.hop / self.sr)

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames of audio of a given length.

        Parameters
        ----------
        n_samples : int
            Length of the audio in samples.

        Returns
        -------
        int
        """
        return 1 + -(-n_samples // self.hop)

    def to_dict(self) -> dict[str, Any]:
        """Kind and parameters as JSON types, from which `transform_from` builds an equal transform.

        Returns
        -------
        dict
        """
        return {"kind": self.kind} | asdict(self)

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Compute the complex spectrogram of audio.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample) or (sample,)]
            float32 or float64, at least one sample, finite.

        Returns
        -------
        np.ndarray [shape=(channel, freq, time)]
            complex64 or complex128; in each channel ``Z.T`` has contiguous rows, one per frame.

        Raises
        ------
        ShapeError, ParameterError, ContentError
            `y` is not such audio.
        """
        y = as_audio(y)
        return self._analyse(y, 0, self.n_frames(y.shape[1]))

    def forward_blocks(self, y: np.ndarray, frames: int) -> Iterator[np.ndarray]:
        """Compute the spectrogram of `forward`, bit for bit, in consecutive blocks.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample) or (sample,)]
            As for `forward`.
        frames : int
            Frames in a block; the last one may have fewer.

        Returns
        -------
        Iterator of np.ndarray [shape=(channel, freq, time)]

        Raises
        ------
        ShapeError, ParameterError, ContentError
            `y` is not such audio, or `frames` is less than 1.
        """
        y = as_audio(y)
        n_frames = self.n_frames(y.shape[1])
        step = min(as_count(frames, "frames", low=1, high=2**62), n_frames)
        return (
            self._analyse(y, start, min(start + step, n_frames))
            for start in range(0, n_frames, step)
        )

    def features(self, Z: np.ndarray) -> np.ndarray:
        """Compute magnitudes, root mean square over the channels, to the power of `power`.

        Unlike a downmix this does not cancel sounds in opposite phase. At power 1 no finite `Z`
        overflows or underflows.

        Parameters
        ----------
        Z : np.ndarray [shape=(channel, freq, time)]

        Returns
        -------
        np.ndarray [shape=(freq, time)]
            Real, in Fortran order: ``V.T`` has contiguous rows, one per frame.

        Raises
        ------
        ShapeError, ParameterError
            `Z` is not a spectrogram of this transform.
        """
        self.require_spectrogram(Z)
        rows = magnitudes(Z.transpose(0, 2, 1))
        if self.power != 1:
            rows **= self.power
        V: np.ndarray = rows.T
        return V

    def lift(self, mask: np.ndarray) -> np.ndarray:
        """Return the mask itself: features and spectrogram have the same frequency axis.

        Parameters
        ----------
        mask : np.ndarray [shape=(freq, time)]

        Returns
        -------
        np.ndarray [shape=(freq, time)]
        """
        return mask

    def inverse(self, Z: np.ndarray, length: int) -> np.ndarray:
        """Compute the audio of a spectrogram, by the least-squares inverse.

        Parameters
        ----------
        Z : np.ndarray [shape=(channel, freq, time)]
            complex64 or complex128, with ``n_frames(length)`` frames.
        length : int
            Number of samples to return.

        Returns
        -------
        np.ndarray [shape=(channel, sample)]
            float32 or float64.

        Raises
        ------
        ShapeError, ParameterError
            `Z` is not a spectrogram of this transform and that length.
        """
        self.require_spectrogram(Z)
        slices = (Z[..., start : start + _BLOCK] for start in range(0, Z.shape[-1], _BLOCK))
        return np.concatenate(list(self.inverse_blocks(slices, length)), axis=1)

    def inverse_blocks(self, blocks: Iterable[np.ndarray], length: int) -> Iterator[np.ndarray]:
        """Compute the audio of `inverse`, bit for bit, from consecutive blocks of the spectrogram.

        Only one block at a time is kept in memory.

        Parameters
        ----------
        blocks : iterable of np.ndarray [shape=(channel, freq, time)]
            Any number of frames in each, ``n_frames(length)`` in all.
        length : int
            Number of samples to return.

        Returns
        -------
        Iterator of np.ndarray [shape=(channel, sample)]
            Consecutive segments of the audio, as soon as they are complete.

        Raises
        ------
        ShapeError, ParameterError
            The blocks are not a spectrogram of this transform and that length. A wrong number of
            frames is detected after the last block.
        """
        length = as_count(length, "length", low=1, high=2**62)
        return self._synthesise(blocks, length)

    @property
    def _n_bins(self) -> int:
        return self.n_fft // 2 + 1

    def _analyse(self, y: np.ndarray, start: int, stop: int) -> np.ndarray:
        """Spectrogram of the frames `start` to `stop` of `y`."""
        from nmfaudio._common.librosa_loader import load_librosa

        stft = load_librosa("core.spectrum").stft
        settings = {"n_fft": self.n_fft, "hop_length": self.hop, "center": False}
        window = window_samples(self.window, self.n_fft)
        # A lazy recording is read once for all strips.
        first_sample = max(start * self.hop - self.n_fft // 2, 0)
        samples = y[:, first_sample : max((stop - 1) * self.hop + -(-self.n_fft // 2), 0)]
        rows = np.empty((len(y), stop - start, self._n_bins), np.result_type(y.dtype, np.complex64))

        def work(parts: range) -> None:
            for part in parts:
                number, c = divmod(part, len(y))
                first = start + number * _STRIP
                last = min(first + _STRIP, stop)
                out = rows[c, first - start : last - start].T
                part_samples = self._samples(samples[c], first, last, first_sample)
                stft(part_samples, window=window, out=out, **settings)

        parallel_for(work, len(y) * -(-(stop - start) // _STRIP))
        return rows.transpose(0, 2, 1)

    def _samples(self, y: np.ndarray, start: int, stop: int, origin: int) -> np.ndarray:
        """Samples of the frames `start` to `stop`, zero beyond the ends of the recording.

        `y` has the samples of one channel from sample `origin` on.
        """
        first = start * self.hop - self.n_fft // 2  # sample at which the first frame begins
        length = (stop - start - 1) * self.hop + self.n_fft
        inside = y[max(first, 0) - origin : max(first + length, origin) - origin]
        if len(inside) == length:
            return inside
        padded, offset = np.zeros(length, y.dtype), max(-first, 0)
        padded[offset : offset + len(inside)] = inside
        return padded

    def require_spectrogram(self, Z: np.ndarray) -> None:
        """Raise an error unless Z is a spectrogram of this transform.

        Parameters
        ----------
        Z : np.ndarray [shape=(channel, freq, time)]

        Raises
        ------
        ShapeError, ParameterError
            Z has another shape, or is not complex.
        """
        if Z.ndim != 3 or Z.shape[1] != self._n_bins or 0 in Z.shape:
            raise ShapeError(
                f"the spectrogram has shape {Z.shape}; "
                f"(channel, freq, time) with {self._n_bins} frequencies is needed"
            )
        if Z.dtype.kind != "c":
            raise ParameterError(f"the spectrogram has dtype {Z.dtype}; it must be complex")

    def _synthesise(self, blocks: Iterable[np.ndarray], length: int) -> Iterator[np.ndarray]:
        n_frames = self.n_frames(length)
        adding: OverlapAdd | None = None
        done = 0  # frames
        for block in blocks:
            self.require_spectrogram(block)
            if adding is None:
                window = window_samples(self.window, self.n_fft).astype(block.real.dtype)
                adding = OverlapAdd(window, self.hop)
            origin = done * self.hop - self.n_fft // 2  # sample at which the block begins
            done += block.shape[-1]
            start = max(origin, 0)
            settled = done * self.hop - self.n_fft // 2  # no later frame reaches before it
            stop = length if done >= n_frames else min(settled, length)
            audio = adding.add(block, start - origin, max(stop, start) - origin)
            if audio.size:
                yield audio
        if done != n_frames:
            raise ShapeError(
                f"the spectrogram has {done} frames where {length} samples have {n_frames}; "
                "pass the length of the audio it came from"
            )
