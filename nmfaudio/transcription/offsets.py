"""Activity of pitches over time, by hysteresis or a hidden Markov model, and note offsets."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from nmfaudio._common.validation import as_number, frame_step
from nmfaudio.errors import ParameterError
from nmfaudio.kernels.activity import decaying_maximum, likeliest_states

_SILENT = 0.02  # a note ends at this share of its peak (−34 dB), however slowly it decays
_FLOOR = 1e-10  # lower bound of salience in the logarithm, relative to the maximum


def hysteresis(values: np.ndarray, *, high: float, low: float) -> np.ndarray:
    """Find the runs of frames that stay above `low` and exceed `high` at least once.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    high, low : float
        In units of `values`, 0 ≤ low ≤ high.

    Returns
    -------
    np.ndarray [shape=(pitch, time)]
        bool.

    Raises
    ------
    ParameterError
        The thresholds are out of range.

    Examples
    --------
    >>> import numpy as np
    >>> hysteresis(np.array([[0.0, 2, 5, 2, 0, 2, 2]]), high=4, low=1).astype(int).tolist()
    [[0, 1, 1, 1, 0, 0, 0]]
    """
    from scipy.ndimage import label

    if as_number(low, "low", low=0) > as_number(high, "high", low=0):
        raise ParameterError(f"low is {low:g} and high {high:g}; low must not exceed high")
    within_rows = np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]])  # neighbours in time only
    runs, count = label(values > low, structure=within_rows)  # 0 is the background
    active = np.zeros(count + 1, bool)
    active[runs[values > high]] = True
    active[0] = False
    return np.asarray(active[runs])


def smooth_activity(
    values: np.ndarray,
    times: np.ndarray,
    threshold: float | np.ndarray,
    *,
    length: float = 0.2,
    slope: float = 1.0,
) -> np.ndarray:
    """Decide in which frames each pitch is active, with a hidden Markov model of two states.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    threshold : float or np.ndarray [shape=(time,) or (pitch, 1)]
        Salience at which both states are equally likely, > 0.
    length : float
        Mean duration of a state in seconds; longer ones bridge longer gaps and drop longer
        spurious activity.
    slope : float
        Change of the log odds by a factor of e in salience.

    Returns
    -------
    np.ndarray [shape=(pitch, time)]
        bool.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not match, or are out of range.

    Notes
    -----
    A frame with salience x is evidence for *active* with log odds ``slope · log(x / threshold)``.
    A state ends in each frame with probability ``p = step / length``, so that its duration is
    geometrically distributed with mean `length`. The result is the most likely path (Viterbi).

    References
    ----------
    G. E. Poliner, D. P. W. Ellis, "A discriminative model for polyphonic piano transcription",
    EURASIP Journal on Advances in Signal Processing, 2007, doi:10.1155/2007/48317.

    Examples
    --------
    A gap of one frame is bridged, a spurious frame is dropped:

    >>> import numpy as np
    >>> x = np.array([[9.0, 9, 9, 0.3, 9, 9, 0.1, 0.1, 0.1, 2.0, 0.1, 0.1]])
    >>> smooth_activity(x, np.arange(12) * 0.02, 1.0).astype(int).tolist()
    [[1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]]
    """
    step = frame_step(values, times)
    as_number(slope, "slope", above=0)
    if not (np.asarray(threshold) > 0).all():
        raise ParameterError("threshold has values that are not above 0; all must be")
    if not values.size:
        return np.zeros(values.shape, bool)
    p = min(0.5, step / as_number(length, "length", above=0))
    # Log odds of staying against changing: 0 for states that last one frame on average.
    cost = float(np.log((1 - p) / p)) if p < 0.5 else 0.0
    level = np.maximum(values.astype(np.float64), _FLOOR * max(float(values.max()), 1e-300))
    return likeliest_states(slope * np.log(level / threshold), cost)


def recent_level(values: np.ndarray, times: np.ndarray, *, sustain: float = 0.3) -> np.ndarray:
    """Compute the peak level of each pitch, a maximum that decays exponentially.

    A string that rings decays slowly, a damped one at once: salience stays near this level while
    a key is down, and drops below it when the key is released.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    sustain : float
        Time constant of the decay in seconds, above 0.

    Returns
    -------
    np.ndarray [shape=(pitch, time)]
        Of the dtype of `values`: ``max(values[t], exp(−step / sustain) · level[t − 1])``.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not match, or are out of range.

    Examples
    --------
    >>> import numpy as np
    >>> recent_level(np.array([[4.0, 0, 9, 0]]), np.arange(4) * 0.1, sustain=0.1).round(2).tolist()
    [[4.0, 1.47, 9.0, 3.31]]
    """
    decay = np.exp(-frame_step(values, times) / as_number(sustain, "sustain", above=0))
    return decaying_maximum(np.ascontiguousarray(values), decay)


def find_offsets(
    active: np.ndarray, times: np.ndarray, onsets: Sequence[tuple[int, int]]
) -> list[float]:
    """Find the end of each note: its pitch becomes inactive, begins again, or the recording ends.

    Parameters
    ----------
    active : np.ndarray [shape=(pitch, time)]
        bool: whether each pitch is active.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    onsets : sequence of tuple of int
        Row and frame of each onset, by row, then frame.

    Returns
    -------
    list of float
        Seconds, one for each onset. A note that is inactive both in the frame of its onset and in
        the next one ends one frame after its onset.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not match.

    Examples
    --------
    >>> import numpy as np
    >>> active = np.array([[1, 1, 1, 0, 1, 1]], bool)
    >>> find_offsets(active, np.arange(6) * 0.5, [(0, 0), (0, 4)])
    [1.5, 3.0]
    """
    step = frame_step(active, times)
    offsets = []
    for n, (row, frame) in enumerate(onsets):
        following = onsets[n + 1] if n + 1 < len(onsets) else (row + 1, 0)
        last = following[1] if following[0] == row else active.shape[1]
        first = frame if active[row, frame] else min(frame + 1, active.shape[1] - 1)
        inactive = np.flatnonzero(~active[row, first:last])
        end = first + int(inactive[0]) if len(inactive) else last
        offsets.append(float(times[0]) + max(end, frame + 1) * step)
    return offsets


def note_offsets(
    values: np.ndarray,
    times: np.ndarray,
    onsets: Sequence[tuple[int, int]],
    peaks: Sequence[int],
    *,
    release: float,
    sustain: float,
    damping: float,
    smoothing: str,
    hold: float,
    shortest: float,
) -> list[float]:
    """Find the end of the activity of each note, one pitch at a time to save memory.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    onsets : sequence of tuple of int
        Row and frame of each onset, by row, then frame.
    peaks : sequence of int
        Frame of the peak, for each onset.
    release, sustain, damping, smoothing, hold, shortest
        Settings of a `Decoding`.

    Returns
    -------
    list of float
        Offset of each note in seconds.
    """
    ends: list[float] = []
    both = zip(onsets, peaks, strict=True)
    for row, notes in itertools.groupby(both, key=lambda note: note[0][0]):
        frames = [(frame, peak) for (_, frame), peak in notes]
        shares = _shares(values[[row]], times, frames, sustain)
        if smoothing == "hmm":
            active = smooth_activity(shares, times, release, length=hold)
        else:
            # The upper threshold is halfway between `release` and the recent level.
            active = hysteresis(shares, high=(1 + release) / 2, low=release)
        ends += find_offsets(active, times, [(0, frame) for frame, _ in frames])
    earliest = [float(times[frame]) + shortest for _, frame in onsets]
    # Subtracting `damping` shortens no note to less than `shortest`. Notes that are shorter
    # already keep their end, and the caller drops them.
    return [
        end if end < first else max(end - damping, first)
        for end, first in zip(ends, earliest, strict=True)
    ]


def _shares(
    values: np.ndarray, times: np.ndarray, notes: Sequence[tuple[int, int]], sustain: float
) -> np.ndarray:
    """Salience of a pitch (1, time) relative to its recent level, given its onsets and peaks."""
    recent = recent_level(values, times, sustain=sustain)
    # From 0 to 1.
    shares: np.ndarray = np.divide(values, recent, out=np.zeros(values.shape), where=recent > 0)
    silent = np.zeros_like(values)  # level at which the loudest note so far has ended
    for frame, peak in notes:
        silent[0, frame] = _SILENT * values[0, peak]
    shares[values < np.maximum.accumulate(silent, axis=1)] = 0
    for frame, peak in notes:
        shares[0, frame:peak] = 1  # a note cannot be released before its peak
    return shares
