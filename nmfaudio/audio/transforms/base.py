"""What every transform can do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Protocol

import numpy as np


class Transform(Protocol):
    """Audio to a complex spectrogram Z, Z to features V, and both ways back.

    V is what gets factored. It may live on another frequency axis than Z (a filterbank's, say):
    `lift` brings a mask from the one to the other, so that ``inverse(lift(mask) * Z, length)`` is
    a stem whatever the transform. A transform is immutable, and is equal to another with the same
    parameters.
    """

    kind: ClassVar[str]
    """Its name in files, and in `TRANSFORMS`."""

    @property
    def sr(self) -> int:
        """Sample rate in Hz."""

    @property
    def n_fft(self) -> int:
        """Window length of the underlying STFT in samples."""

    @property
    def hop(self) -> int:
        """Step between frames in samples."""

    @property
    def power(self) -> float:
        """Exponent p of the features V = |Z|^p."""

    @property
    def hop_seconds(self) -> float:
        """Step between frames in seconds."""

    @property
    def frequencies(self) -> np.ndarray:
        """Centre of each row of V in Hz, shape (freq,)."""

    def times(self, n_frames: int) -> np.ndarray:
        """Centre of each frame in seconds, shape (time,)."""

    def n_frames(self, n_samples: int) -> int:
        """How many frames that many samples give."""

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Audio (channel, sample) to the complex spectrogram Z (channel, freq, time)."""

    def forward_blocks(self, y: np.ndarray, frames: int) -> Iterator[np.ndarray]:
        """The same Z, bit for bit, as consecutive blocks of at most `frames` frames."""

    def features(self, Z: np.ndarray) -> np.ndarray:
        """Z to the non-negative V (freq, time), one for all channels."""

    def lift(self, mask: np.ndarray) -> np.ndarray:
        """A mask on V's grid (freq, time) to one on Z's."""

    def inverse(self, Z: np.ndarray, length: int) -> np.ndarray:
        """Z to `length` samples of audio (channel, sample)."""

    def inverse_blocks(self, blocks: Iterable[np.ndarray], length: int) -> Iterator[np.ndarray]:
        """Consecutive blocks of Z to consecutive blocks of the same audio, bit for bit.

        Z may have any number of channels: a separator inverts all its stems together.
        """

    def to_dict(self) -> dict[str, Any]:
        """The kind and the parameters, for JSON; `transform_from` makes an equal transform."""
