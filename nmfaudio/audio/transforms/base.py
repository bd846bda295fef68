"""Protocol of time-frequency transforms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Protocol

import numpy as np


class Transform(Protocol):
    """Time-frequency transform with an inverse.

    Audio has a complex spectrogram Z, and Z has non-negative features V, which are factorised. V
    may have another frequency axis than Z, such as the bands of a filterbank; `lift` maps a mask
    from V's axis to Z's, so that ``inverse(lift(mask) * Z, length)`` is a stem for any transform.
    Transforms are immutable and compare equal if their parameters do.
    """

    kind: ClassVar[str]
    """Name in files and in `TRANSFORMS`."""

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
    def window(self) -> str:
        """Name of the window, as in `scipy.signal.get_window`."""

    @property
    def power(self) -> float:
        """Exponent p of the features ``V = |Z|^p``."""

    @property
    def hop_seconds(self) -> float:
        """Step between frames in seconds."""

    @property
    def frequencies(self) -> np.ndarray:
        """Centre of each row of V in Hz [shape=(freq,)]."""

    @classmethod
    def rows_in(cls, parameters: Mapping[str, Any]) -> int:
        """Number of rows of V with these parameters, without building the transform.

        Parameters
        ----------
        parameters : mapping
            As returned by `to_dict`; missing ones have their defaults.

        Returns
        -------
        int
        """

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

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Compute the complex spectrogram of audio.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample)]

        Returns
        -------
        np.ndarray [shape=(channel, freq, time)]
            Z, complex.
        """

    def forward_blocks(self, y: np.ndarray, frames: int) -> Iterator[np.ndarray]:
        """Compute the spectrogram of `forward`, bit for bit, in consecutive blocks.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample)]
        frames : int
            Largest number of frames in a block.

        Returns
        -------
        iterator of np.ndarray [shape=(channel, freq, time)]
        """

    def features(self, Z: np.ndarray) -> np.ndarray:
        """Compute the non-negative features of a spectrogram, common to all channels.

        Parameters
        ----------
        Z : np.ndarray [shape=(channel, freq, time)]

        Returns
        -------
        np.ndarray [shape=(freq, time)]
            V.
        """

    def lift(self, mask: np.ndarray) -> np.ndarray:
        """Map a mask from the frequency axis of V to that of Z.

        Parameters
        ----------
        mask : np.ndarray [shape=(freq, time)]

        Returns
        -------
        np.ndarray [shape=(freq, time)]
        """

    def inverse(self, Z: np.ndarray, length: int) -> np.ndarray:
        """Compute the audio of a spectrogram.

        Parameters
        ----------
        Z : np.ndarray [shape=(channel, freq, time)]
        length : int
            Number of samples to return.

        Returns
        -------
        np.ndarray [shape=(channel, sample)]
        """

    def inverse_blocks(self, blocks: Iterable[np.ndarray], length: int) -> Iterator[np.ndarray]:
        """Compute the audio of `inverse`, bit for bit, from consecutive blocks.

        Parameters
        ----------
        blocks : iterable of np.ndarray [shape=(channel, freq, time)]
            Any number of channels: a separator inverts all its stems together.
        length : int
            Number of samples to return.

        Returns
        -------
        iterator of np.ndarray [shape=(channel, sample)]
        """

    def to_dict(self) -> dict[str, Any]:
        """Kind and parameters as JSON types, from which `transform_from` builds an equal transform.

        Returns
        -------
        dict
        """
