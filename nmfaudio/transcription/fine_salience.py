"""Harmonic salience in steps of a tenth of a semitone, from the samples of a recording."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nmfaudio._common.pitch import midi_to_hz

if TYPE_CHECKING:
    from nmfaudio._common.lazy_audio import LazyAudio

HOP = 0.01  # s between frames
STEP = 0.1  # semitones between the rows of the salience
_LOWEST, _HIGHEST = 21.0, 108.0  # MIDI numbers
_PARTIALS, _HIGHEST_HZ = 10, 5000.0
_SLOPE = 0.85  # weight of each partial relative to the one below
_COMPRESSION = 0.5  # exponent of magnitudes, so that no partial outweighs all others
_NYQUIST = 0.45  # of the sample rate, that the highest partial may have
_PADDING = 3  # length of the Fourier transform in windows, at least
# Lowest pitch and window in s: its main lobe, 4 / window in Hz wide, is below a fundamental.
_WINDOWS = ((57.0, 0.046), (36.0, 0.093), (_LOWEST, 0.186))
_FRAMES = 256  # in a block
_BLOCKS = 8  # that are kept


class Peak(NamedTuple):
    """Local maximum of the salience of a frame."""

    pitch: float
    height: float


class FineSalience:
    """Sum of the magnitudes at the partials of each pitch, computed where it is asked for.

    Windows are as short as the fundamental of a pitch allows, 46 ms from A3 on, so that a vibrato
    is not averaged over.

    Parameters
    ----------
    y : np.ndarray or LazyAudio [shape=(channel, sample)]
        The recording; the mean of its channels is analysed.
    sr : int
        Sample rate in Hz.
    """

    def __init__(self, y: np.ndarray | LazyAudio, sr: int) -> None:
        self._y, self._sr = y, sr
        self.n_frames = 1 + int(y.shape[1] / sr / HOP)
        tops = [_HIGHEST + STEP, *(low for low, _ in _WINDOWS)]
        # One more row on either side, so that each pitch of a window may be a maximum.
        self._rows = [
            np.arange(round((low - STEP) / STEP), round(top / STEP) + 1) * STEP
            for (low, _), top in zip(_WINDOWS, tops, strict=False)
        ]
        self._matrices = [self._matrix(n) for n in range(len(_WINDOWS))]
        self._block = lru_cache(_BLOCKS * len(_WINDOWS))(self._computed)

    def peaks(self, frame: int, low: float, high: float) -> list[Peak]:
        """Local maxima of a frame between two pitches.

        Parameters
        ----------
        frame : int
            Times 10 ms is its centre.
        low, high : float
            MIDI numbers.

        Returns
        -------
        list of Peak
            From the lowest.
        """
        block, column = divmod(frame, _FRAMES)
        found: list[Peak] = []
        for n in range(_window_of(low), _window_of(high) - 1, -1):
            _, pitches, heights, starts = self._block(block, n)
            span = slice(*starts[column : column + 2])
            first, last = (
                int(np.searchsorted(pitches[span], end)) + span.start for end in (low, high)
            )
            pairs = zip(pitches[first:last].tolist(), heights[first:last].tolist(), strict=True)
            found += (Peak(*pair) for pair in pairs)
        return found

    def level(self, frame: int, pitch: float) -> float:
        """Salience of a pitch, interpolated between the rows.

        Parameters
        ----------
        frame : int
        pitch : float
            MIDI number; beyond the lowest or the highest row, that row.

        Returns
        -------
        float
        """
        block, column = divmod(frame, _FRAMES)
        n = _window_of(pitch)
        values = self._block(block, n)[0]
        row = min(max((pitch - self._rows[n][0]) / STEP, 0.0), len(values) - 1.001)
        low, share = int(row), row % 1
        return float((1 - share) * values[low, column] + share * values[low + 1, column])

    def _computed(self, block: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[int]]:
        """Salience of a block by one window, and pitches and heights of its peaks by frame."""
        values = self._salience(block, n)
        inner = values[1:-1]
        is_peak = (inner > values[:-2]) & (inner >= values[2:])
        columns, rows = np.nonzero(is_peak.T)
        before, middle, after = (values[rows + k, columns] for k in range(3))
        # Vertex of the parabola through a maximum and its neighbours.
        curvature = np.maximum(2 * middle - before - after, 1e-20)
        shift = np.clip((after - before) / (2 * curvature), -0.5, 0.5)
        pitches = self._rows[n][rows + 1] + shift * STEP
        heights = middle + 0.25 * (after - before) * shift
        starts = np.searchsorted(columns, np.arange(values.shape[1] + 1)).tolist()
        return values, pitches, heights, starts

    def _salience(self, block: int, n: int) -> np.ndarray:
        """Salience of a block for the pitches of one window."""
        length = self._length(n)
        centres = np.round((block * _FRAMES + np.arange(_FRAMES)) * HOP * self._sr).astype(int)
        begin, end = int(centres[0]) - length // 2, int(centres[-1]) - length // 2 + length
        inside = slice(max(begin, 0), min(max(end, 0), self._y.shape[1]))
        samples = np.zeros(end - begin, np.float32)
        if inside.start < inside.stop:
            mono = np.asarray(self._y[:, inside]).mean(axis=0)
            samples[inside.start - begin : inside.stop - begin] = mono
        frames = samples[(centres - centres[0])[:, None] + np.arange(length)]
        window = np.hanning(length)
        spectra = np.fft.rfft(frames * (window / window.sum()), self._size(n), axis=1)
        return np.asarray(self._matrices[n] @ (np.abs(spectra) ** _COMPRESSION).T)

    def _length(self, n: int) -> int:
        """Samples of a window."""
        return round(_WINDOWS[n][1] * self._sr)

    def _size(self, n: int) -> int:
        """Samples of the Fourier transform of a window, a power of 2."""
        return 1 << math.ceil(math.log2(_PADDING * self._length(n)))

    def _matrix(self, n: int) -> Any:
        """Weights of the bins in the salience of each pitch of one window, in sparse rows."""
        from scipy.sparse import csr_array

        pitches, size = self._rows[n], self._size(n)
        partials = np.arange(1, _PARTIALS + 1)
        hertz = midi_to_hz(pitches)[:, None] * partials
        audible = hertz < min(_HIGHEST_HZ, _NYQUIST * self._sr)
        bins = np.where(audible, hertz * size / self._sr, 0.0)
        weights = np.where(audible, _SLOPE ** (partials - 1), 0.0)
        rows = np.broadcast_to(np.arange(len(pitches))[:, None], bins.shape)
        low = bins.astype(int)
        data = np.stack([weights * (1 - bins % 1), weights * (bins % 1)])
        columns, both = np.stack([low, low + 1]), np.stack([rows, rows])
        shape = len(pitches), size // 2 + 1
        return csr_array((data.ravel(), (both.ravel(), columns.ravel())), shape=shape)


def _window_of(pitch: float) -> int:
    """Index of the window of a pitch."""
    return next((n for n, (low, _) in enumerate(_WINDOWS) if pitch >= low), len(_WINDOWS) - 1)
