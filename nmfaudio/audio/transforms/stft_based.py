"""What transforms share whose features come from the STFT."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nmfaudio.audio.transforms.stft import Stft, default_n_fft
from nmfaudio.errors import ShapeError

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class OnStft(ABC):
    """Features on a frequency axis of bands; Z is the STFT, so that the inverse stays exact.

    A subclass says what the bands are and how its features come from Z. A mask on the bands is
    lifted to the STFT's bins by a weighted mean: each bin takes its mask from the bands that hear
    it, in proportion. So masks that sum to one still do after lifting. A bin that no band hears
    takes the mask of the nearest bin that one does (the lower of two).
    """

    sr: int
    _: KW_ONLY
    n_fft: int = None  # type: ignore[assignment]  # always an int once constructed
    hop: int = None  # type: ignore[assignment]
    window: str = "hann"
    power: float = 1.0

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        n_fft = default_n_fft(self.sr) if self.n_fft is None else self.n_fft
        self._put(asdict(Stft(self.sr, n_fft, self.hop, self.window, self.power)))

    def _put(self, fields: dict[str, Any]) -> None:
        for field, value in fields.items():
            object.__setattr__(self, field, value)  # how a frozen dataclass tidies its own fields

    @cached_property
    def stft(self) -> Stft:
        """The transform that makes Z and inverts it."""
        return Stft(self.sr, self.n_fft, self.hop, self.window, self.power)

    @property
    @abstractmethod
    def frequencies(self) -> np.ndarray:
        """Centre of each band in Hz, float64, shape (freq,)."""

    @abstractmethod
    def features(self, Z: np.ndarray) -> np.ndarray:
        """Z to the non-negative V (freq, time), one for all channels."""

    @abstractmethod
    def _shares(self) -> csr_array:
        """How well each band hears each bin [shape=(band, bin)], float64."""

    @property
    def hop_seconds(self) -> float:
        """Step between frames in seconds."""
        return self.hop / self.sr

    def times(self, n_frames: int) -> np.ndarray:
        """Centre of each of `n_frames` frames in seconds, float64, shape (time,)."""
        return self.stft.times(n_frames)

    def n_frames(self, n_samples: int) -> int:
        """How many frames `n_samples` samples give."""
        return self.stft.n_frames(n_samples)

    def to_dict(self) -> dict[str, Any]:
        """The parameters and the kind, for JSON; see `transform_from`."""
        return {"kind": self.kind} | asdict(self)

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Complex spectrogram of audio: see `Stft.forward`."""
        return self.stft.forward(y)

    def forward_blocks(self, y: np.ndarray, frames: int) -> Iterator[np.ndarray]:
        """The same, bit for bit, in consecutive blocks: see `Stft.forward_blocks`."""
        return self.stft.forward_blocks(y, frames)

    def inverse(self, Z: np.ndarray, length: int) -> np.ndarray:
        """Audio of a spectrogram: see `Stft.inverse`."""
        return self.stft.inverse(Z, length)

    def inverse_blocks(self, blocks: Iterable[np.ndarray], length: int) -> Iterator[np.ndarray]:
        """The same, bit for bit, from consecutive blocks: see `Stft.inverse_blocks`."""
        return self.stft.inverse_blocks(blocks, length)

    def lift(self, mask: np.ndarray) -> np.ndarray:
        """A mask on the bands as one on the STFT's bins.

        Parameters
        ----------
        mask : np.ndarray [shape=(freq, time) or (channel, freq, time)]
            One row for each of `frequencies`.

        Returns
        -------
        np.ndarray [shape=(bin, time) or (channel, bin, time)]
            Of the mask's precision, within the mask's range.

        Raises
        ------
        ShapeError
            The mask has another number of rows.
        """
        if mask.ndim == 3:
            return np.stack([self.lift(channel) for channel in mask])
        lifting = self._lifting
        if mask.ndim != 2 or len(mask) != lifting.shape[1]:
            raise ShapeError(
                f"the mask has shape {mask.shape}; (freq, time) with {lifting.shape[1]} "
                "frequencies is needed"
            )
        dtype = np.result_type(mask, np.float32)
        lifted: np.ndarray = lifting.astype(dtype) @ mask.astype(dtype, copy=False)
        return lifted

    @cached_property
    def _lifting(self) -> csr_array:
        """The weights of the mean [shape=(bin, band)]; each row sums to one."""
        from scipy.sparse import csr_array, diags_array

        shares = self._shares()
        heard = shares.sum(axis=0)
        bins = np.flatnonzero(heard)
        borders = (bins[1:] + bins[:-1]) / 2
        nearest = bins[np.searchsorted(borders, np.arange(len(heard)))]
        return csr_array(diags_array(1 / heard[nearest]) @ csr_array(shares.T)[nearest])
