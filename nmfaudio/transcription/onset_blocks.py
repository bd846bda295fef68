"""Onsets of a long salience, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple

import numpy as np

from nmfaudio._common.validation import frame_step
from nmfaudio.transcription.onsets import (
    ghost_frames,
    peaks_above,
    rise_frames,
    rises,
    spaced,
    threshold_of_strongest,
    without_ghosts,
)

FRAMES = 4096
"""Frames in a block."""


class OnsetPeaks(NamedTuple):
    """Peaks of onset strength by row, then frame, and the largest strength of each frame.

    Parameters
    ----------
    rows, frames : np.ndarray [shape=(peak,)]
        Place of each peak in the salience.
    strengths : np.ndarray [shape=(peak,)]
        Without what is due to partials of other pitches.
    strongest : np.ndarray [shape=(time,)]
        Largest onset strength of all pitches.
    """

    rows: np.ndarray
    frames: np.ndarray
    strengths: np.ndarray
    strongest: np.ndarray


@dataclass(frozen=True, eq=False)
class OnsetBlocks:
    """Onset strength of a salience without that of partials, block by block.

    It equals ``suppress_ghosts(onset_strength(values, …), …)``, whatever the length of the blocks,
    of which one is in memory at a time.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    pitches : np.ndarray [shape=(pitch,)]
        MIDI numbers.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    rise : float
        Seconds, as for `onset_strength`.
    ghosts : float
        Share, as for `suppress_ghosts`.
    frames : int
        Frames in a block.

    Raises
    ------
    ShapeError, ParameterError
        The arrays do not match, or their values are invalid.

    Examples
    --------
    >>> values, times = np.array([[0.0, 0, 0, 4, 3, 2, 1]]), np.arange(7) * 0.02
    >>> blocks = OnsetBlocks(values, np.array([60.0]), times, rise=0.04, ghosts=0.2, frames=2)
    >>> blocks.onsets(0.1, balance=0.5, window=0.4, gap=0.06)
    [(0, 2)]
    """

    values: np.ndarray
    pitches: Sequence[float] | np.ndarray
    times: np.ndarray
    _: KW_ONLY
    rise: float
    ghosts: float
    frames: int = FRAMES

    def onsets(
        self,
        threshold: float,
        *,
        balance: float,
        window: float,
        gap: float,
        factors: np.ndarray | float = 1.0,
    ) -> list[tuple[int, int]]:
        """Find the peaks of onset strength above an adaptive threshold.

        Parameters
        ----------
        threshold, balance, window : float
            As for `adaptive_threshold`.
        gap : float
            As for `find_onsets`.
        factors : np.ndarray [shape=(pitch,)] or float
            Factor of the threshold of each pitch.

        Returns
        -------
        list of tuple of int
            Row and frame of each onset, by row, then frame.
        """
        found = self.peaks(threshold, balance=balance, window=window, gap=gap, factors=factors)
        return list(zip(found.rows.tolist(), found.frames.tolist(), strict=True))

    def peaks(
        self,
        threshold: float,
        *,
        balance: float,
        window: float,
        gap: float,
        factors: np.ndarray | float = 1.0,
    ) -> OnsetPeaks:
        """Find the peaks of onset strength with their strengths.

        Parameters
        ----------
        threshold, balance, window, gap, factors
            As for `onsets`.

        Returns
        -------
        OnsetPeaks
        """
        step = frame_step(self.values, self.times)
        if not self.values.size:
            nothing = np.zeros(0, int)
            return OnsetPeaks(nothing, nothing, np.zeros(0), np.zeros(self.values.shape[1]))
        strongest = np.concatenate([block[:, 1:-1].max(axis=0) for _, block in self._blocks(step)])
        thresholds = threshold_of_strongest(
            strongest, step, threshold, balance=balance, window=window
        )
        columns = np.broadcast_to(factors, len(self.values))[:, None]
        found = [
            _peaks(block, columns * thresholds[begin : begin + self.frames], begin)
            for begin, block in self._blocks(step)
        ]
        rows, frames, strengths = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.lexsort((frames, rows))
        rows, frames, strengths = rows[order], frames[order], strengths[order]
        kept = spaced(rows, frames, strengths, max(1, round(gap / step)))
        return OnsetPeaks(rows[kept], frames[kept], strengths[kept], strongest)

    def _blocks(self, step: float) -> Iterator[tuple[int, np.ndarray]]:
        """First frame of each block, and its strength with one more frame on either side."""
        lag, reach = rise_frames(self.rise, step), ghost_frames(step)
        margin, count = lag + reach + 1, self.values.shape[1]
        for begin in range(0, count, self.frames):
            first, last = max(begin - margin, 0), min(begin + self.frames + margin, count)
            strength = without_ghosts(
                rises(self.values[:, first:last], lag), self.pitches, reach, share=self.ghosts
            )
            # Before the first and after the last frame the strength is 0.
            block = np.pad(strength, ((0, 0), (int(first == 0), int(last == count))))
            offset = begin - first - int(first > 0)
            yield begin, block[:, offset : offset + min(self.frames, count - begin) + 2]


def _peaks(
    block: np.ndarray, thresholds: np.ndarray, begin: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, frames and strengths of the peaks of a block with one more frame on either side."""
    above = peaks_above(block, np.pad(thresholds, ((0, 0), (1, 1))))[:, 1:-1]
    rows, frames = np.nonzero(above)
    return rows, frames + begin, block[rows, frames + 1]
