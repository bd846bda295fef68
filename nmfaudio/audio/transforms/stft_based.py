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
    """Transform whose features are frequency bands, computed from an STFT.

    The complex spectrogram Z is the STFT itself, so the inverse is exact. A subclass defines the
    bands and computes its features from Z.

    `lift` maps a mask M on the bands to the bins of the STFT by a weighted mean over the bands b
    that contain bin k, with weights s from `_band_weights`::

        lifted[k, t] = Σ_b s[b, k] M[b, t] / Σ_b s[b, k]

    Masks that sum to one therefore still do after lifting. A bin outside all bands takes the mask
    of the nearest bin inside a band; of two equally near ones, the lower.
    """

    sr: int
    _: KW_ONLY
    n_fft: int = None  # type: ignore[assignment]  # an int after construction
    hop: int = None  # type: ignore[assignment]
    window: str = "hann"
    power: float = 1.0

    kind: ClassVar[str]
    rows: ClassVar[str]
    """Name of the parameter that is the number of bands."""

    def __post_init__(self) -> None:
        n_fft = default_n_fft(self.sr) if self.n_fft is None else self.n_fft
        self._set_fields(asdict(Stft(self.sr, n_fft, self.hop, self.window, self.power)))

    def _set_fields(self, fields: dict[str, Any]) -> None:
        """Set fields of the frozen dataclass in `__post_init__`."""
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    @cached_property
    def stft(self) -> Stft:
        """Short-time Fourier transform that computes Z and inverts it."""
        return Stft(self.sr, self.n_fft, self.hop, self.window, self.power)

    @property
    @abstractmethod
    def frequencies(self) -> np.ndarray:
        """Centre of each band in Hz, float64 [shape=(freq,)]."""

    @classmethod
    def rows_in(cls, parameters: Mapping[str, Any]) -> int:
        """Number of bands with these parameters, without building the transform.

        Parameters
        ----------
        parameters : mapping
            As returned by `to_dict`; missing ones have their defaults.

        Returns
        -------
        int
        """
        return int(parameters.get(cls.rows, getattr(cls, cls.rows)))

    @abstractmethod
    def features(self, Z: np.ndarray) -> np.ndarray:
        """Compute the non-negative features of Z [shape=(channel, bin, time)]."""

    @abstractmethod
    def _band_weights(self) -> csr_array:
        """Weight of each bin in each band, ≥ 0, float64 [shape=(band, bin)]."""

    @property
    def hop_seconds(self) -> float:
        """Step between frames in seconds."""
        return self.hop / self.sr

    def times(self, n_frames: int) -> np.ndarray:
        """Centres of the first `n_frames` frames in seconds; see `Stft.times`."""
        return self.stft.times(n_frames)

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames for a number of samples; see `Stft.n_frames`."""
        return self.stft.n_frames(n_samples)

    def to_dict(self) -> dict[str, Any]:
        """Kind and parameters, JSON-serialisable; see `transform_from`."""
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
            Mask with one row per band.

        Returns
        -------
        np.ndarray [shape=(bin, time) or (channel, bin, time)]
            Mask with one row per bin of the STFT, in the precision of `mask` and within the range
            of its values.

        Raises
        ------
        ShapeError
            The number of rows is not that of the bands.
        """
        if mask.ndim == 3:
            return np.stack([self.lift(channel) for channel in mask])
        lifting = self._lifting_matrix
        if mask.ndim != 2 or len(mask) != lifting.shape[1]:
            raise ShapeError(
                f"the mask has shape {mask.shape}; it must be (freq, time) with "
                f"{lifting.shape[1]} rows, one for each band"
            )
        dtype = np.result_type(mask, np.float32)
        lifted: np.ndarray = lifting.astype(dtype) @ mask.astype(dtype, copy=False)
        return lifted

    @cached_property
    def _lifting_matrix(self) -> csr_array:
        """Matrix of the weighted mean in `lift` [shape=(bin, band)]; each row sums to one."""
        from scipy.sparse import csr_array, diags_array

        weights = self._band_weights()
        totals = weights.sum(axis=0)  # (bin,)
        covered = np.flatnonzero(totals)  # bins inside a band
        midpoints = (covered[1:] + covered[:-1]) / 2
        nearest = covered[np.searchsorted(midpoints, np.arange(len(totals)))]
        return csr_array(diags_array(1 / totals[nearest]) @ csr_array(weights.T)[nearest])
