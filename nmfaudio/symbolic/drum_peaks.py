"""Peak picking: from the salience of the parts of a drum kit to their hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nmfaudio._common.validation import as_number, frame_step
from nmfaudio.errors import ShapeError
from nmfaudio.symbolic.names import drum_note
from nmfaudio.symbolic.note import Note

THRESHOLD = 0.06
"""Default threshold, relative to the height of a loud hit."""
_MIN_INTERVAL = 0.05  # s
_DECAY = 0.1  # s


def pick_hits(
    salience: np.ndarray,
    parts: Sequence[str],
    times: np.ndarray,
    *,
    threshold: float | Mapping[str, float] = THRESHOLD,
    min_interval: float = _MIN_INTERVAL,
    decay: float = _DECAY,
) -> tuple[Note, ...]:
    """Pick the hits of each part of a drum kit from its salience, as General MIDI notes.

    The height of a peak is counted from the exponentially decaying remainder of earlier peaks. A
    peak is a hit if it is the highest nearby and exceeds a share of the height of a loud hit of its
    part. That height is estimated by ``Σ h³ / Σ h²`` over the heights h of all peaks, which many
    small peaks hardly change. The time of a hit is the centroid of the salience at the peak and in
    the adjacent frames.

    Parameters
    ----------
    salience : np.ndarray [shape=(part, time)]
        ≥ 0, in any unit: activations, or the output of a network.
    parts : sequence of str
        Names of the rows: kick, snare, hihat, toms, cymbals, or a kind of these: closed_hihat,
        open_hihat, crash, ride. Others become claps.
    times : np.ndarray [shape=(time,)]
        Times of the frames in seconds, evenly spaced.
    threshold : float or mapping of str to float
        Minimum height of a hit, relative to a loud one: a lower threshold detects more hits, and
        more false ones. Parts that are missing from a mapping have 0.06.
    min_interval : float
        Seconds within which only the highest of a part's peaks is a hit.
    decay : float
        Seconds in which the remainder of a peak falls to 1/e; 0 leaves none.

    Returns
    -------
    tuple of Note
        Sorted by onset, then pitch, on channel 9; `track` is the part. The velocity is the square
        root of the height in shares of the part's highest.

    Raises
    ------
    ShapeError
        The salience does not fit the parts or the times.
    ParameterError
        A setting is out of range, the salience is negative, NaN or infinite, or the times are not
        evenly spaced.

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
            f"salience has shape {salience.shape}; for {len(parts)} parts and {len(times)} times "
            f"it must be {(len(parts), len(times))}"
        )
    step = frame_step(salience, times)
    reach = max(1, round(as_number(min_interval, "min_interval", low=0) / step))
    factor = np.exp(-step / decay) if as_number(decay, "decay", low=0) else 0.0
    notes = []
    for part, level in zip(parts, salience.astype(np.float64), strict=True):
        share = as_number(threshold_of(threshold, part), f"threshold of {part}", low=0)
        frames, heights = _peaks(_above_remainder(level, factor), reach)
        hits = heights >= share * _loud_height(heights)
        notes += [
            drum_note(part, _centroid(level, times, frame), float(np.sqrt(height / heights.max())))
            for frame, height in zip(frames[hits], heights[hits], strict=True)
        ]
    return tuple(sorted(notes, key=lambda note: (note.onset, note.pitch)))


def relative_heights(
    level: np.ndarray, times: np.ndarray, first: np.ndarray, last: np.ndarray
) -> np.ndarray:
    """Return the height of the highest peak of a part in each interval, as `pick_hits` counts it.

    Parameters
    ----------
    level : np.ndarray [shape=(time,)]
        Salience of one part.
    times : np.ndarray [shape=(time,)]
        Times of the frames in seconds, evenly spaced.
    first, last : np.ndarray [shape=(interval,)]
        Frames from which and before which an interval extends.

    Returns
    -------
    np.ndarray [shape=(interval,)]
        In shares of a loud hit of the part.
    """
    step = float(times[1] - times[0])
    above = _above_remainder(level.astype(np.float64), float(np.exp(-step / _DECAY)))
    _, heights = _peaks(above, max(1, round(_MIN_INTERVAL / step)))
    loud = max(_loud_height(heights), float(np.finfo(np.float64).tiny))
    found = [above[begin:end].max(initial=0.0) for begin, end in zip(first, last, strict=True)]
    return np.array(found) / loud


def threshold_of(threshold: float | Mapping[str, float], part: str) -> float:
    """Return the threshold of a part.

    Parameters
    ----------
    threshold : float or mapping of str to float
    part : str

    Returns
    -------
    float
        The default where a mapping lacks the part.
    """
    return threshold.get(part, THRESHOLD) if isinstance(threshold, Mapping) else threshold


def _above_remainder(level: np.ndarray, factor: float) -> np.ndarray:
    """Level above the remainder of earlier peaks, which decays by a factor per frame."""
    above = np.empty_like(level)
    remainder = 0.0
    for t, value in enumerate(level):
        above[t] = max(value - remainder, 0.0)
        remainder = max(value, remainder) * factor
    return above


def _peaks(level: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames that none within `reach` exceeds, the first of equal ones, and their heights."""
    from scipy.ndimage import maximum_filter1d

    highest = maximum_filter1d(level, 2 * reach + 1, mode="constant")
    frames: list[int] = []
    for frame in np.flatnonzero((level == highest) & (level > 0)):
        if not frames or frame > frames[-1] + reach:  # of a plateau only the first frame
            frames.append(int(frame))
    return np.array(frames, int), level[frames]


def _loud_height(heights: np.ndarray) -> float:
    """Estimated height of a loud hit, Σ h³ / Σ h²."""
    # In shares of the highest, whose cubes can neither over- nor underflow.
    shares = heights / heights.max(initial=np.finfo(float).tiny)
    squares = float((shares**2).sum())
    return float((shares**3).sum() * heights.max(initial=0.0) / squares) if squares else 0.0


def _centroid(level: np.ndarray, times: np.ndarray, frame: int) -> float:
    """Time of a peak, interpolated between frames."""
    nearby = slice(max(0, frame - 1), frame + 2)
    return float(np.average(times[nearby], weights=level[nearby]))
