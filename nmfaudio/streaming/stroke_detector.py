"""Strokes of a drum recording that arrives frame by frame, and what tells them apart."""

from __future__ import annotations

import numpy as np

from nmfaudio.dictionaries.stroke_features import (
    EDGES,
    HOP,
    QUANTILE,
    RISE,
    SEGMENTS,
    ReferenceLevels,
    neighbourhood,
    stroke_features,
    stroke_flux,
)

LIVE_SEGMENTS = SEGMENTS[:4]
"""Segments that end soon enough after an onset for a stream."""
_LOWEST, _STEP, _COUNT = -200.0, 0.5, 640  # dB, of the intervals in which levels are counted
_SILENCE = 10 ** (_LOWEST / 20)


class LevelCounter:
    """Quantiles of the levels of the frames so far, to half a decibel.

    Parameters
    ----------
    rows : int
    """

    def __init__(self, rows: int) -> None:
        self._counts = np.zeros((rows, _COUNT), np.int64)
        self._rows = np.arange(rows)

    def add(self, levels: np.ndarray) -> None:
        """Count the levels of a frame [shape=(row,)]."""
        decibels = 20 * np.log10(np.maximum(levels, _SILENCE))
        places = np.clip((decibels - _LOWEST) / _STEP, 0, _COUNT - 1).astype(int)
        self._counts[self._rows, places] += 1

    def quantile(self, share: float) -> np.ndarray:
        """Return the level that a share of the frames does not exceed [shape=(row,)]."""
        below = self._counts.cumsum(axis=1)
        place = (below >= share * below[:, -1:]).argmax(axis=1)
        level: np.ndarray = 10 ** ((_LOWEST + _STEP * (place + 0.5)) / 20)
        return level


class StrokeDetector:
    """Onsets and features of strokes, as `stroke_onsets` and `stroke_features`, without the future.

    Levels refer to those of the frames so far. An onset is reported `reach` frames later, as soon
    as its features are complete.

    Parameters
    ----------
    hop : float
        Seconds between frames.

    Attributes
    ----------
    reach : int
        Number of frames from an onset to its report.
    """

    def __init__(self, hop: float) -> None:
        self._hop = hop
        self._near, around = neighbourhood(hop)
        self.reach = max(round(LIVE_SEGMENTS[-1][1] * HOP / hop), self._near + 1)
        before = max(round(-LIVE_SEGMENTS[0][0] * HOP / hop), 1)
        self._bands = np.zeros((len(EDGES), before + 1 + self.reach))
        self._flux = np.zeros(around + self.reach)  # the last is that of the last frame but one
        self._levels = LevelCounter(len(EDGES) + 1)
        self._highest = 0.0

    def step(self, bands: np.ndarray) -> np.ndarray | None:
        """Add a frame.

        Parameters
        ----------
        bands : np.ndarray [shape=(band,)]
            As `stroke_bands` returns them.

        Returns
        -------
        np.ndarray [shape=(1, feature)] or None
            Features, if the frame that lies `reach` before this one is an onset.
        """
        self._bands[:, :-1], self._flux[:-1] = self._bands[:, 1:], self._flux[1:]
        loudest = bands.max()
        self._bands[:, -1] = bands
        self._levels.add(np.append(bands, loudest))
        self._highest = max(self._highest, float(loudest))
        if self._highest == 0:
            return None
        self._flux[-1] = stroke_flux(self._bands[:, -3:], self._highest)[0]
        onset = len(self._flux) - self.reach
        height, low, high = self._flux[onset], onset - self._near, onset + self._near + 1
        if height < self._flux[low:high].max() or height <= self._flux.mean() + RISE:
            return None
        quantiles = self._levels.quantile(QUANTILE)
        return stroke_features(
            self._bands,
            np.array([self._bands.shape[1] - 1 - self.reach]),
            self._hop,
            reference=ReferenceLevels(quantiles[:-1], float(quantiles[-1])),
            segments=LIVE_SEGMENTS,
        )
