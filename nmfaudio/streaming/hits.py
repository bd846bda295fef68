"""Drum hits from the salience of a stream: peak picking without the future."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nmfaudio.streaming.events import NoteEvent
from nmfaudio.symbolic.drum_peaks import threshold_of
from nmfaudio.symbolic.names import drum_pitch

REACH = 0.02
"""Seconds after a peak in which no higher one may follow."""
INTERVAL = 0.05
"""Shortest time between two hits of a part in seconds, as in `pick_hits`."""
DECAY = 0.1
"""Time constant of the remainder of a peak in seconds, as in `pick_hits`."""
# Height of a loud hit of a part before there was one, in shares of the loudest part. So what leaks
# from another part into one that has not been played is no hit.
_EXPECTED = 0.1


class HitPicker:
    """Hits of the parts of a drum kit, as soon as it is certain that they are peaks.

    As `pick_hits`, but the height of a loud hit is estimated from the peaks so far, and a peak is
    compared with the `REACH` after it only.

    Parameters
    ----------
    parts : sequence of str
    step : float
        Seconds between frames.
    threshold : float or mapping of str to float
        As in `pick_hits`.
    """

    def __init__(
        self, parts: Sequence[str], step: float, threshold: float | Mapping[str, float]
    ) -> None:
        self._parts = tuple(parts)
        self._step = step
        self.reach = max(1, round(REACH / step))
        self._interval = max(1, round(INTERVAL / step))
        self._factor = np.exp(-step / DECAY)
        self._thresholds = np.array([threshold_of(threshold, part) for part in parts])
        n = len(self._parts)
        self._remainder = np.zeros(n)
        # The last levels, and these above the remainder: around the frame that may be a peak.
        self._levels = np.zeros((self.reach + 2, n))
        self._above = np.zeros((self._interval + self.reach + 1, n))
        self._cubes, self._squares, self._highest = np.zeros(n), np.zeros(n), np.zeros(n)
        self._last = np.full(n, -self._interval)  # frame of the last hit
        self._frames = 0

    def step(self, levels: np.ndarray) -> list[NoteEvent]:
        """Add a frame, and return the hits that are certain now.

        Parameters
        ----------
        levels : np.ndarray [shape=(part,)]

        Returns
        -------
        list of NoteEvent
            In the order of the parts.
        """
        self._levels[:-1], self._above[:-1] = self._levels[1:], self._above[1:]
        self._levels[-1], self._above[-1] = levels, np.maximum(levels - self._remainder, 0)
        self._remainder = np.maximum(levels, self._remainder) * self._factor
        frame = self._frames - self.reach
        self._frames += 1
        heights = self._above[-1 - self.reach]
        peaks = (heights > 0) & (heights >= self._above.max(axis=0))
        peaks &= frame - self._last >= self._interval
        return [self._hit(p, frame) for p in np.flatnonzero(peaks).tolist() if self._is_loud(p)]

    def _is_loud(self, part: int) -> bool:
        """Return True if a peak is as high as a hit, and count it for the peaks after it."""
        height = self._above[-1 - self.reach, part]
        self._cubes[part] += height**3
        self._squares[part] += height**2
        self._highest[part] = max(self._highest[part], height)
        loud = max(self._cubes[part] / self._squares[part], _EXPECTED * self._highest.max())
        return bool(height >= self._thresholds[part] * loud)

    def _hit(self, part: int, frame: int) -> NoteEvent:
        """Hit at a frame; its time is the centroid of the peak and the frames beside it."""
        self._last[part] = frame
        times = np.arange(frame - 1, frame + 2) * self._step
        time = max(0.0, float(np.average(times, weights=self._levels[:3, part])))
        velocity = float(np.sqrt(self._above[-1 - self.reach, part] / self._highest[part]))
        name = self._parts[part]
        return NoteEvent("on", time, float(drum_pitch(name)), velocity, name)
