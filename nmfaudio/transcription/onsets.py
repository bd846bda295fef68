"""When notes begin: the rise of salience, and which of its peaks count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmfaudio._common.validation import as_number, frame_step
from nmfaudio.errors import ParameterError, ShapeError

HARMONIC_INTERVALS = (12, 19, 24, 28, 31, 34, 36)
"""Semitones from a pitch to those of its partials 2 to 8."""
_SAME = 0.25  # semitones within which a pitch is one of a partial
_TOGETHER = 0.03  # s within which a pitch and its ghosts begin


def onset_strength(values: np.ndarray, times: np.ndarray, *, rise: float = 0.07) -> np.ndarray:
    """By how much the salience of each pitch rises around each frame.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0. Before the first frame it is taken to be 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    rise : float
        Seconds over which the rise is taken, centred.

    Returns
    -------
    np.ndarray [shape=(pitch, time)]
        ≥ 0, of the dtype of `values`.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not fit, or are out of range.

    Examples
    --------
    >>> import numpy as np
    >>> onset_strength(np.array([[0.0, 0, 0, 4, 3, 2, 1]]), np.arange(7) * 0.02, rise=0.04).tolist()
    [[0.0, 0.0, 4.0, 3.0, 0.0, 0.0, 0.0]]
    """
    step = frame_step(values, times)
    lag = max(1, round(as_number(rise, "rise", above=0) / step))
    ahead, count = lag // 2, values.shape[1]
    after = np.pad(np.pad(values, ((0, 0), (lag, 0))), ((0, 0), (0, ahead)), mode="edge")
    strength: np.ndarray = after[:, lag + ahead :] - after[:, ahead : ahead + count]
    return strength.clip(0)


def suppress_ghosts(
    strength: np.ndarray,
    pitches: Sequence[float] | np.ndarray,
    times: np.ndarray,
    *,
    share: float = 0.2,
    intervals: Sequence[float] = HARMONIC_INTERVALS,
) -> np.ndarray:
    """Take from each pitch what the partials of a lower one, begun together, put there.

    Parameters
    ----------
    strength : np.ndarray [shape=(pitch, time)]
        Onset strength, ≥ 0.
    pitches : sequence of float [shape=(pitch,)]
        MIDI numbers, each once.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    share : float
        How much of the lower pitch's strength, at its highest within 30 ms, is taken.
    intervals : sequence of float
        Semitones from the lower pitch to its ghosts.

    Returns
    -------
    np.ndarray [shape=(pitch, time)]
        ≥ 0.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not fit, or are out of range.

    Examples
    --------
    An octave is played at 0.2 s. At 0 s its upper note is but a ghost:

    >>> import numpy as np
    >>> strength = np.array([[5.0, 0, 5.0], [1.0, 0, 4.0]])
    >>> suppress_ghosts(strength, [60, 72], [0.0, 0.1, 0.2]).tolist()
    [[5.0, 0.0, 5.0], [0.0, 0.0, 3.0]]
    """
    from scipy.ndimage import maximum_filter1d

    step = frame_step(strength, times)
    as_number(share, "share", low=0)
    if len(pitches) != len(strength):
        raise ShapeError(f"there are {len(pitches)} pitches for {len(strength)} rows of strength")
    if not strength.size:
        return strength.copy()
    near = maximum_filter1d(strength, 2 * int(_TOGETHER / step) + 1, axis=1, mode="constant")
    keys = np.asarray(pitches, np.float64)
    left = strength.copy()
    for n, key in enumerate(keys):
        far = np.abs(key - keys[:, None] - np.asarray(intervals)).min(axis=1, initial=np.inf)
        lower = far < _SAME
        if lower.any():
            left[n] = np.maximum(strength[n] - share * near[lower].max(axis=0), 0)
    return left


def adaptive_threshold(
    strength: np.ndarray,
    times: np.ndarray,
    threshold: float,
    *,
    balance: float = 0.35,
    window: float = 0.4,
) -> np.ndarray:
    """How strong an onset has to be, frame by frame.

    That is ``threshold · global^balance · local^(1 − balance)``: of the strongest onset of all and
    of the strongest nearby, whatever their pitches. Soft passages keep their notes, and what sounds
    along with a loud note has to be louder.

    Parameters
    ----------
    strength : np.ndarray [shape=(pitch, time)]
        Onset strength, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    threshold : float
        > 0. At 0.1 an onset may be 20 dB weaker.
    balance : float
        From 0, only what is near counts, to 1, one threshold for all.
    window : float
        Seconds that are near, before and after together.

    Returns
    -------
    np.ndarray [shape=(time,)]
        float64.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not fit, or are out of range.

    Examples
    --------
    >>> import numpy as np
    >>> strength, times = np.array([[8.0, 0, 0, 2.0]]), np.arange(4) * 1.0
    >>> adaptive_threshold(strength, times, 0.5, balance=0.5).round(3).tolist()
    [4.0, 0.0, 0.0, 2.0]
    """
    from scipy.ndimage import maximum_filter1d

    step = frame_step(strength, times)
    as_number(threshold, "threshold", above=0)
    as_number(window, "window", low=0)
    if not 0 <= as_number(balance, "balance") <= 1:
        raise ParameterError(f"balance is {balance!r}; it must be from 0 to 1")
    if not strength.size:
        return np.zeros(strength.shape[1])
    loudest = strength.max(axis=0).astype(np.float64)
    width = 2 * int(window / 2 / step) + 1
    local = maximum_filter1d(loudest, width, mode="constant")
    result: np.ndarray = threshold * loudest.max() ** balance * local ** (1 - balance)
    return result


def find_onsets(
    strength: np.ndarray,
    times: np.ndarray,
    threshold: float | np.ndarray,
    *,
    gap: float = 0.06,
) -> list[tuple[int, int]]:
    """The peaks of onset strength above a threshold.

    Parameters
    ----------
    strength : np.ndarray [shape=(pitch, time)]
        ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    threshold : float or np.ndarray [shape=(time,) or (pitch, 1) or (pitch, time)]
        What a peak has to exceed: for all, per frame, or per pitch.
    gap : float
        Seconds between two onsets of a pitch at least; the stronger one is kept, the earlier of
        equals.

    Returns
    -------
    list of tuple of int
        Row and frame of each, by row, then frame.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not fit, or are out of range.

    Examples
    --------
    >>> import numpy as np
    >>> find_onsets(np.array([[0, 3, 2, 0, 9, 1], [0, 0, 1, 0, 0, 0]]), np.arange(6) * 0.02, 1.0,
    ...             gap=0.04)
    [(0, 1), (0, 4)]
    """
    step = frame_step(strength, times)
    apart = max(1, round(as_number(gap, "gap", low=0) / step))
    try:
        needed = np.broadcast_to(threshold, strength.shape)
    except ValueError:
        raise ShapeError(
            f"threshold has shape {np.shape(threshold)}, which does not broadcast to the shape "
            f"{strength.shape} of strength"
        ) from None
    above = (strength > needed) & (strength > 0)
    found = []
    for row in np.flatnonzero(above.any(axis=1)):
        frames = np.flatnonzero(above[row])
        taken: list[int] = []
        for frame in frames[np.argsort(-strength[row, frames], kind="stable")]:
            if _peaks(strength[row], frame) and all(abs(frame - t) >= apart for t in taken):
                taken.append(int(frame))
        found += [(int(row), frame) for frame in sorted(taken)]
    return found


def place_onsets(
    values: np.ndarray,
    times: np.ndarray,
    onsets: Sequence[tuple[int, int]],
    *,
    rise: float = 0.07,
) -> list[tuple[int, int]]:
    """Move each onset to the frame at which salience rises most, of those that it was found by.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    onsets : sequence of tuple of int
        Row and frame of each.
    rise : float
        Seconds, as for `onset_strength`.

    Returns
    -------
    list of tuple of int
        By row, then frame; onsets that meet are one.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not fit, or are out of range.

    Examples
    --------
    >>> import numpy as np
    >>> place_onsets(np.array([[0.0, 0, 0, 1, 9, 8, 7]]), np.arange(7) * 0.02, [(0, 3)])
    [(0, 4)]
    """
    lag = max(1, round(as_number(rise, "rise", above=0) / frame_step(values, times)))
    steps = np.diff(values, axis=1, prepend=0)
    placed = set()
    for row, frame in onsets:
        first = max(0, frame + lag // 2 - lag + 1)
        placed.add((row, first + int(np.argmax(steps[row, first : frame + lag // 2 + 1]))))
    return sorted(placed)


def _peaks(curve: np.ndarray, frame: int) -> bool:
    """Whether a frame is no lower than its neighbours, and higher than the one before."""
    before = curve[frame - 1] if frame else 0
    after = curve[frame + 1] if frame + 1 < len(curve) else 0
    return bool(curve[frame] > before and curve[frame] >= after)
