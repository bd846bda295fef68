"""Dynamic time warping of recordings and scores of any length, from coarse to fine frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# Frames of the audio and of the score that are warped as a whole; more are averaged first. On 4 and
# 10 min of piano, 1500 to 4000 give the same onsets within 10 ms, as do all frames in one matrix.
_WHOLE = 2400
_FINER = 8  # frames that one frame becomes, from each level to the next
_ROWS, _MARGIN = 1000, 300  # audio frames of a window, and those beyond it that it looks ahead
_SLACK = 4  # frames of the level before by which a path may leave that level's path
_CELL_BYTES = 22  # per pair of frames, 20 of them measured: distances, path costs, steps
# Cost of a step in which only one of audio and score goes on, beside its distance; without it,
# paths jump between repeated chords. On seven pieces (four piano pieces, the three scores of the
# samples), shifted and at changed tempo, 11.5 % of the onsets were off by more than 0.2 s without
# it, and 5.6 % with it; of scores aligned already 5.9 % and none. 0.4 is worse at changed tempo.
_PAUSE = 0.2
# A path to the end of the score may cost this much more per step than one to an earlier end. On
# seven renders of a piano, strings, a flute and a guitar those to the end cost 1.05 at most, and of
# renders cut to 65 % 1.26 at least, but for one of a piece that repeats itself.
_WHOLE_COST = 1.1

Features = Callable[[int], tuple[np.ndarray, np.ndarray]]
"""Features of audio and score [shape=(13, time)], for a number of frames averaged to one."""


class Ends(NamedTuple):
    """Freedom of a path at its ends.

    Parameters
    ----------
    begin : bool
        Whether the first audio frame may match any score frame, instead of the first one.
    lowest : int
        First score frame that the last audio frame may match.
    is_excerpt : bool
        Whether the path is one of an excerpt, played at half to twice the tempo of the score.
    whole : bool
        Whether the last audio frame rather matches the last score frame.
    """

    begin: bool
    lowest: int
    is_excerpt: bool
    whole: bool = False


def warping_path(features: Features, frames: int, *, is_excerpt: bool) -> np.ndarray:
    """Match the frames of audio and score.

    Audio and score start together, and the audio may end first; or the audio is an excerpt of the
    score, played at half to twice its tempo. Long ones are matched in averaged frames first, then
    in ever finer ones in windows around the path before, so that the memory is bounded.

    Parameters
    ----------
    features : callable
        Features of audio and score, for a number of frames that are averaged to one.
    frames : int
        Frames of the longer of the two, before averaging.
    is_excerpt : bool
        Whether the audio may be an excerpt.

    Returns
    -------
    np.ndarray [shape=(pair, 2)]
        Ascending pairs of audio and score frames.
    """
    count = -(-frames // _WHOLE)
    audio, score = features(count)
    starts = (0, 0) if is_excerpt else (first_sound(audio), first_sound(score))
    path = _path(
        audio[:, starts[0] :],
        score[:, starts[1] :],
        Ends(
            is_excerpt,
            0 if is_excerpt else (score.shape[1] - starts[1]) // 2,
            is_excerpt,
            whole=not is_excerpt,
        ),
    )
    path += np.array(starts)
    while count > 1:
        before, count = count, -(-count // _FINER)
        path = _refined(path, before / count, *features(count), is_excerpt=is_excerpt)
    return path


def warping_memory(audio: int, score: int) -> int:
    """Estimate the memory of `warping_path`.

    Parameters
    ----------
    audio, score : int
        Frames of audio and score.

    Returns
    -------
    int
        Upper bound in bytes, without the features.
    """
    count = -(-max(audio, score) // _WHOLE)
    return _CELL_BYTES * (audio // count + 2) * (score // count + 2)


def first_sound(features: np.ndarray) -> int:
    """Return the first frame that is not silent.

    Parameters
    ----------
    features : np.ndarray [shape=(13, time)]

    Returns
    -------
    int
    """
    return int(np.argmin(features[-1]))


def _refined(
    coarse: np.ndarray, ratio: float, audio: np.ndarray, score: np.ndarray, *, is_excerpt: bool
) -> np.ndarray:
    """Path in finer frames, window by window, given one in frames of `ratio` times the length.

    Each window begins where the path of the one before passes its end, and looks a margin ahead.
    """
    frames, firsts = np.unique(coarse[:, 0], return_index=True)
    lasts = np.append(firsts[1:], len(coarse)) - 1
    slack = int(_SLACK * ratio)

    def column(row: int, pairs: np.ndarray) -> int:
        """Score frame of the coarse path, by the first or last pair of each audio frame."""
        return int(np.interp(row, (frames + 0.5) * ratio, (coarse[pairs, 1] + 0.5) * ratio))

    if is_excerpt:
        begin = 0, max(column(0, firsts) - slack, 0)
    else:
        begin = first_sound(audio), first_sound(score)
    parts: list[np.ndarray] = []
    end = 0
    while end < audio.shape[1]:
        row, first = begin
        end = min(row + _ROWS + _MARGIN, audio.shape[1])
        last = max(column(end - 1, lasts) + slack, first + 1)
        lowest = max(column(end - 1, firsts) - slack - first, 0)
        ends = Ends(is_excerpt and not parts, lowest, is_excerpt)
        path = _path(audio[:, row:end], score[:, first:last], ends) + np.array(begin)
        if end < audio.shape[1]:
            cut = int(np.searchsorted(path[:, 0], row + _ROWS))
            begin = int(path[cut, 0]), int(path[cut, 1])
            path = path[:cut]
        parts.append(path)
    return np.concatenate(parts)


def _path(audio: np.ndarray, score: np.ndarray, ends: Ends) -> np.ndarray:
    """Ascending pairs of audio and score frames [shape=(pair, 2)], of all audio frames."""
    from nmfaudio._common.librosa_loader import load_librosa

    sequence = load_librosa("sequence")
    cost = 1 - audio.T @ score  # (audio frame, score frame)
    # Steps of an excerpt limit its tempo; otherwise pauses and jumps are allowed.
    sigma = np.array([[1, 1], [1, 2], [2, 1]] if ends.is_excerpt else [[1, 1], [0, 1], [1, 0]])
    if not ends.begin:
        cost[0, 1:] += cost.size  # more than any path costs: the first frames must match
    total, steps = sequence.dtw(
        C=cost,
        subseq=True,
        step_sizes_sigma=sigma,
        weights_add=np.zeros(3) if ends.is_excerpt else np.array([0.0, _PAUSE, _PAUSE]),
        backtrack=False,
        return_steps=True,
    )
    totals = total[-1]
    if not ends.is_excerpt:
        # Mean cost per step, so that long paths are not at a disadvantage.
        totals = totals / (len(cost) + np.arange(len(totals)))
    totals[: min(ends.lowest, len(totals) - 1)] = np.inf
    if not np.isfinite(totals).any():  # an excerpt cannot be played that fast or slowly
        return _straight(*cost.shape)
    end = int(np.argmin(totals))
    if ends.whole and totals[-1] <= _WHOLE_COST * totals[end]:
        end = len(totals) - 1
    path = sequence.dtw_backtracking(steps, step_sizes_sigma=sigma, subseq=True, start=end)
    return np.asarray(path)[::-1].copy()


def _straight(rows: int, columns: int) -> np.ndarray:
    """Path of constant tempo."""
    frames = np.arange(rows)
    return np.stack([frames, frames * (columns - 1) // max(rows - 1, 1)], axis=1)
