"""Spectrograms on a logarithmic frequency axis, as PNG files."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

# From silence to the loudest bin; their luminance rises steadily, so that grey copies are legible.
_ANCHORS = ("#0b0d1c", "#241653", "#5f1f80", "#a52c7a", "#e0515f", "#fb9159", "#fdd78d", "#fffbe6")


@dataclass(frozen=True)
class LogAxis:
    """Rows of equal height per octave.

    Parameters
    ----------
    low, high : float
        Lowest and highest frequency in Hz.
    rows : int
        Number of rows.
    """

    low: float
    high: float
    rows: int

    @cached_property
    def edges(self) -> np.ndarray:
        """Borders of the rows in Hz [shape=(row + 1,)]."""
        return np.geomspace(self.low, self.high, self.rows + 1)

    def pool(self, values: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
        """Map a frequency axis to these rows.

        A row takes the largest value of the bins in it; a row between two bins, which is narrower
        than they are apart, interpolates.

        Parameters
        ----------
        values : np.ndarray [shape=(freq, time)]
        frequencies : np.ndarray [shape=(freq,)]
            Centre of each bin in Hz, ascending.

        Returns
        -------
        np.ndarray [shape=(row, time)]
            From the lowest frequency to the highest.
        """
        centres = np.sqrt(self.edges[:-1] * self.edges[1:])
        borders = np.searchsorted(frequencies, self.edges)
        above = np.clip(np.searchsorted(frequencies, centres), 1, len(frequencies) - 1)
        step = frequencies[above] - frequencies[above - 1]
        share = np.clip((centres - frequencies[above - 1]) / step, 0, 1)[:, None]
        pooled = (1 - share) * values[above - 1] + share * values[above]
        for row in np.flatnonzero(np.diff(borders)):
            pooled[row] = values[borders[row] : borders[row + 1]].max(axis=0)
        result: np.ndarray = pooled.astype(values.dtype)
        return result


def pool_frames(values: np.ndarray, most: int) -> np.ndarray:
    """Reduce the frames to at most a number of columns, each the maximum of its frames.

    Parameters
    ----------
    values : np.ndarray [shape=(…, time)]
    most : int
        Largest number of columns.

    Returns
    -------
    np.ndarray [shape=(…, column)]
    """
    frames = values.shape[-1]
    if frames <= most:
        return values
    first = np.arange(most) * frames // most
    pooled: np.ndarray = np.maximum.reduceat(values, first, axis=-1)
    return pooled


def as_levels(values: np.ndarray, reference: float, range_db: float) -> np.ndarray:
    """Convert magnitudes to levels in dB as bytes, from 0 (`range_db` below) to 255.

    Parameters
    ----------
    values : np.ndarray
        Non-negative magnitudes.
    reference : float
        Magnitude of the byte 255.
    range_db : float
        Range in dB.

    Returns
    -------
    np.ndarray of uint8
    """
    floor = 10 ** (-range_db / 20)
    relative = np.maximum(values / (reference or 1.0), floor)
    levels = np.clip(1 + 20 * np.log10(relative) / range_db, 0, 1)
    result: np.ndarray = np.rint(255 * levels).astype(np.uint8)
    return result


def encode_png(levels: np.ndarray) -> bytes:
    """Encode bytes as a PNG file with the colours of spectrograms.

    Parameters
    ----------
    levels : np.ndarray of uint8 [shape=(row, column)]
        From the bottom to the top.

    Returns
    -------
    bytes
        Content of the file.
    """
    rows, columns = levels.shape
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)  # 8 bits, with a palette
    # Each line of a PNG file begins with the number of its filter, here none.
    lines = np.hstack([np.zeros((rows, 1), np.uint8), levels[::-1]])
    chunks = (
        (b"IHDR", header),
        (b"PLTE", _palette()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def _palette() -> bytes:
    """Red, green and blue of the 256 levels."""
    anchors = np.array([list(bytes.fromhex(text[1:])) for text in _ANCHORS], float)
    position = np.linspace(0, len(anchors) - 1, 256)
    channels = [np.interp(position, np.arange(len(anchors)), channel) for channel in anchors.T]
    colours: np.ndarray = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    return colours.tobytes()
