"""Base class of audio that is read where it is sliced."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


class LazyAudio(ABC):
    """Audio of shape (channel, sample) whose samples are read by ``y[:, start:stop]``.

    `as_audio` returns it as it is: its samples are finite float32 or float64, at least one. All
    functions that read audio block by block, such as `nmfaudio.audio.analyse`, take it in place of
    an array.
    """

    ndim = 2
    shape: tuple[int, int]
    dtype: np.dtype[Any]

    def __len__(self) -> int:
        """Return the number of channels."""
        return self.shape[0]

    @abstractmethod
    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        """Return a new array of the samples of a slice of all channels."""
