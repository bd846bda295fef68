"""From how strongly each part of a drum kit is heard to its hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nmfaudio._common.validation import as_number, frame_step
from nmfaudio.errors import ShapeError
from nmfaudio.symbolic.names import DRUM_CHANNEL, drum_pitch
from nmfaudio.symbolic.note import Note

THRESHOLD = 0.125
"""How high a hit must be, in shares of what a loud hit of that part is."""
_LENGTH = 0.1  # s that a hit is written to last


def pick_hits(
    salience: np.ndarray,
    parts: Sequence[str],
    times: np.ndarray,
    *,
    threshold: float | Mapping[str, float] = THRESHOLD,
    apart: float = 0.05,
    fading: float = 0.1,
) -> tuple[Note, ...]:
    """The peaks of how strongly each part of a kit is heard, as notes of General MIDI drums.

    What counts is by how much the salience is above what earlier peaks leave, which fades. A peak
    is a hit where nothing nearby is higher and it is high enough beside the part's other peaks.
    Since most of those may be noise, they are compared with ``Σ h³ / Σ h²`` over their heights h,
    which is near the height of a loud hit however many small ones there are. A hit's time is the
    centre of gravity of the salience at the peak and in the frames beside it.

    Parameters
    ----------
    salience : np.ndarray [shape=(part, time)]
        ≥ 0, in any unit: activations, or what a network says.
    parts : sequence of str
        What the rows are called: kick, snare, hihat, toms or cymbals; others become claps.
    times : np.ndarray [shape=(time,)]
        Of the frames, in seconds, evenly apart.
    threshold : float or mapping of str to float
        How high a hit must be, in shares of a loud one: lower finds more hits, and more that are
        none. Parts that a mapping leaves out have 0.125.
    apart : float
        Seconds within which only the highest of a part's peaks is a hit.
    fading : float
        Seconds in which what a peak leaves falls to 1/e; 0 leaves nothing.

    Returns
    -------
    tuple of Note
        By onset, then pitch, on channel 9; `track` is the part. The velocity is the root of the
        peak's share of the part's highest.

    Raises
    ------
    ShapeError
        The salience does not fit the parts or the times.
    ParameterError
        A setting is out of range, the salience is negative, NaN or infinite, or the times are not
        evenly apart.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> kick = np.array([0, 9, 4, 2, 1, 0, 0, 0, 5, 2, 1, 0.0])
    >>> for note in na.symbolic.pick_hits(kick[None], ["kick"], np.arange(12) * 0.1):
    ...     print(f"{note.track} {note.pitch} at {note.onset:.2f} s, {note.velocity:.2f}")
    kick 36 at 0.13 s, 1.00
    kick 36 at 0.83 s, 0.74
    """
    if salience.shape != (len(parts), len(times)):
        raise ShapeError(
            f"salience has shape {salience.shape}; {len(parts)} parts and {len(times)} times need "
            f"{(len(parts), len(times))}"
        )
    step = frame_step(salience, times)
    near = max(1, round(as_number(apart, "apart", low=0) / step))
    left = np.exp(-step / fading) if as_number(fading, "fading", low=0) else 0.0
    notes = []
    for part, level in zip(parts, salience.astype(np.float64), strict=True):
        least = as_number(share_of(threshold, part), f"threshold of {part}", low=0)
        frames, heights = _peaks(_fresh(level, left), near)
        heard = heights >= least * _loud(heights)
        notes += [
            Note(
                when := _centre(level, times, frame),
                when + _LENGTH,
                drum_pitch(part),
                float(np.sqrt(height / heights.max())),
                track=part,
                channel=DRUM_CHANNEL,
            )
            for frame, height in zip(frames[heard], heights[heard], strict=True)
        ]
    return tuple(sorted(notes, key=lambda note: (note.onset, note.pitch)))


def share_of(threshold: float | Mapping[str, float], part: str) -> float:
    """The threshold of a part."""
    return threshold.get(part, THRESHOLD) if isinstance(threshold, Mapping) else threshold


def _fresh(level: np.ndarray, left: float) -> np.ndarray:
    """How far a level is above what its earlier peaks leave, by that factor from frame to frame."""
    fresh = np.empty_like(level)
    floor = 0.0
    for t, now in enumerate(level):
        fresh[t] = max(now - floor, 0.0)
        floor = max(now, floor) * left
    return fresh


def _peaks(fresh: np.ndarray, near: int) -> tuple[np.ndarray, np.ndarray]:
    """The frames that nothing within so many exceeds, the first of equals, and their heights."""
    from scipy.ndimage import maximum_filter1d

    highest = maximum_filter1d(fresh, 2 * near + 1, mode="constant")
    frames: list[int] = []
    for frame in np.flatnonzero((fresh == highest) & (fresh > 0)):
        if not frames or frame > frames[-1] + near:  # of equal ones the first
            frames.append(int(frame))
    return np.array(frames, int), fresh[frames]


def _loud(heights: np.ndarray) -> float:
    """About how high a loud hit is; see `pick_hits`."""
    shares = heights / heights.max(initial=np.finfo(float).tiny)
    squares = float((shares**2).sum())
    return float((shares**3).sum() * heights.max(initial=0.0) / squares) if squares else 0.0


def _centre(level: np.ndarray, times: np.ndarray, frame: int) -> float:
    """When a peak is, between the times of its frames."""
    nearby = slice(max(0, frame - 1), frame + 2)
    return float(np.average(times[nearby], weights=level[nearby]))
