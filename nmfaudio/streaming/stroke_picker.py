"""Drum hits of a stream by the classifier of strokes, decided without the future."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

from nmfaudio.dictionaries.stroke_classifier import bundled_classifier
from nmfaudio.dictionaries.stroke_decisions import MODELLED, SO_FAR, WHOLE, is_hit
from nmfaudio.dictionaries.stroke_features import EDGES
from nmfaudio.streaming.events import NoteEvent
from nmfaudio.streaming.hits import DECAY, INTERVAL
from nmfaudio.streaming.stroke_detector import StrokeDetector
from nmfaudio.symbolic.drum_peaks import threshold_of
from nmfaudio.symbolic.names import drum_pitch

_BEFORE, _AFTER = 0.012, 0.047  # s around an onset in which activations belong to it
_EXPECTED = 0.3  # least height of a loud hit of a part, in shares of the loudest part
_LOWER = SO_FAR.faint / WHOLE.faint  # of thresholds: heights vary more, since templates are fixed
_REMEMBERED = 1024  # strokes by which it is judged whether a part is there
_ALL = len(MODELLED)  # column of the level of all parts, which others are measured by


class StrokePicker:
    """Hits of the parts of the shipped kit, by activations and the classifier of strokes.

    As `decided_levels` and `pick_hits`, but what is loud, and whether a part is there, is judged
    by the strokes so far.

    Parameters
    ----------
    parts : sequence of str
    step : float
        Seconds between frames.
    threshold : float or mapping of str to float
        As in `pick_hits`.
    late : int
        Number of frames by which activations are later than bands.

    Attributes
    ----------
    reach : int
        Largest number of frames of the bands from a hit to its report.
    """

    def __init__(
        self,
        parts: Sequence[str],
        step: float,
        threshold: float | Mapping[str, float],
        late: int,
    ) -> None:
        self._thresholds = {part: _LOWER * threshold_of(threshold, part) for part in parts}
        self._step, self._factor = step, np.exp(-step / DECAY)
        self._interval = max(1, round(INTERVAL / step))
        self._before, self._after = (max(1, round(s / step)) for s in (_BEFORE, _AFTER))
        self._detector = StrokeDetector(step)
        lag = max(self._detector.reach, late + self._after)  # of an onset, behind the bands
        self.reach = lag + self._before
        self._late, self._wait = late, lag - self._detector.reach  # of the detector
        count = max(self._wait, late) + 1
        self._bands = deque([np.zeros(len(EDGES))] * count, count)
        rows = max(self.reach - late + 2, 2 * self._interval + 1)
        self._row = rows - 1 - (lag - late)  # of an onset in the levels
        self._levels, self._above = np.zeros((2, rows, _ALL + 1))
        self._remainder, self._cubes, self._squares, self._highest = np.zeros((4, _ALL + 1))
        self._frame = -lag - 1  # that may be an onset
        self._last = dict.fromkeys(parts, -self._interval)
        self._struck: deque[np.ndarray] = deque(maxlen=_REMEMBERED)
        self._heights: deque[np.ndarray] = deque(maxlen=_REMEMBERED)

    def step(self, bands: np.ndarray, levels: np.ndarray) -> list[NoteEvent]:
        """Add a frame, and return the hits that are certain now.

        Parameters
        ----------
        bands : np.ndarray [shape=(band,)]
            As `stroke_bands` returns them.
        levels : np.ndarray [shape=(part,)]
            Of kick, snare and hi-hat, so many frames before.

        Returns
        -------
        list of NoteEvent
            In the order of the parts.
        """
        self._frame += 1
        self._bands.append(bands)
        self._add(np.append(levels, self._bands[-1 - self._late].sum()))
        features = self._detector.step(self._bands[-1 - self._wait])
        if features is None:
            return []
        classifier = bundled_classifier(live=True)
        self._struck.append(np.concatenate(list(classifier.probabilities(features).values())))
        self._heights.append(self._above[self._window].max(axis=0))
        struck = dict(zip(classifier.labels, np.array(self._struck).T, strict=True))
        shares = np.array(self._heights) / self._loud()
        heights = dict(zip(MODELLED, shares.T, strict=False))
        return [
            self._hit(part)
            for part in self._thresholds
            if shares[-1, _column(part)] >= self._thresholds[part]
            and self._frame - self._last[part] >= self._interval
            and is_hit(part, struck, heights, SO_FAR)[-1]
        ]

    @property
    def _window(self) -> slice:
        """Rows of the activations that belong to an onset."""
        return slice(self._row - self._before, self._row + self._after)

    def _add(self, levels: np.ndarray) -> None:
        """Add the levels of a frame, and count the peaks that are known now."""
        self._levels[:-1], self._above[:-1] = self._levels[1:], self._above[1:]
        self._levels[-1], self._above[-1] = levels, np.maximum(levels - self._remainder, 0)
        self._remainder = np.maximum(levels, self._remainder) * self._factor
        near = self._above[-2 * self._interval - 1 :]
        middle = near[self._interval]
        peaks = np.where(middle >= near.max(axis=0), middle, 0)
        self._cubes += peaks**3
        self._squares += peaks**2
        self._highest = np.maximum(self._highest, peaks)

    def _loud(self) -> np.ndarray:
        """Height of a loud hit of each column, as far as one knows it."""
        tiny = float(np.finfo(np.float32).tiny)
        loud = self._cubes / np.maximum(self._squares, tiny)
        loud[:_ALL] = np.maximum(loud[:_ALL], _EXPECTED * self._highest[:_ALL].max())
        return np.maximum(loud, tiny)

    def _hit(self, part: str) -> NoteEvent:
        """Hit at the onset; its time is the centroid of the peak and the frames beside it."""
        self._last[part] = self._frame
        column = _column(part)
        heights = self._above[self._window, column]
        row = self._window.start + int(heights.argmax())
        weights = self._levels[row - 1 : row + 2, column]
        frames = self._frame + np.arange(row - 1, row - 1 + len(weights)) - self._row
        time = max(0.0, float(np.average(frames, weights=weights)) * self._step)
        highest = max(self._highest[column], heights.max())
        velocity = float(np.sqrt(heights.max() / highest))
        return NoteEvent("on", time, float(drum_pitch(part)), velocity, part)


def _column(part: str) -> int:
    """Column of the level that hits of a part are measured by."""
    return MODELLED.index(part) if part in MODELLED else _ALL
