"""Ends of the notes of a piano, found in the decay of their salience by a small network."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from scipy.ndimage import maximum_filter1d

from nmfaudio._common.validation import frame_step
from nmfaudio.dictionaries.perceptron import Perceptron

_NETWORK = Path(__file__).resolve().parents[1] / "data" / "note_ends.npz"
FLOOR = 1e-5
"""Lowest salience relative to the maximum: −100 dB."""
SPANS = (0.03, 0.06, 0.12)
"""Seconds over which levels are compared."""
LONGEST = 12.0
"""Seconds of the longest note."""
NEARBY = 0.03
"""Seconds between an onset and the frames that it disturbs."""
CERTAIN = 7.0
"""Largest absolute log odds of a frame."""
DOUBT = 6.0
"""Log odds against a note after which the search for its end stops."""
_AUDIBLE = 35.0  # dB below the loudest pitch of a frame, to count as sounding
_STEEP = -6.0  # dB in the middle one of `SPANS`, as dampers cause
_DROP = (-30.0, 5.0)  # dB, limits of the change of a pitch in the mean
_DELAY = 0.03  # s, from the end of a note to the end that is found: frames are long
_FEWEST = 1.5  # frames, of a note that sounds at all


def note_ends(
    values: np.ndarray,
    times: np.ndarray,
    pitches: Sequence[float] | np.ndarray,
    onsets: Sequence[tuple[int, int]],
    peaks: Sequence[int],
) -> list[float]:
    """Find the end of each note in the decay of its salience.

    A string that rings decays slowly, a damped one fast; how slowly and how fast depends on the
    pitch, the piano and the room, and other notes disturb the salience. A network that was trained
    on simulated performances decides for each frame whether the note still sounds.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    pitches : sequence of float [shape=(pitch,)]
        MIDI numbers.
    onsets : sequence of tuple of int
        Row and frame of each onset, by row, then frame.
    peaks : sequence of int
        Frame of the peak, for each onset.

    Returns
    -------
    list of float
        Seconds, one for each onset, not later than the next onset of the pitch.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not match.

    Examples
    --------
    A string that is damped after half a second:

    >>> import numpy as np
    >>> times = np.arange(60) * 0.023
    >>> level = np.exp(-2 * times - 40 * (times - 0.5).clip(0))
    >>> [round(end, 1) for end in note_ends(level[None], times, [60], [(0, 0)], [0])]
    [0.5]
    """
    step = frame_step(values, times)
    network = end_network()
    ends = []
    features = decay_features(values, times, pitches, onsets, peaks)
    for (_, frame), each in zip(onsets, features, strict=True):
        length = note_length(sounding_frames(network(each)[:, 0]), step)
        ends.append(float(times[frame]) + length)
    return ends


def note_length(frames: int, step: float) -> float:
    """Return the length of a note that sounds for some frames.

    Parameters
    ----------
    frames : int
    step : float
        Seconds between frames.

    Returns
    -------
    float
        Seconds. It is shorter than the frames, which are long.
    """
    return max(frames * step - _DELAY, min(frames, _FEWEST) * step)


def decay_features(
    values: np.ndarray,
    times: np.ndarray,
    pitches: Sequence[float] | np.ndarray,
    onsets: Sequence[tuple[int, int]],
    peaks: Sequence[int],
) -> Iterator[np.ndarray]:
    """Yield features of the frames of each note, from its onset to the next one of its pitch.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    pitches : sequence of float [shape=(pitch,)]
        MIDI numbers.
    onsets : sequence of tuple of int
        Row and frame of each onset, by row, then frame.
    peaks : sequence of int
        Frame of the peak, for each onset.

    Yields
    ------
    np.ndarray [shape=(time, 15)]
        float64, for at most 12 s. Levels are in dB relative to the maximum of all pitches, at
        least −100: the level relative to the highest and to the peak of the note so far; its
        change to and from the frames 30, 60 and 120 ms later and earlier; the pitch; the level of
        the peak; the level of the loudest pitch relative to this one; onsets of all pitches within
        30 ms; the mean change of all audible pitches in 60 ms, and the share of them that fall by
        more than 6 dB; the lowest level so far relative to the highest. The time since the onset
        is left out: a network would learn how long notes of its training data are.

    Raises
    ------
    ShapeError, ParameterError
        The arguments do not match.

    Examples
    --------
    >>> import numpy as np
    >>> values, times = np.exp(-np.arange(20.0))[None], np.arange(20) * 0.02
    >>> (features,) = decay_features(values, times, [60], [(0, 0)], [0])
    >>> features.shape, float(features[3, 1].round(2))
    ((20, 15), -26.06)
    """
    step = frame_step(values, times)
    spans = [max(1, round(span / step)) for span in SPANS]
    longest = max(1, round(LONGEST / step))
    levels = _Levels(values)
    shared = _shared_features(levels, spans[1], onsets, max(1, round(NEARBY / step)))
    both = zip(onsets, peaks, strict=True)
    for row, notes in itertools.groupby(both, key=lambda note: note[0][0]):
        level = levels.of(row)
        changes = [_moved(level, span) - level for span in spans]
        changes += [level - _moved(level, -span) for span in spans]
        frames = [(frame, peak) for (_, frame), peak in notes]
        ends = [frame for frame, _ in frames[1:]] + [len(level)]
        for (first, peak), end in zip(frames, ends, strict=True):
            note = slice(first, min(end, first + longest))
            here = level[note]
            highest = np.maximum.accumulate(here)
            columns = [here - highest, here - level[peak]]
            columns += [change[note] for change in changes]
            columns += [np.full(len(here), value) for value in (pitches[row], level[peak])]
            columns += [shared[0, note] - here]
            columns += [*shared[1:, note], np.minimum.accumulate(here) - highest]
            yield np.stack(columns, axis=1)


class _Levels:
    """Levels in dB of salience [shape=(pitch, time)], one pitch at a time to save memory."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self._top = float(values.max(initial=0)) or 1.0
        self.shape = values.shape

    def of(self, row: int) -> np.ndarray:
        """Return the level of a pitch [shape=(time,)], at least −100 dB."""
        shares = self._values[row].astype(np.float64) / self._top
        level: np.ndarray = 20 * np.log10(np.maximum(shares, FLOOR))
        return level


def _moved(level: np.ndarray, frames: int) -> np.ndarray:
    """Level some frames later, or earlier if negative; the first and last frame are repeated."""
    moved: np.ndarray = level[np.clip(np.arange(len(level)) + frames, 0, len(level) - 1)]
    return moved


def _shared_features(
    levels: _Levels, span: int, onsets: Sequence[tuple[int, int]], nearby: int
) -> np.ndarray:
    """Loudest pitch, onsets nearby, mean change and share of steep falls [shape=(4, time)]."""
    n_pitches, n_frames = levels.shape
    loudest = np.full(n_frames, -np.inf)
    for row in range(n_pitches):
        np.maximum(loudest, levels.of(row), out=loudest)
    audible, total, steep = np.zeros((3, n_frames))
    for row in range(n_pitches):
        level = levels.of(row)
        change = _moved(level, span) - level
        counts = audible_changes(level, change, loudest)
        audible, total, steep = audible + counts[0], total + counts[1], steep + counts[2]
    begins = np.bincount([frame for _, frame in onsets], minlength=n_frames).astype(np.float64)
    count = np.maximum(audible, 1)
    return np.stack(
        [loudest, maximum_filter1d(begins, 2 * nearby + 1), total / count, steep / count]
    )


def audible_changes(
    level: np.ndarray, change: np.ndarray, loudest: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return whether a pitch is audible, its limited change, and whether it falls steeply.

    Parameters
    ----------
    level, change : np.ndarray
        In dB, of pitches or of frames, and to the frame 60 ms later.
    loudest : np.ndarray or float
        Level of the loudest pitch at the time.

    Returns
    -------
    audible, change, steep : np.ndarray
        The change in dB is 0 where the pitch is not audible.
    """
    audible = level > loudest - _AUDIBLE
    return audible, np.where(audible, change.clip(*_DROP), 0), audible & (change < _STEEP)


@cache
def end_network() -> Perceptron:
    """Return the network from `decay_features` to the log odds that a note still sounds.

    It was trained on simulated performances by ``benchmarks/transcription/learn_ends.py``.

    Returns
    -------
    Perceptron
        Of one output.
    """
    return Perceptron.load(_NETWORK)


def sounding_frames(log_odds: np.ndarray) -> int:
    """Return the number of frames after which a note ends most likely.

    Parameters
    ----------
    log_odds : np.ndarray [shape=(time,)]
        That the note still sounds, in each frame from its onset.

    Returns
    -------
    int
        Number that maximises the sum of the log odds of the frames before the end, without
        looking beyond the first frame where that sum is 6 below its maximum so far: later sound
        is that of other notes.

    Examples
    --------
    >>> import numpy as np
    >>> sounding_frames(np.array([3.0, 2, -1, 2, -4, -4, 9]))
    4
    """
    sums = np.concatenate([[0.0], np.cumsum(log_odds.clip(-CERTAIN, CERTAIN))])
    ended = np.flatnonzero(sums < np.maximum.accumulate(sums) - DOUBT)
    last = int(ended[0]) if len(ended) else len(sums) - 1
    return int(np.argmax(sums[: last + 1]))
