"""The constant-Q and variable-Q transforms from the STFT, with the STFT's way back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nmfaudio._common.validation import as_count, as_number
from nmfaudio._public import public
from nmfaudio.audio.transforms.stft import MAX_N_FFT, default_n_fft
from nmfaudio.audio.transforms.stft_based import OnStft
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_FAINTEST = 1e-4  # of a kernel's peak: what lies below costs time and says nothing
_LOBE = 0.0025  # of a kernel's peak power: below the main lobe of a Hann window, above its others
_MOST_GAIN = 10.0  # of a wavelet over the STFT's window


@public
@dataclass(frozen=True, kw_only=True)
class Cqt(OnStft):
    """Constant-Q or variable-Q features: a logarithmic frequency axis.

    A transposition is a shift along this axis, which models that shift their templates need.
    Features are the magnitudes of `librosa.cqt`, or with `gamma` of `librosa.vqt`, but for what
    their resampling does: half a percent or so on tones, up to four on noise and hits. They come
    from the STFT: if a wavelet is no longer than the window, its product with each frame is a
    product of the frame's spectrum with a fixed, nearly sparse kernel, the spectrum of wavelet over
    window. So Z is the STFT and the inverse is exact; masks are lifted to it by the main lobes of
    the wavelets' power. The windows must last as long as the lowest bin's wavelet (0.5 s for C1 at
    12 bins per octave), which smears masks in time and makes Z large: take it in blocks, or give a
    `gamma`, by which low wavelets are shorter (0.07 s for C1 with 13.2 Hz, librosa's default).

    Parameters
    ----------
    sr : int
        Sample rate in Hz, 100 to 1,500,000.
    fmin : float
        Centre of the lowest bin in Hz; C1 by default.
    n_bins : int
        Bins.
    bins_per_octave : int
    gamma : float
        Hz by which each bin is wider than its share of its frequency: 0 is constant-Q.
    n_fft : int
        Of the STFT, in samples; by default the smallest power of two that holds the longest
        wavelet.
    hop : int
        Samples from one frame to the next; by default a quarter of `default_n_fft`, or of `n_fft`
        where that is less.
    window : str
        Of the STFT and of the wavelets.
    power : float
        `features` are magnitudes to this power: 1 amplitude, 2 power.

    Raises
    ------
    ParameterError
        A parameter is out of range, the lowest wavelet is longer than `n_fft`, or the highest
        reaches beyond ``sr / 2``. The message says what would fit.

    References
    ----------
    J. C. Brown, M. S. Puckette, "An efficient algorithm for the calculation of a constant Q
    transform", JASA 92(5), 1992, doi:10.1121/1.404385.

    C. Schörkhuber, A. Klapuri, N. Holighaus, M. Dörfler, "A Matlab toolbox for efficient perfect
    reconstruction time-frequency transforms with log-frequency resolution", AES Conference on
    Semantic Audio, 2014.

    Examples
    --------
    An octave is twelve bins, wherever it lies:

    >>> import numpy as np, nmfaudio as na
    >>> cqt = na.Cqt(8000, fmin=110, n_bins=48)
    >>> cqt.n_fft
    2048
    >>> def loudest(hz):
    ...     tone = np.sin(2 * np.pi * hz * np.arange(8000) / 8000)
    ...     return int(cqt.features(cqt.forward(tone)).sum(axis=1).argmax())
    >>> loudest(220), loudest(440), loudest(880)
    (12, 24, 36)
    """

    fmin: float = 32.70319566257483
    n_bins: int = 84
    bins_per_octave: int = 12
    gamma: float = 0.0

    kind: ClassVar[str] = "cqt"

    def __post_init__(self) -> None:
        self._put(
            {
                "fmin": as_number(self.fmin, "fmin", above=0),
                "n_bins": as_count(self.n_bins, "n_bins", low=1),
                "bins_per_octave": as_count(self.bins_per_octave, "bins_per_octave", low=1),
                "gamma": as_number(self.gamma, "gamma", low=0),
            }
        )
        usual = default_n_fft(self.sr)  # also refuses what is no sample rate
        longest = math.ceil(self._length(self.fmin))
        enough = max(2, 2 ** math.ceil(math.log2(longest)))
        n_fft = min(enough, MAX_N_FFT) if self.n_fft is None else self.n_fft
        n_fft = as_count(n_fft, "n_fft", low=2)
        hop = max(1, min(usual, n_fft) // 4) if self.hop is None else self.hop
        self._put({"n_fft": n_fft, "hop": hop})
        super().__post_init__()
        if longest > self.n_fft:
            needed = (self.sr / self.n_fft - self.gamma) / self._relative_width
            longer = f" or n_fft {enough}" if enough <= MAX_N_FFT else ""
            raise ParameterError(
                f"the lowest bin, fmin {self.fmin:g} Hz, needs a wavelet of {longest} samples, "
                f"longer than n_fft {self.n_fft}; take fmin from {math.ceil(needed * 10) / 10:g} Hz"
                f"{longer}"
            )
        self._require_below_nyquist()
        self._kernel(self.fmin)  # a window that cannot serve is refused here

    def _require_below_nyquist(self) -> None:
        from nmfaudio._common.librosa_loader import load_librosa

        librosa = load_librosa()
        reach = librosa.filters.window_bandwidth(self.window) / 2
        fit = int(np.sum(self.frequencies + reach * self._width(self.frequencies) <= self.sr / 2))
        if fit < self.n_bins:
            raise ParameterError(
                f"{self.n_bins} bins from {self.fmin:g} Hz reach beyond {self.sr / 2:g} Hz, half "
                f"the sample rate; take n_bins up to {fit}"
                if fit
                else f"fmin {self.fmin:g} Hz reaches beyond {self.sr / 2:g} Hz, half the sample "
                "rate; take a lower one"
            )

    @property
    def frequencies(self) -> np.ndarray:
        """Centre of each bin in Hz, float64, shape (freq,)."""
        return np.asarray(self.fmin * 2.0 ** (np.arange(self.n_bins) / self.bins_per_octave))

    def features(self, Z: np.ndarray) -> np.ndarray:
        """Root mean square over the channels of the constant-Q magnitudes, to the power of `power`.

        Parameters
        ----------
        Z : np.ndarray [shape=(channel, bin, time)]

        Returns
        -------
        np.ndarray [shape=(freq, time)]

        Raises
        ------
        ShapeError, ParameterError
            `Z` is not a spectrogram of this transform.
        """
        self.stft.require_spectrogram(Z)
        kernels, mirrored = (some.astype(Z.dtype) for some in self._kernels)
        V: np.ndarray = np.zeros((self.n_bins, Z.shape[2]), Z.real.dtype)
        for channel in Z:
            np.hypot(V, np.abs(kernels @ channel + np.conj(mirrored @ channel)), out=V)
        V /= V.dtype.type(np.sqrt(len(Z)))
        if self.power != 1:
            V **= self.power
        return np.asfortranarray(V)

    def _shares(self) -> csr_array:
        from scipy.fft import fft
        from scipy.sparse import csr_array, vstack

        rows = []
        for frequency in self.frequencies:
            power = np.abs(fft(self._wavelet(frequency))[: self.n_fft // 2 + 1]) ** 2
            power *= self._length(frequency)
            power[power < _LOBE * power.max()] = 0
            rows.append(csr_array(power[None]))
        return csr_array(vstack(rows))

    @property
    def _relative_width(self) -> float:
        """A constant-Q bin's bandwidth over its frequency, as librosa has it."""
        squared: float = 2.0 ** (2 / self.bins_per_octave)
        return (squared - 1) / (squared + 1)

    def _width(self, frequency: Any) -> Any:
        """Bandwidth in Hz of the bin of a frequency in Hz."""
        return self._relative_width * frequency + self.gamma

    def _length(self, frequency: float) -> float:
        """Samples that the wavelet of a frequency in Hz lasts."""
        return self.sr / float(self._width(frequency))

    @cached_property
    def _kernels(self) -> tuple[csr_array, csr_array]:
        """What turns a frame's spectrum into coefficients, and what into their conjugate's rest.

        Both [shape=(band, bin)]. The second is the kernels at negative frequencies, where the
        spectrum of audio is the conjugate of that at positive ones; wavelets of many periods have
        nothing there.
        """
        from scipy.sparse import csr_array, vstack

        bins = self.n_fft // 2 + 1
        kernels, mirrored = [], []
        for frequency in self.frequencies:
            kernel = self._kernel(frequency)
            kernels.append(csr_array(kernel[None, :bins]))
            rest = np.zeros(bins, kernel.dtype)
            rest[1 : self.n_fft - bins + 1] = np.conj(kernel[: bins - 1 : -1])
            mirrored.append(csr_array(rest[None]))
        return csr_array(vstack(kernels)), csr_array(vstack(mirrored))

    def _kernel(self, frequency: float) -> np.ndarray:
        """The kernel of one wavelet at all frequencies of a frame's FFT, complex128."""
        from scipy.fft import fft
        from scipy.signal import get_window

        whole = self._wavelet(frequency)
        window = get_window(self.window, self.n_fft)
        with np.errstate(divide="ignore"):
            ratio = np.divide(whole, window, out=np.zeros_like(whole), where=whole != 0)
        if not np.abs(ratio).max() < _MOST_GAIN * np.abs(whole).max():
            raise ParameterError(
                f"a {self.window} wavelet cannot be had from {self.window} frames, which are too "
                "quiet where it is not; use a window that rises once and falls, such as hann"
            )
        kernel: np.ndarray = np.conj(fft(ratio)) / self.n_fft * np.sqrt(self._length(frequency))
        kernel[np.abs(kernel) < _FAINTEST * np.abs(kernel).max()] = 0
        return kernel

    def _wavelet(self, frequency: float) -> np.ndarray:
        """The wavelet of a frequency in Hz in the middle of a frame, complex128."""
        from nmfaudio._common.librosa_loader import load_librosa

        librosa = load_librosa()
        wavelet = librosa.filters.wavelet(
            freqs=np.array([frequency]),
            sr=self.sr,
            window=self.window,
            gamma=self.gamma,
            alpha=self._relative_width,
            pad_fft=False,
            dtype=np.complex128,
        )[0][0]
        centred: np.ndarray = librosa.util.pad_center(wavelet, size=self.n_fft)
        return centred
