"""Base class of transforms whose features are computed from the STFT."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nmfaudio.audio.transforms.stft import Stft, default_n_fft
from nmfaudio.errors import ShapeError

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class StftBased(ABC):
    """Features on bands of frequencies; Z is the STFT, so that the inverse stays exact.

    A subclass defines the bands and computes its features from Z. `lift` maps a mask on the bands
    to the bins of the STFT by a weighted mean over the bands that contain the bin. So masks that
    sum to one still do after lifting. A bin outside all bands takes the mask of the nearest bin
    inside one, the lower of two.
    """

    sr: int
    _: KW_ONLY
    n_fft: int = None  # type: ignore[assignment]  # an int after construction
    hop: int = None  # type: ignore[assignment]
    window: str = "hann"
    power: float = 1.0

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        n_fft = default_n_fft(self.sr) if self.n_fft is None else self.n_fft
        self._put(asdict(Stft(self.sr, n_fft, self.hop, self.window, self.power)))

    def _put(self, fields: dict[str, Any]) -> None:
        """Set fields of the frozen dataclass during construction."""
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    @cached_property
    def stft(self) -> Stft:
        """Underlying STFT, which computes and inverts Z."""
        return Stft(self.sr, self.n_fft, self.hop, self.window, self.power)

    @property
    @abstractmethod
    def frequencies(self) -> np.ndarray:
        """Centre of each band in Hz, float64 [shape=(freq,)]."""

    @classmethod
    @abstractmethod
    def rows_in(cls, parameters: Mapping[str, Any]) -> int:
        """Number of bands under parameters; see `Transform.rows_in`."""

    @abstractmethod
    def features(self, Z: np.ndarray) -> np.ndarray:
        """Compute the non-negative V [shape=(freq, time)] of Z."""

    @abstractmethod
    def _shares(self) -> csr_array:
        """Non-negative weight of each bin in each band [shape=(band, bin)], float64."""

    @property
    def hop_seconds(self) -> float:
        """Step between frames in seconds."""
        return self.hop / self.sr

    def times(self, n_frames: int) -> np.ndarray:
        """Centres of the first frames in seconds; see `Stft.times`."""
        return self.stft.times(n_frames)

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames of audio of a given length; see `Stft.n_frames`."""
        return self.stft.n_frames(n_samples)

    def to_dict(self) -> dict[str, Any]:
        """Kind and parameters as JSON types; see `transform_from`."""
        return {"kind": self.kind} | asdict(self)

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Compute the complex spectrogram of audio; see `Stft.forward`."""
        return self.stft.forward(y)

    def forward_blocks(self, y: np.ndarray, frames: int) -> Iterator[np.ndarray]:
        """Compute the spectrogram in consecutive blocks; see `Stft.forward_blocks`."""
        return self.stft.forward_blocks(y, frames)

    def inverse(self, Z: np.ndarray, length: int) -> np.ndarray:
        """Compute the audio of a spectrogram; see `Stft.inverse`."""
        return self.stft.inverse(Z, length)

    def inverse_blocks(self, blocks: Iterable[np.ndarray], length: int) -> Iterator[np.ndarray]:
        """Compute the audio from consecutive blocks; see `Stft.inverse_blocks`."""
        return self.stft.inverse_blocks(blocks, length)

    def lift(self, mask: np.ndarray) -> np.ndarray:
        """Map a mask on the bands to the bins of the STFT.

        Parameters
        ----------
        mask : np.ndarray [shape=(freq, time) or (channel, freq, time)]
            One row for each of `frequencies`.

        Returns
        -------
        np.ndarray [shape=(bin, time) or (channel, bin, time)]
            In the precision of the mask, within the range of its values.

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
        """Weights of the mean [shape=(bin, band)]; each row sums to one."""
        from scipy.sparse import csr_array, diags_array

        shares = self._shares()
        totals = shares.sum(axis=0)
        bins = np.flatnonzero(totals)  # bins inside a band
        borders = (bins[1:] + bins[:-1]) / 2
        nearest = bins[np.searchsorted(borders, np.arange(len(totals)))]
        return csr_array(diags_array(1 / totals[nearest]) @ csr_array(shares.T)[nearest])
