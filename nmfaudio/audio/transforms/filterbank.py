"""Auditory filterbanks on the STFT: mel and ERB bands."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nmfaudio._common.pitch import erb_spaced, erb_width
from nmfaudio._common.validation import as_count, as_number
from nmfaudio._public import public
from nmfaudio.audio.transforms.stft_based import StftBased
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_FAINTEST = 1e-3  # of a filter's peak: weaker tails would make the matrix of weights dense


@dataclass(frozen=True, kw_only=True)
class Filterbank(StftBased):
    """Non-negative weights on the STFT's magnitudes: features are ``weights @ magnitudes``."""

    fmin: float = 0.0
    fmax: float = None  # type: ignore[assignment]  # a float after construction

    def __post_init__(self) -> None:
        super().__post_init__()
        fmax = self.sr / 2 if self.fmax is None else self.fmax
        self._set_fields({"fmin": as_number(self.fmin, "fmin"), "fmax": as_number(fmax, "fmax")})
        if not 0 <= self.fmin < self.fmax <= self.sr / 2:
            raise ParameterError(
                f"fmin {self.fmin:g} Hz and fmax {self.fmax:g} Hz do not fit audio of {self.sr} "
                f"Hz; 0 ≤ fmin < fmax ≤ {self.sr / 2:g} is needed"
            )
        _ = self._weights  # raises for empty bands now rather than at first use

    @abstractmethod
    def _filters(self) -> np.ndarray:
        """Weights [shape=(band, bin)], float64."""

    def features(self, Z: np.ndarray) -> np.ndarray:
        """Compute weighted sums over each band of magnitudes to the power of `power`.

        Magnitudes are root mean squares over the channels, as in `Stft.features`.

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
        magnitudes = self.stft.features(Z)
        V: np.ndarray = self._band_weights().astype(magnitudes.dtype) @ magnitudes
        return np.asfortranarray(V)

    def _band_weights(self) -> csr_array:
        return self._weights

    @cached_property
    def _weights(self) -> csr_array:
        from scipy.sparse import csr_array

        weights = self._filters()
        empty = np.flatnonzero(~weights.any(axis=1))
        if empty.size:
            raise ParameterError(
                f"{empty.size} of {len(weights)} bands, the first near "
                f"{self.frequencies[empty[0]]:.0f} Hz, have no bin of the {self.n_fft}-sample "
                "STFT; take fewer bands, a larger n_fft or a higher fmin"
            )
        return csr_array(weights)


@public
@dataclass(frozen=True, kw_only=True)
class Mel(Filterbank):
    """Mel spectrogram with an exact inverse, by the filters of `librosa.filters.mel`.

    Most of the thousands of bins of a magnitude spectrogram lie at high frequencies, where the
    resolution of hearing is coarse. On some dozens of mel bands a factorisation is several times
    faster and finds broader patterns, but resolves neighbouring partials only at low frequencies.
    Masks are lifted to the STFT (`lift`), so that stems still sum to the mixture.

    Parameters
    ----------
    sr : int
        Sample rate in Hz, 100 to 1,500,000.
    n_fft, hop : int
        Window length and step of the STFT in samples; by default `default_n_fft` and a quarter of
        it.
    window : str
        Window of the STFT.
    power : float
        Exponent of the magnitudes that are summed: 1 amplitude, 2 power.
    fmin, fmax : float
        Ends of the lowest and highest band in Hz; `fmax` is ``sr / 2`` by default. Bins outside
        are masked like the outermost bands.
    n_mels : int
        Number of bands.

    Raises
    ------
    ParameterError
        A parameter is out of range, or some bands are too narrow for `n_fft`.

    References
    ----------
    S. S. Stevens, J. Volkmann, E. B. Newman, "A scale for the measurement of the psychological
    magnitude pitch", JASA 8(3), 1937, doi:10.1121/1.1915893.

    Examples
    --------
    Stems of a factorisation on 40 bands instead of 257 bins still sum to the mixture:

    >>> import numpy as np, nmfaudio as na
    >>> mel = na.Mel(8000, n_mels=40, n_fft=512)
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> Z = mel.forward(y)
    >>> V = mel.features(Z)
    >>> V.shape, Z.shape
    ((40, 64), (1, 257, 64))
    >>> d = na.nmf(V, 2, rng=0)
    >>> masks = [d.component(k) / d.model() for k in range(2)]
    >>> stems = [mel.inverse(mel.lift(mask) * Z, 8000) for mask in masks]
    >>> bool(np.allclose(sum(stems), y))
    True
    """

    n_mels: int = 128

    kind: ClassVar[str] = "mel"
    rows: ClassVar[str] = "n_mels"

    def __post_init__(self) -> None:
        self._set_fields({"n_mels": as_count(self.n_mels, "n_mels", low=1)})
        super().__post_init__()

    @property
    def frequencies(self) -> np.ndarray:
        """Centre of each band in Hz, float64 [shape=(freq,)]."""
        from nmfaudio._common.librosa_loader import load_librosa

        edges = load_librosa("core.convert").mel_frequencies(
            self.n_mels + 2, fmin=self.fmin, fmax=self.fmax
        )
        return np.asarray(edges[1:-1])

    def _filters(self) -> np.ndarray:
        from nmfaudio._common.librosa_loader import load_librosa

        mel = load_librosa("filters").mel
        with warnings.catch_warnings():  # about empty bands, which raise an error later
            warnings.simplefilter("ignore")
            weights: np.ndarray = mel(
                sr=self.sr,
                n_fft=self.n_fft,
                n_mels=self.n_mels,
                fmin=self.fmin,
                fmax=self.fmax,
                dtype=np.float64,
            )
        return weights


@public
@dataclass(frozen=True, kw_only=True)
class Erb(Filterbank):
    """Gammatone filters evenly spaced on the ERB-rate scale.

    Each band weights magnitudes by the response of a fourth-order gammatone filter,
    ``(1 + ((f − f_c) / b)²)^−2`` with ``b = 1.019 ERB(f_c)``, to the power of `power`. The response
    is 1 at the centre and set to 0 below 0.001. The equivalent rectangular bandwidth is
    ``ERB(f) = 24.7 (0.00437 f + 1)`` Hz. Below about 500 Hz these bands are narrower than mel
    bands, so that low partials are resolved.

    Parameters
    ----------
    sr : int
        Sample rate in Hz, 100 to 1,500,000.
    n_fft, hop : int
        Window length and step of the STFT in samples; by default `default_n_fft` and a quarter of
        it.
    window : str
        Window of the STFT.
    power : float
        Exponent of the magnitudes that are summed: 1 amplitude, 2 power.
    fmin, fmax : float
        Centres of the lowest and highest band in Hz; `fmax` is ``sr / 2`` by default. Bins outside
        are masked like the outermost bands.
    n_bands : int
        Number of bands.

    Raises
    ------
    ParameterError
        A parameter is out of range, or some bands are too narrow for `n_fft`.

    References
    ----------
    B. R. Glasberg, B. C. J. Moore, "Derivation of auditory filter shapes from notched-noise data",
    Hearing Research 47, 1990, doi:10.1016/0378-5955(90)90170-T.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> erb = na.Erb(16000, n_bands=32)
    >>> np.round(erb.frequencies[[0, 15, 31]])
    array([  50., 1205., 8000.])
    >>> tone = np.sin(2 * np.pi * 1205 * np.arange(16000) / 16000)
    >>> int(erb.features(erb.forward(tone)).sum(axis=1).argmax())
    15
    """

    n_bands: int = 64
    fmin: float = 50.0

    kind: ClassVar[str] = "erb"
    rows: ClassVar[str] = "n_bands"

    def __post_init__(self) -> None:
        self._set_fields({"n_bands": as_count(self.n_bands, "n_bands", low=1)})
        super().__post_init__()

    @property
    def frequencies(self) -> np.ndarray:
        """Centre of each band in Hz, float64 [shape=(freq,)]."""
        return erb_spaced(self.fmin, self.fmax, self.n_bands)

    def _filters(self) -> np.ndarray:
        centres = self.frequencies[:, np.newaxis]
        # Glasberg & Moore (1990); a fourth-order gammatone's b is 1.019 ERB (Patterson et al.).
        width = erb_width(centres, 1.019)
        gain = (1 + ((self.stft.frequencies - centres) / width) ** 2) ** -2.0
        return np.where(gain < _FAINTEST, 0.0, gain) ** self.power
