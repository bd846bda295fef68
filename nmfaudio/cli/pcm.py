"""Raw PCM: samples without a header, as sox and ffmpeg read and write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    import numpy as np

ENCODINGS = {"f32le": "<f4", "s16le": "<i2"}
"""Encodings of samples, with their NumPy dtypes; full scale of integers is 1."""


class PcmDecoder:
    """Samples of interleaved PCM that arrives in blocks of any number of bytes.

    Parameters
    ----------
    encoding : str
        Key of `ENCODINGS`.
    channels : int

    Examples
    --------
    >>> decoder = PcmDecoder("s16le", 2)
    >>> decoder.decode(bytes([0, 64, 0])).tolist(), decoder.decode(bytes([192, 0])).tolist()
    ([[], []], [[0.5], [-0.5]])
    >>> decoder.left
    1
    """

    def __init__(self, encoding: str, channels: int) -> None:
        self._encoding = encoding
        self._channels = channels
        self._rest = b""

    @property
    def left(self) -> int:
        """Number of bytes that are less than one sample of all channels."""
        return len(self._rest)

    def decode(self, data: bytes) -> np.ndarray:
        """Return the samples that are complete [shape=(channel, sample)], in float32."""
        import numpy as np

        data = self._rest + data
        dtype = np.dtype(ENCODINGS[self._encoding])
        frame = dtype.itemsize * self._channels
        complete = len(data) // frame * frame
        self._rest = data[complete:]
        values = np.frombuffer(data[:complete], dtype).reshape(-1, self._channels)
        samples = values.T.astype(np.float32)
        return samples / np.float32(2**15) if dtype.kind == "i" else samples


def encode(y: np.ndarray, encoding: str) -> tuple[bytes, int]:
    """Return samples [shape=(channel, sample)] as interleaved PCM, and how many were clipped.

    Examples
    --------
    >>> import numpy as np
    >>> encode(np.array([[0.5, 2.0]]), "s16le")
    (b'\\x00@\\xff\\x7f', 1)
    """
    import numpy as np

    dtype = np.dtype(ENCODINGS[encoding])
    frames = y.T
    if dtype.kind == "f":
        return frames.astype(dtype).tobytes(), 0
    scaled = np.rint(frames * np.float32(2**15))
    clipped = scaled.clip(-(2**15), 2**15 - 1)
    return clipped.astype(dtype).tobytes(), int(np.count_nonzero(clipped != scaled))
