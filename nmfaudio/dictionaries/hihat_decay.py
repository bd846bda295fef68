"""Open hi-hats: strokes of a hi-hat that decay slowly, until it closes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from nmfaudio.dictionaries.perceptron import Perceptron
from nmfaudio.dictionaries.stroke_features import HOP, QUANTILE

_DATA = Path(__file__).resolve().parents[1] / "data" / "open_hihats.npz"
_ZONES = (19, 22), (22, 25), (25, 28)  # bands from 2.7, 5.0 and 9.7 kHz, up to 16 kHz
_ATTACK, _BEFORE = (0, 3), (-6, -2)  # frames of `HOP` from an onset
_SEGMENTS = (4, 8), (8, 14), (14, 22), (22, 34)  # of its decay
_LAST, _MARGIN = 8, 2  # frames before the next onset, of which the last may belong to it
_LONGEST = 60  # frames
_NOISE = 1e-5  # of the loudest: a level below any noise
_TYPICAL, _FEWEST = 0.3, 3  # probability, and number, of the strokes that others are compared with
POSSIBLE = 0.1
"""Probability of a hi-hat of any kind from which a stroke may be of an open one."""
_OPEN = 0.25  # probability of an open hi-hat
_PRESENT = 3  # strokes of a hi-hat that is there


def open_strokes(
    bands: np.ndarray,
    onsets: np.ndarray,
    hop: float,
    struck: Mapping[str, np.ndarray],
    hihats: np.ndarray,
) -> np.ndarray:
    """Return the onsets at which an open hi-hat was struck.

    Parameters
    ----------
    bands : np.ndarray [shape=(band, time)]
        As `stroke_bands` returns them.
    onsets : np.ndarray [shape=(onset,)]
        Frames.
    hop : float
        Seconds between frames.
    struck : mapping of str to np.ndarray [shape=(onset,)]
        Probability of each label of the classifier of strokes.
    hihats : np.ndarray [shape=(onset,)]
        Whether a hi-hat of any kind was struck. Without a few of them there is none at all.

    Returns
    -------
    np.ndarray [shape=(onset,)]
    """
    possible: np.ndarray = struck["hihat"] > POSSIBLE
    if hihats.sum() < _PRESENT:
        return np.zeros_like(possible)
    outputs = _network()(decay_features(bands, onsets, hop, struck))[:, 0]
    possible &= outputs > np.log(_OPEN / (1 - _OPEN))
    return possible


@cache
def _network() -> Perceptron:
    return Perceptron.load(_DATA)


def decay_features(
    bands: np.ndarray, onsets: np.ndarray, hop: float, struck: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Return features of the decay of strokes, and how they differ from those of other hi-hats.

    What is open depends on the kit: a loosely closed hi-hat decays as slowly as an open one of
    another kit. So each feature is given as it is and relative to its median over the hi-hats of
    the recording.

    Parameters
    ----------
    bands, onsets, hop, struck
        As for `open_strokes`.

    Returns
    -------
    np.ndarray [shape=(onset, feature)]
        In three zones of high frequencies, logarithms of levels: before the onset, during the
        decay, and before the next onset, relative to the attack, and of the attack relative to the
        recording; of the time to the next onset; log odds of an open hi-hat.
    """
    share = np.clip(struck["open_hihat"], 1e-4, 1 - 1e-4)
    columns = [np.log(share / (1 - share))]
    for low, high in _ZONES:
        columns += _decay(bands[low:high].mean(axis=0, dtype=np.float64), onsets, hop, bands.max())
    absolute = np.stack(columns, axis=1)
    typical = struck["hihat"] > _TYPICAL
    chosen = absolute[typical] if typical.sum() >= _FEWEST else absolute
    gaps = np.minimum(np.diff(onsets, append=bands.shape[1]), _frames(_LONGEST, hop))
    relative = absolute - np.median(chosen, axis=0)
    return np.column_stack([absolute, relative, np.log10(gaps * hop)])


def _decay(level: np.ndarray, onsets: np.ndarray, hop: float, loudest: float) -> list[np.ndarray]:
    """Features of a zone, whose level is given over time."""
    sums = np.concatenate([[0.0], np.cumsum(level)])
    quietest = max(_NOISE * float(loudest), float(np.finfo(np.float32).tiny))

    def mean(begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        begin, end = np.clip(begin, 0, len(level)), np.clip(end, 0, len(level))
        means = (sums[end] - sums[begin]) / np.maximum(end - begin, 1)
        logarithms: np.ndarray = np.log10(np.maximum(means, quietest))
        return logarithms

    def around(segment: tuple[int, int]) -> np.ndarray:
        return mean(*(onsets + _frames(place, hop) for place in segment))

    attack = around(_ATTACK)
    following = np.append(onsets[1:], len(level)) - _frames(_MARGIN, hop)
    decay = [np.zeros(len(onsets))]
    for begin, end in _SEGMENTS:
        first = onsets + _frames(begin, hop)
        last = np.minimum(onsets + _frames(end, hop), following)
        # What the next stroke hides is as in the segment before.
        is_heard = last - first >= _frames(_MARGIN, hop)
        decay.append(np.where(is_heard, mean(first, last) - attack, decay[-1]))
    latest = following + _frames(_MARGIN - _LAST, hop)
    end = mean(np.maximum(latest, onsets + _frames(_ATTACK[1], hop)), following) - attack
    loud = attack - np.log10(max(float(np.quantile(level, QUANTILE)), quietest))
    return [*decay[1:], around(_BEFORE) - attack, end, loud]


def _frames(count: int, hop: float) -> int:
    """Number of frames that are as long as some of `HOP` seconds."""
    return round(count * HOP / hop)
