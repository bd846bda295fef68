"""Peak picking: hits of a drum kit from the salience of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nmfaudio._common.validation import as_number, frame_step
from nmfaudio.errors import ShapeError
from nmfaudio.symbolic.names import DRUM_CHANNEL, drum_pitch
from nmfaudio.symbolic.note import Note

THRESHOLD = 0.125
"""Height that a hit needs, as a share of a strong hit of the same part."""
_LENGTH = 0.1  # s: nominal length of a hit as a note


def pick_hits(
    salience: np.ndarray,
    parts: Sequence[str],
    times: np.ndarray,
    *,
    threshold: float | Mapping[str, float] = THRESHOLD,
    apart: float = 0.05,
    fading: float = 0.1,
) -> tuple[Note, ...]:
    """Pick the hits of a drum kit from the salience of its parts.

    Parameters
    ----------
    salience : np.ndarray [shape=(part, time)]
        Non-negative, in any unit: activations, or the output of a network.
    parts : sequence of str
        Names of the rows: kick, snare, hihat, toms or cymbals. Other names become hand claps.
    times : np.ndarray [shape=(time,)]
        Frame times in seconds, evenly spaced.
    threshold : float or mapping of str to float
        Height that a hit needs, as a share of a strong hit of the part. Lower values find more
        hits, and more false ones. Parts missing from a mapping have 0.125.
    apart : float
        Seconds within which only the highest peak of a part is a hit.
    fading : float
        Time constant in seconds with which the trace of a peak decays; 0 disables traces.

    Returns
    -------
    tuple of Note
        General MIDI drums on channel 9, sorted by onset, then pitch; `track` is the part. The
        velocity is the square root of the height relative to the highest peak of the part.

    Raises
    ------
    ShapeError
        The salience does not fit the parts or the times.
    ParameterError
        A setting is out of range, the salience is negative, NaN or infinite, or the times are not
        evenly spaced.

    Notes
    -----
    Each peak leaves a decaying trace; only the salience above the traces of earlier peaks counts.
    A peak is a hit if it is the highest nearby and high enough compared with a strong hit of the
    part. The height of a strong hit is estimated as ``Σ h³ / Σ h²`` over the heights h of all
    peaks, which stays near the highest ones however many small peaks are noise. The time of a hit
    is the centre of gravity of the salience over the peak and its two neighbours.

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
    radius = max(1, round(as_number(apart, "apart", low=0) / step))
    decay = np.exp(-step / fading) if as_number(fading, "fading", low=0) else 0.0
    notes = []
    for part, level in zip(parts, salience.astype(np.float64), strict=True):
        share = as_number(share_of(threshold, part), f"threshold of {part}", low=0)
        frames, heights = _peaks(_above_traces(level, decay), radius)
        is_hit = heights >= share * _strong(heights)
        notes += [
            Note(
                onset := _centre(level, times, frame),
                onset + _LENGTH,
                drum_pitch(part),
                float(np.sqrt(height / heights.max())),
                track=part,
                channel=DRUM_CHANNEL,
            )
            for frame, height in zip(frames[is_hit], heights[is_hit], strict=True)
        ]
    return tuple(sorted(notes, key=lambda note: (note.onset, note.pitch)))


def share_of(threshold: float | Mapping[str, float], part: str) -> float:
    """Threshold of a part."""
    return threshold.get(part, THRESHOLD) if isinstance(threshold, Mapping) else threshold


def _above_traces(level: np.ndarray, decay: float) -> np.ndarray:
    """Level above the traces of earlier frames, which decay by a factor from frame to frame."""
    excess = np.empty_like(level)
    trace = 0.0
    for t, value in enumerate(level):
        excess[t] = max(value - trace, 0.0)
        trace = max(value, trace) * decay
    return excess


def _peaks(excess: np.ndarray, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames that are the highest within a radius in frames, and their heights."""
    from scipy.ndimage import maximum_filter1d

    highest = maximum_filter1d(excess, 2 * radius + 1, mode="constant")
    frames: list[int] = []
    for frame in np.flatnonzero((excess == highest) & (excess > 0)):
        if not frames or frame > frames[-1] + radius:  # the first of equal ones
            frames.append(int(frame))
    return np.array(frames, int), excess[frames]


def _strong(heights: np.ndarray) -> float:
    """Estimated height of a strong hit, ``Σ h³ / Σ h²``; see `pick_hits`."""
    # Relative heights: their cubes neither overflow nor underflow.
    shares = heights / heights.max(initial=np.finfo(float).tiny)
    squares = float((shares**2).sum())
    return float((shares**3).sum() * heights.max(initial=0.0) / squares) if squares else 0.0


def _centre(level: np.ndarray, times: np.ndarray, frame: int) -> float:
    """Centre of gravity in seconds of a peak and its two neighbours."""
    nearby = slice(max(0, frame - 1), frame + 2)
    return float(np.average(times[nearby], weights=level[nearby]))
