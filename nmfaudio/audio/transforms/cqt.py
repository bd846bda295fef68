"""Constant-Q and variable-Q transforms computed from the STFT."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nmfaudio._common.validation import as_count, as_number
from nmfaudio._public import public
from nmfaudio.audio.transforms.stft import MAX_N_FFT, default_n_fft
from nmfaudio.audio.transforms.stft_based import StftBased
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_FAINTEST = 1e-4  # of a kernel's peak: smaller entries cost time and contribute nothing
_LOBE = 0.0025  # of a kernel's peak power: above the side lobes of a Hann window (-31 dB = 0.0008)
_MAX_GAIN = 10.0  # peak of wavelet / window, relative to the wavelet's own


@public
@dataclass(frozen=True, kw_only=True)
class Cqt(StftBased):
    """Constant-Q or variable-Q features on a logarithmic frequency axis.

    A transposition is a shift along this axis, as models with shifted templates require. Features
    are the magnitudes of `librosa.cqt`, or with `gamma` of `librosa.vqt`, up to the effects of
    their resampling: about 0.5 % on tones, up to 4 % on noise and drum hits. Z is the STFT, so that
    the inverse is exact; masks are lifted to it by the main lobes of the wavelets' power spectra.

    The window must be as long as the longest wavelet (0.5 s for C1 at 12 bins per octave), which
    smears masks in time and makes Z large: process it in blocks, or set `gamma`, which shortens
    low wavelets (0.07 s for C1 with 13.2 Hz, librosa's default).

    Parameters
    ----------
    sr : int
        Sample rate in Hz, 100 to 1,500,000.
    n_fft : int
        Window length of the STFT in samples; by default the smallest power of two that holds the
        longest wavelet.
    hop : int
        Step between frames in samples; by default a quarter of the smaller of `default_n_fft` and
        `n_fft`.
    window : str
        Window of the STFT and of the wavelets.
    power : float
        Exponent of the magnitudes: 1 amplitude, 2 power.
    fmin : float
        Centre of the lowest bin in Hz; C1 by default.
    n_bins : int
        Number of bins.
    bins_per_octave : int
        Number of bins per octave.
    gamma : float
        Bandwidth in Hz added to that of constant-Q bins: 0 is constant-Q, more is variable-Q.

    Raises
    ------
    ParameterError
        A parameter is out of range, the longest wavelet exceeds `n_fft`, or the highest bin
        exceeds ``sr / 2``. The message states what would fit.

    Notes
    -----
    A wavelet w_k that is no longer than the window h has, by Parseval's theorem, the same product
    with a frame as a fixed, nearly sparse kernel has with the spectrum of the frame (Brown &
    Puckette, 1992):

    .. math:: \\sum_n y_n \\overline{w_{k,n}} = \\frac{1}{N} \\sum_f Z_f \\overline{K_{k,f}},
        \\qquad K_k = \\mathrm{FFT}(w_k / h), \\quad Z = \\mathrm{FFT}(h y).

    References
    ----------
    J. C. Brown, M. S. Puckette, "An efficient algorithm for the calculation of a constant Q
    transform", JASA 92(5), 1992, doi:10.1121/1.404385.

    C. Schörkhuber, A. Klapuri, N. Holighaus, M. Dörfler, "A Matlab toolbox for efficient perfect
    reconstruction time-frequency transforms with log-frequency resolution", AES Conference on
    Semantic Audio, 2014.

    Examples
    --------
    An octave is twelve bins anywhere on the axis:

    >>> import numpy as np, nmfaudio as na
    >>> cqt = na.Cqt(8000, fmin=110, n_bins=48)
    >>> cqt.n_fft
    2048
    >>> def strongest_bin(hz):
    ...     tone = np.sin(2 * np.pi * hz * np.arange(8000) / 8000)
    ...     return int(cqt.features(cqt.forward(tone)).sum(axis=1).argmax())
    >>> strongest_bin(220), strongest_bin(440), strongest_bin(880)
    (12, 24, 36)
    """

    fmin: float = 32.70319566257483
    n_bins: int = 84
    bins_per_octave: int = 12
    gamma: float = 0.0

    kind: ClassVar[str] = "cqt"
    rows: ClassVar[str] = "n_bins"

    def __post_init__(self) -> None:
        self._set_fields(
            {
                "fmin": as_number(self.fmin, "fmin", above=0),
                "n_bins": as_count(self.n_bins, "n_bins", low=1),
                "bins_per_octave": as_count(self.bins_per_octave, "bins_per_octave", low=1),
                "gamma": as_number(self.gamma, "gamma", low=0),
            }
        )
        usual = default_n_fft(self.sr)  # raises for invalid sample rates
        longest = math.ceil(self._length(self.fmin))
        enough = max(2, 2 ** math.ceil(math.log2(longest)))
        n_fft = min(enough, MAX_N_FFT) if self.n_fft is None else self.n_fft
        n_fft = as_count(n_fft, "n_fft", low=2)
        hop = max(1, min(usual, n_fft) // 4) if self.hop is None else self.hop
        self._set_fields({"n_fft": n_fft, "hop": hop})
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
        self._kernel(self.fmin)  # raises for unsuitable windows

    def _require_below_nyquist(self) -> None:
        """Raise a `ParameterError` that states how many bins fit below half the sample rate."""
        from nmfaudio._common.librosa_loader import load_librosa

        reach = load_librosa("filters").window_bandwidth(self.window) / 2
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
        """Centre of each bin in Hz, float64 [shape=(freq,)]."""
        return np.asarray(self.fmin * 2.0 ** (np.arange(self.n_bins) / self.bins_per_octave))

    def features(self, Z: np.ndarray) -> np.ndarray:
        """Compute constant-Q magnitudes, root mean square over the channels, to the power `power`.

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
        kernels, mirrored = (matrix.astype(Z.dtype) for matrix in self._kernels)
        V: np.ndarray = np.zeros((self.n_bins, Z.shape[2]), Z.real.dtype)
        for channel in Z:
            np.hypot(V, np.abs(kernels @ channel + np.conj(mirrored @ channel)), out=V)
        V /= V.dtype.type(np.sqrt(len(Z)))
        if self.power != 1:
            V **= self.power
        return np.asfortranarray(V)

    def _band_weights(self) -> csr_array:
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
        """Bandwidth of a constant-Q bin relative to its frequency, as in librosa."""
        squared: float = 2.0 ** (2 / self.bins_per_octave)
        return (squared - 1) / (squared + 1)

    def _width(self, frequency: Any) -> Any:
        """Bandwidth in Hz of the bin at a frequency in Hz."""
        return self._relative_width * frequency + self.gamma

    def _length(self, frequency: float) -> float:
        """Length in samples of the wavelet at a frequency in Hz."""
        return self.sr / float(self._width(frequency))

    @cached_property
    def _kernels(self) -> tuple[csr_array, csr_array]:
        """Kernels at positive and at negative frequencies, both [shape=(band, bin)].

        At negative frequencies the spectrum of audio is the conjugate of that at positive ones, so
        the coefficients are ``kernels @ Z + conj(mirrored @ Z)``. Wavelets of many periods have
        almost no energy there.
        """
        from scipy.sparse import csr_array, vstack

        bins = self.n_fft // 2 + 1
        kernels, mirrored = [], []
        for frequency in self.frequencies:
            kernel = self._kernel(frequency)
            kernels.append(csr_array(kernel[None, :bins]))
            negative = np.zeros(bins, kernel.dtype)
            negative[1 : self.n_fft - bins + 1] = np.conj(kernel[: bins - 1 : -1])
            mirrored.append(csr_array(negative[None]))
        return csr_array(vstack(kernels)), csr_array(vstack(mirrored))

    def _kernel(self, frequency: float) -> np.ndarray:
        """Kernel of one wavelet at all frequencies of a frame's FFT, complex128."""
        from scipy.fft import fft
        from scipy.signal import get_window

        wavelet = self._wavelet(frequency)
        window = get_window(self.window, self.n_fft)
        with np.errstate(divide="ignore"):
            ratio = np.divide(wavelet, window, out=np.zeros_like(wavelet), where=wavelet != 0)
        if not np.abs(ratio).max() < _MAX_GAIN * np.abs(wavelet).max():
            raise ParameterError(
                f"window {self.window!r} is nearly zero where the wavelet is not, so the wavelet "
                "cannot be computed from the frames; use a window with a single peak, such as hann"
            )
        kernel: np.ndarray = np.conj(fft(ratio)) / self.n_fft * np.sqrt(self._length(frequency))
        kernel[np.abs(kernel) < _FAINTEST * np.abs(kernel).max()] = 0
        return kernel

    def _wavelet(self, frequency: float) -> np.ndarray:
        """Wavelet at a frequency in Hz, centred in a frame, complex128."""
        from nmfaudio._common.librosa_loader import load_librosa

        wavelet = load_librosa("filters").wavelet(
            freqs=np.array([frequency]),
            sr=self.sr,
            window=self.window,
            gamma=self.gamma,
            alpha=self._relative_width,
            pad_fft=False,
            dtype=np.complex128,
        )[0][0]
        centred: np.ndarray = load_librosa("util.utils").pad_center(wavelet, size=self.n_fft)
        return centred
