"""Bars of a sequence of beats: beats of a bar, the first downbeat, and the division of beats."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nmfaudio.symbolic.strokes import ACCENTS, Strokes, cosine_distance

_NEAR = 0.07  # s between a beat and its stroke
# Logistic regression of downbeats, on the same performances as in `beat_tracking`: of the features
# of strokes, their presence, and changes of harmony.
_WEIGHTS = np.array([-0.24, 1.0, -0.13, -0.14, 0.22, 1.57, 0.41, 1.14, 0.47, 1.48])
_OFFSET = -3.43
_PRIORS = {2: 0.0, 3: 0.06, 4: 0.0}  # of each number of beats of a bar, per beat
_TERNARY = 0.2  # advantage that a division by three needs
# Logistic regression of bars of two beats and not four: contrasts of the downbeats of four and of
# two with the beats amid them, logarithm of strokes per beat, compound time.
_OF_TWO = np.array([-1.20, -1.22, 3.71, 3.09])
_OFFSET_OF_TWO = -2.20


class Meter(NamedTuple):
    """Bars of a sequence of beats; the fields are those of `Beats`."""

    per_bar: int
    first_downbeat: int
    compound: bool


def find_meter(strokes: Strokes, beats: np.ndarray) -> Meter:
    """Find the bars in which downbeats are the most probable.

    Parameters
    ----------
    strokes : Strokes
    beats : np.ndarray [shape=(beat,)]
        In seconds.

    Returns
    -------
    Meter
    """
    logits = at_beats(strokes, beats) @ _WEIGHTS + _OFFSET
    yes, no = -np.logaddexp(0, -logits), -np.logaddexp(0, logits)
    first = {n: max(range(n), key=lambda i: (yes - no)[i::n].sum()) for n in _PRIORS}
    scores = {
        n: (no.sum() + (yes - no)[first[n] :: n].sum()) / len(beats) + prior
        for n, prior in _PRIORS.items()
    }
    per_bar = max(scores, key=lambda n: scores[n])
    compound = ternary_advantage(strokes.times, beats) > _TERNARY
    if per_bar != 3:
        traits = [
            _contrast(logits, first[4], 4),
            _contrast(logits, first[2], 2),
            np.log(len(strokes.times) / len(beats)),
            compound,
        ]
        per_bar = 2 if np.dot(traits, _OF_TWO) + _OFFSET_OF_TWO > 0 else 4
    return Meter(per_bar, first[per_bar], compound)


def _contrast(logits: np.ndarray, first: int, period: int) -> float:
    """Difference of the mean logits of downbeats, and of the beats amid them."""
    return float(
        _mean(logits[first::period]) - _mean(logits[(first + period // 2) % period :: period])
    )


def _mean(values: np.ndarray) -> float:
    """Mean, 0 of no values."""
    return float(np.mean(values)) if len(values) else 0.0


def at_beats(strokes: Strokes, beats: np.ndarray) -> np.ndarray:
    """Accents of the strokes on beats, their presence, and changes of harmony.

    Accents are 0 on beats without a stroke.

    Parameters
    ----------
    strokes : Strokes
    beats : np.ndarray [shape=(beat,)]
        In seconds.

    Returns
    -------
    np.ndarray [shape=(beat, feature)]
    """
    nearest = np.abs(strokes.times[:, None] - beats).argmin(axis=0)
    present = np.abs(strokes.times[nearest] - beats) < _NEAR
    changes = [_harmony_change(strokes, beats, span) for span in (1, 2)]
    accents = strokes.features[nearest, :ACCENTS] * present[:, None]
    return np.column_stack([accents, present, *changes])


def _harmony_change(strokes: Strokes, beats: np.ndarray, span: int) -> np.ndarray:
    """Cosine distance of the pitch classes of `span` beats before and after each beat."""
    place = np.searchsorted(beats - _NEAR, strokes.times)  # beats so far, by stroke
    total = np.zeros((len(beats) + 1, 12))
    np.add.at(total, place, strokes.chroma)
    total = np.concatenate([np.zeros((1, 12)), np.cumsum(total, axis=0)])
    beat = np.arange(len(beats)) + 1
    before = total[beat] - total[np.maximum(0, beat - span)]
    after = total[np.minimum(len(beats) + 1, beat + span)] - total[beat]
    return cosine_distance(before, after)


def ternary_advantage(times: np.ndarray, beats: np.ndarray) -> float:
    """Logarithm of the likelihood ratio of thirds and halves, for strokes between beats, each.

    Parameters
    ----------
    times : np.ndarray [shape=(stroke,)]
    beats : np.ndarray [shape=(beat,)]

    Returns
    -------
    float
        0 where no stroke is between beats.
    """
    phases = np.interp(times, beats, np.arange(len(beats))) % 1
    between = phases[(phases > 0.15) & (phases < 0.85)]
    if not len(between):
        return 0.0

    def likelihood(places: list[float], shares: list[float]) -> np.ndarray:
        distance = (between[:, None] - np.array(places)) / 0.06
        return np.asarray((np.array(shares) * np.exp(-0.5 * distance**2)).sum(axis=1) + 0.02)

    thirds = likelihood([1 / 3, 2 / 3, 1 / 6, 1 / 2, 5 / 6], [0.35, 0.35, 0.1, 0.1, 0.1])
    halves = likelihood([1 / 2, 1 / 4, 3 / 4], [0.5, 0.25, 0.25])
    return float(np.mean(np.log(thirds) - np.log(halves)))
