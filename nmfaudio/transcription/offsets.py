"""How long notes last: in which frames a pitch sounds, from its salience."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from nmfaudio._common.validation import as_number, frame_step
from nmfaudio.errors import ParameterError

_FLOOR = 1e-10  # of the largest salience


def hysteresis(values: np.ndarray, *, high: float, low: float) -> np.ndarray:
    """The stretches that stay above `low` and somewhere exceed `high`.

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
        raise ParameterError(f"low is {low:g}, above high, {high:g}; it must be the lower one")
    along = np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]])
    stretches, count = label(values > low, structure=along)
    kept = np.zeros(count + 1, bool)
    kept[stretches[values > high]] = True
    kept[0] = False
    return np.asarray(kept[stretches])


def smooth_activity(
    values: np.ndarray,
    times: np.ndarray,
    threshold: float | np.ndarray,
    *,
    length: float = 0.2,
    slope: float = 1.0,
) -> np.ndarray:
    """Whether each pitch sounds, as the likeliest path of a hidden Markov model of two states.

    A frame whose salience is x speaks for *sounding* with log odds ``slope · log(x / threshold)``,
    and states last `length` on average; the path is Viterbi's.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    threshold : float or np.ndarray [shape=(time,) or (pitch, 1)]
        > 0: the salience at which both states are as likely.
    length : float
        Seconds; longer ones bridge more gaps and drop more flickers.
    slope : float
        How much a factor of e in salience says.

    Returns
    -------
    np.ndarray [shape=(pitch, time)]
        bool.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not fit, or are out of range.

    References
    ----------
    G. E. Poliner, D. P. W. Ellis, "A discriminative model for polyphonic piano transcription",
    EURASIP Journal on Advances in Signal Processing, 2007, doi:10.1155/2007/48317.

    Examples
    --------
    A gap of one frame is bridged, a flicker is not believed:

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
    change = min(0.5, step / as_number(length, "length", above=0))
    # A state that may last but one frame costs nothing to leave.
    cost = float(np.log((1 - change) / change)) if change < 0.5 else 0.0
    level = np.maximum(values.astype(np.float64), _FLOOR * max(float(values.max()), 1e-300))
    return _likeliest(slope * np.log(level / threshold), cost)


def recent_level(values: np.ndarray, times: np.ndarray, *, sustain: float = 0.3) -> np.ndarray:
    """The highest salience of each pitch so far, where what is past fades.

    A string that rings dies away slowly, one that is damped at once: salience stays near this
    level while a key is held, and drops below when it is let go.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    sustain : float
        Seconds in which what is past falls to 1/e, above 0.

    Returns
    -------
    np.ndarray [shape=(pitch, time)]
        Of the dtype of `values`.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not fit, or are out of range.

    Examples
    --------
    >>> import numpy as np
    >>> recent_level(np.array([[4.0, 0, 9, 0]]), np.arange(4) * 0.1, sustain=0.1).round(2).tolist()
    [[4.0, 1.47, 9.0, 3.31]]
    """
    left = np.exp(-frame_step(values, times) / as_number(sustain, "sustain", above=0))
    levels = values.T.copy()  # in which the pitches of a frame lie next to each other
    for before, level in itertools.pairwise(levels):
        np.maximum(level, before * left, out=level)
    return levels.T.copy()


def _likeliest(odds: np.ndarray, cost: float) -> np.ndarray:
    """The path of states with the most log odds, of which each change costs."""
    # By how much the best path that ends in state 1 is ahead of that in state 0, (time, pitch).
    ahead = odds.T.copy()
    for before, now in itertools.pairwise(ahead):
        now += np.minimum(np.maximum(before, -cost), cost)
    path = np.empty(ahead.shape, bool)
    path[-1] = ahead[-1] > 0
    stays, comes = ahead >= -cost, ahead > cost
    for t in range(len(path) - 1, 0, -1):
        path[t - 1] = np.where(path[t], stays[t - 1], comes[t - 1])
    return path.T.copy()


def find_offsets(
    active: np.ndarray, times: np.ndarray, onsets: Sequence[tuple[int, int]]
) -> list[float]:
    """When each note ends: its pitch falls silent or begins again, or the recording ends.

    Parameters
    ----------
    active : np.ndarray [shape=(pitch, time)]
        bool: whether each pitch sounds.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    onsets : sequence of tuple of int
        Row and frame of each, by row, then frame.

    Returns
    -------
    list of float
        Seconds, one for each onset; a note that is not active where it begins, or in the frame
        after, ends one frame after it began.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> active = np.array([[1, 1, 1, 0, 1, 1]], bool)
    >>> find_offsets(active, np.arange(6) * 0.5, [(0, 0), (0, 4)])
    [1.5, 3.0]
    """
    step = frame_step(active, times)
    ends = []
    for n, (row, frame) in enumerate(onsets):
        following = onsets[n + 1] if n + 1 < len(onsets) else (row + 1, 0)
        last = following[1] if following[0] == row else active.shape[1]
        begun = frame if active[row, frame] else min(frame + 1, active.shape[1] - 1)
        silent = np.flatnonzero(~active[row, begun:last])
        end = begun + int(silent[0]) if len(silent) else last
        ends.append(float(times[0]) + max(end, frame + 1) * step)
    return ends
