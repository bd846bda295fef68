"""Onset functions of salience, adaptive thresholds, and peak picking."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from nmfaudio._common.validation import as_number, frame_step
from nmfaudio.errors import ParameterError, ShapeError

HARMONIC_INTERVALS = (12, 19, 24, 28, 31, 34, 36)
"""Semitones from a pitch to those of its partials 2 to 8, ``round(12 · log2(n))``."""
_SAME_PITCH = 0.25  # largest deviation of a pitch from that of a partial, in semitones
_SIMULTANEOUS = 0.03  # largest delay in s between the onset of a pitch and those of its partials


def onset_strength(values: np.ndarray, times: np.ndarray, *, rise: float = 0.07) -> np.ndarray:
    """Compute the half-wave rectified difference of salience around each frame.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0. Before the first frame it is taken to be 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    rise : float
        Seconds over which the difference is taken, centred.

    Returns
    -------
    np.ndarray [shape=(pitch, time)]
        ≥ 0, of the dtype of `values`.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not match, or are out of range.

    Notes
    -----
    With s the salience and a lag of L frames, the strength is
    ``max(s[t + L // 2] − s[t + L // 2 − L], 0)``. It is the spectral difference of Bello et al.,
    for pitches instead of bins, over several frames: salience rises about as long as a window.

    References
    ----------
    J. P. Bello et al., "A tutorial on onset detection in music signals", IEEE TSAP 13(5), 2005,
    doi:10.1109/TSA.2005.851998.

    Examples
    --------
    >>> import numpy as np
    >>> onset_strength(np.array([[0.0, 0, 0, 4, 3, 2, 1]]), np.arange(7) * 0.02, rise=0.04).tolist()
    [[0.0, 0.0, 4.0, 3.0, 0.0, 0.0, 0.0]]
    """
    return rises(values, rise_frames(rise, frame_step(values, times)))


def rise_frames(rise: float, step: float) -> int:
    """Frames over which the difference of salience is taken, at least 1.

    Parameters
    ----------
    rise, step : float
        Seconds of the difference, and between frames.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        `rise` is not above 0.
    """
    return max(1, round(as_number(rise, "rise", above=0) / step))


def rises(values: np.ndarray, lag: int) -> np.ndarray:
    """Compute `onset_strength` for a lag in frames.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
    lag : int
        At least 1.

    Returns
    -------
    np.ndarray [shape=(pitch, time)]
        In frame t, of the frames from t + lag // 2 − lag to t + lag // 2.
    """
    ahead, n_frames = lag // 2, values.shape[1]
    # Silence before the first frame; after the last one its value is repeated.
    padded = np.pad(np.pad(values, ((0, 0), (lag, 0))), ((0, 0), (0, ahead)), mode="edge")
    strength: np.ndarray = padded[:, lag + ahead :] - padded[:, ahead : ahead + n_frames]
    return strength.clip(0)


def suppress_ghosts(
    strength: np.ndarray,
    pitches: Sequence[float] | np.ndarray,
    times: np.ndarray,
    *,
    share: float = 0.2,
    intervals: Sequence[float] = HARMONIC_INTERVALS,
) -> np.ndarray:
    """Subtract from each pitch the onset strength due to partials of simultaneous lower pitches.

    Parameters
    ----------
    strength : np.ndarray [shape=(pitch, time)]
        Onset strength, ≥ 0.
    pitches : sequence of float [shape=(pitch,)]
        MIDI numbers, each once.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    share : float
        Share of the lower pitch's strength that is subtracted, at its highest within 30 ms.
    intervals : sequence of float
        Semitones from the lower pitch to its ghosts.

    Returns
    -------
    np.ndarray [shape=(pitch, time)]
        ≥ 0.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not match, or are out of range.

    Examples
    --------
    An octave is played at 0.2 s. At 0 s its upper note is only a ghost:

    >>> import numpy as np
    >>> strength = np.array([[5.0, 0, 5.0], [1.0, 0, 4.0]])
    >>> suppress_ghosts(strength, [60, 72], [0.0, 0.1, 0.2]).tolist()
    [[5.0, 0.0, 5.0], [0.0, 0.0, 3.0]]
    """
    reach = ghost_frames(frame_step(strength, times))
    as_number(share, "share", low=0)
    if len(pitches) != len(strength):
        raise ShapeError(
            f"got {len(pitches)} pitches for {len(strength)} rows of strength; pass one for each"
        )
    return without_ghosts(strength, pitches, reach, share=share, intervals=intervals)


def ghost_frames(step: float) -> int:
    """Frames between the onset of a pitch and those of its partials, at most.

    Parameters
    ----------
    step : float
        Seconds between frames.

    Returns
    -------
    int
    """
    return int(_SIMULTANEOUS / step)


def without_ghosts(
    strength: np.ndarray,
    pitches: Sequence[float] | np.ndarray,
    reach: int,
    *,
    share: float,
    intervals: Sequence[float] = HARMONIC_INTERVALS,
) -> np.ndarray:
    """Compute `suppress_ghosts` for a delay in frames.

    Parameters
    ----------
    strength : np.ndarray [shape=(pitch, time)]
    pitches : sequence of float [shape=(pitch,)]
    reach : int
        Largest delay.
    share : float
    intervals : sequence of float

    Returns
    -------
    np.ndarray [shape=(pitch, time)]
    """
    from scipy.ndimage import maximum_filter1d

    if not strength.size:
        return strength.copy()
    nearby = maximum_filter1d(strength, 2 * reach + 1, axis=1, mode="constant")
    keys = np.asarray(pitches, np.float64)
    result = strength.copy()
    for row, key in enumerate(keys):
        # Distance of the interval to each pitch from the nearest interval of a partial, in
        # semitones: (pitch, interval) to (pitch,).
        distance = np.abs(key - keys[:, None] - np.asarray(intervals)).min(axis=1, initial=np.inf)
        lower = distance < _SAME_PITCH
        if lower.any():
            # Of several lower pitches, the strongest counts.
            result[row] = np.maximum(strength[row] - share * nearby[lower].max(axis=0), 0)
    return result


def adaptive_threshold(
    strength: np.ndarray,
    times: np.ndarray,
    threshold: float,
    *,
    balance: float = 0.35,
    window: float = 0.4,
) -> np.ndarray:
    """Compute the threshold of onset strength for each frame.

    It is ``threshold · global^balance · local^(1 − balance)``, a weighted geometric mean of the
    global maximum and of the local maximum of onset strength over all pitches. So notes of soft
    passages are detected, and notes close to a loud one must be louder to be detected.

    Parameters
    ----------
    strength : np.ndarray [shape=(pitch, time)]
        Onset strength, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    threshold : float
        > 0. At 0.1 an onset may be 20 dB weaker.
    balance : float
        Weight of the global maximum: 0 is a purely local threshold, 1 a constant one.
    window : float
        Length of the neighbourhood in seconds, centred.

    Returns
    -------
    np.ndarray [shape=(time,)]
        float64.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not match, or are out of range.

    Examples
    --------
    >>> import numpy as np
    >>> strength, times = np.array([[8.0, 0, 0, 2.0]]), np.arange(4) * 1.0
    >>> adaptive_threshold(strength, times, 0.5, balance=0.5).round(3).tolist()
    [4.0, 0.0, 0.0, 2.0]
    """
    step = frame_step(strength, times)
    if not strength.size:
        return np.zeros(strength.shape[1])
    strongest = strength.max(axis=0)  # (time,)
    return threshold_of_strongest(strongest, step, threshold, balance=balance, window=window)


def threshold_of_strongest(
    strongest: np.ndarray, step: float, threshold: float, *, balance: float, window: float
) -> np.ndarray:
    """Compute `adaptive_threshold` from the largest onset strength of each frame.

    Parameters
    ----------
    strongest : np.ndarray [shape=(time,)]
    step : float
        Seconds between frames.
    threshold, balance, window : float

    Returns
    -------
    np.ndarray [shape=(time,)]

    Raises
    ------
    ParameterError
        A setting is out of range.
    """
    from scipy.ndimage import maximum_filter1d

    as_number(threshold, "threshold", above=0)
    as_number(window, "window", low=0)
    if not 0 <= as_number(balance, "balance") <= 1:
        raise ParameterError(f"balance is {balance!r}; it must be from 0 to 1")
    strongest = strongest.astype(np.float64)
    width = 2 * int(window / 2 / step) + 1
    local = maximum_filter1d(strongest, width, mode="constant")
    reference: np.ndarray = strongest.max() ** balance * local ** (1 - balance)
    with np.errstate(over="ignore"):  # above all numbers: no onset reaches it
        return threshold * reference


def find_onsets(
    strength: np.ndarray,
    times: np.ndarray,
    threshold: float | np.ndarray,
    *,
    gap: float = 0.06,
) -> list[tuple[int, int]]:
    """Find the peaks of onset strength above a threshold.

    Parameters
    ----------
    strength : np.ndarray [shape=(pitch, time)]
        ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    threshold : float or np.ndarray [shape=(time,) or (pitch, 1) or (pitch, time)]
        Value that a peak has to exceed: for all, per frame, or per pitch.
    gap : float
        Shortest time between two onsets of a pitch in seconds; the stronger one is kept, the
        earlier of equals.

    Returns
    -------
    list of tuple of int
        Row and frame of each onset, by row, then frame.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not match, or are out of range.

    Examples
    --------
    >>> import numpy as np
    >>> find_onsets(np.array([[0, 3, 2, 0, 9, 1], [0, 0, 1, 0, 0, 0]]), np.arange(6) * 0.02, 1.0,
    ...             gap=0.04)
    [(0, 1), (0, 4)]
    """
    step = frame_step(strength, times)
    distance = max(1, round(as_number(gap, "gap", low=0) / step))  # in frames
    try:
        thresholds = np.broadcast_to(threshold, strength.shape)
    except ValueError:
        raise ShapeError(
            f"threshold has shape {np.shape(threshold)}, which does not broadcast to the shape "
            f"{strength.shape} of strength"
        ) from None
    rows, frames = np.nonzero(peaks_above(strength, thresholds))
    kept = spaced(rows, frames, strength[rows, frames], distance)
    return list(zip(rows[kept].tolist(), frames[kept].tolist(), strict=True))


def peaks_above(strength: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return whether each frame exceeds the one before, and is not below the one after.

    Parameters
    ----------
    strength : np.ndarray [shape=(pitch, time)]
        ≥ 0; before the first and after the last frame it is taken to be 0.
    thresholds : np.ndarray [shape=(pitch, time)]
        Value that a peak has to exceed.

    Returns
    -------
    np.ndarray [shape=(pitch, time)]
        bool.
    """
    peaks: np.ndarray = (strength > thresholds) & (strength > 0)
    peaks[:, 1:] &= strength[:, 1:] > strength[:, :-1]
    peaks[:, :-1] &= strength[:, :-1] >= strength[:, 1:]
    return peaks


def spaced(
    rows: np.ndarray, frames: np.ndarray, strengths: np.ndarray, distance: int
) -> np.ndarray:
    """Find the strongest of the peaks of a pitch that are too close.

    Parameters
    ----------
    rows, frames : np.ndarray [shape=(peak,)]
        By row, then frame.
    strengths : np.ndarray [shape=(peak,)]
    distance : int
        Smallest number of frames between two peaks of a row; of equals the earlier one is kept.

    Returns
    -------
    np.ndarray [shape=(peak,)]
        Whether each peak is kept.
    """
    kept = np.zeros(len(rows), bool)
    edges = np.flatnonzero(np.diff(rows, prepend=-1, append=-1))
    for first, last in itertools.pairwise(edges):
        row = frames[first:last]
        taken = np.zeros(row[-1] + distance, bool)
        # From the strongest to the weakest; a stable sort puts the earlier of equals first.
        for n in np.argsort(-strengths[first:last], kind="stable"):
            if not taken[row[n]]:
                kept[first + n] = True
                taken[max(row[n] - distance + 1, 0) : row[n] + distance] = True
    return kept


def steepest_frame(levels: np.ndarray, frame: int, lag: int) -> int:
    """Return the frame of the steepest rise within the difference of salience of a frame.

    Parameters
    ----------
    levels : np.ndarray [shape=(time,)]
        Salience of a pitch.
    frame : int
    lag : int
        Frames, as for `rises`.

    Returns
    -------
    int

    Examples
    --------
    >>> import numpy as np
    >>> steepest_frame(np.array([0.0, 0, 0, 1, 9, 8, 7]), 3, 4)
    4
    """
    # The frames whose differences add up to the onset strength of this frame.
    first, last = max(0, frame + lag // 2 - lag + 1), frame + lag // 2
    around = levels[max(first - 1, 0) : last + 1].astype(np.float64)
    return first + int(np.argmax(np.diff(around, prepend=[0.0] * (first == 0))))
