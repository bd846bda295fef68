"""Joint decision on what was struck at each onset of a drum recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.dictionaries.hihat_decay import open_strokes
from nmfaudio.dictionaries.stroke_classifier import bundled_classifier
from nmfaudio.dictionaries.stroke_features import (
    EDGES,
    ReferenceLevels,
    stroke_features,
    stroke_onsets,
)
from nmfaudio.symbolic.drum_peaks import relative_heights
from nmfaudio.symbolic.names import KINDS_OF_PARTS

MODELLED = ("kick", "snare", "hihat")
"""Parts whose activations locate their hits, which the classifier can only reject."""
_MASKED_BY = {"hihat": ("snare", "crash")}  # louder parts, in which a quieter one is not heard
_MISTAKEN = {"snare": ("sidestick", "clap"), "hihat": ("tambourine", "shaker", "ride")}
_WINDOW = 0.03, 0.047  # s before and after an onset in which activations belong to it
_AT_ONCE = 2048  # onsets
_CLEAR = 0.125  # height of a certain hit, in shares of a loud one
_POSSIBLE, _PROBABLE = 0.2, 0.5  # probabilities of a hit
_MASKING = 0.3  # height of a louder part from which it masks another
_NEEDED = {"toms": 0.55, "crash": 0.5, "ride": 0.3}  # probabilities of hits without activations
_SURE = {"toms": 0.7}  # of those that show that a part is there; `_PROBABLE` of others
_SHARE = {"ride": 0.1}  # of all onsets that are probably of it, if it is there: it keeps the time
_FEWEST = {"toms": 2}  # sure hits; a single one is more often a snare
_BRIGHT = 4000  # Hz, above which the level of an open hi-hat is measured


@dataclass(frozen=True)
class Evidence:
    """Evidence needed that a part with activations was struck, and is there at all.

    Parameters
    ----------
    faint : float
        Height of a possible hit, in shares of a loud one.
    fewest : int
        Number of its hits that are probable.
    shares : mapping of str to float
        Share of the clear hits of a part that are probable.
    """

    faint: float
    fewest: int
    shares: Mapping[str, float]


WHOLE = Evidence(0.06, 1, {"snare": 0.15, "hihat": 0.075})
"""Evidence of a whole recording."""
SO_FAR = Evidence(0.03, 2, {"snare": 0.15, "hihat": 0.05})
"""Evidence of the beginning of a recording, which may not be like the rest of it."""


def decided_levels(
    levels: Mapping[str, np.ndarray], bands: np.ndarray, times: np.ndarray, parts: Sequence[str]
) -> np.ndarray:
    """Return the levels of parts, without those that belong to no hit of theirs.

    Activations locate a hit, but strokes that the kit has no template for have activations too, and
    loud ones have some of other parts. A classifier judges what was struck at each onset. A part of
    which hardly any hit is probable is not there at all: a stick on the rim is no snare, and a
    hi-hat that is never heard apart from a snare is the noise of the snare. What is left of a
    hi-hat tells whether it was open; an open one needs no activations.

    Parameters
    ----------
    levels : mapping of str to np.ndarray [shape=(time,)]
        Levels of kick, snare, hihat, toms and cymbals, as `part_levels` returns them.
    bands : np.ndarray [shape=(band, time)]
        As `stroke_bands` returns them.
    times : np.ndarray [shape=(time,)]
        Times of the frames in seconds, evenly spaced.
    parts : sequence of str

    Returns
    -------
    np.ndarray [shape=(part, time)]
    """
    decided = np.zeros((len(parts), len(times)), bands.dtype)
    hop = float(times[1] - times[0]) if len(times) > 1 else 1.0
    onsets = stroke_onsets(bands, hop)
    if not len(onsets):
        return decided
    struck = _probabilities(bands, onsets, hop)
    before, after = (max(1, round(seconds / hop)) for seconds in _WINDOW)
    first = np.maximum(onsets - before, 0)
    last = np.minimum(onsets + after, np.append(onsets[1:] - before, len(times)))
    heights = {part: relative_heights(levels[part], times, first, last) for part in MODELLED}
    kinds: dict[str, np.ndarray] = {}
    if set(parts) & set(KINDS_OF_PARTS["hihat"]):
        hihats = is_hit("hihat", struck, heights)
        is_open = open_strokes(bands, onsets, hop, struck, hihats)
        kinds = {"closed_hihat": hihats & ~is_open, "open_hihat": is_open}
    for row, part in enumerate(parts):
        level = _level(part, levels, bands)
        hits = kinds[part] if part in kinds else is_hit(part, struck, heights)
        for onset in np.flatnonzero(hits):
            frames = slice(first[onset], last[onset])
            decided[row, frames] = level[frames]
    return decided


def _probabilities(bands: np.ndarray, onsets: np.ndarray, hop: float) -> dict[str, np.ndarray]:
    """Probability of each label at all onsets, some at a time, which takes less memory."""
    reference, classifier = ReferenceLevels.of(bands), bundled_classifier()
    blocks = [onsets[first : first + _AT_ONCE] for first in range(0, len(onsets), _AT_ONCE)]
    found = [
        classifier.probabilities(stroke_features(bands, block, hop, reference=reference))
        for block in blocks
    ]
    return {label: np.concatenate([each[label] for each in found]) for label in found[0]}


def is_hit(
    part: str,
    struck: Mapping[str, np.ndarray],
    heights: Mapping[str, np.ndarray],
    needed: Evidence = WHOLE,
) -> np.ndarray:
    """Return the onsets at which a part was struck.

    Parameters
    ----------
    part : str
    struck : mapping of str to np.ndarray [shape=(onset,)]
        Probability of each label of the classifier.
    heights : mapping of str to np.ndarray [shape=(onset,)]
        Height of the activations of each of `MODELLED`, in shares of a loud hit.
    needed : Evidence

    Returns
    -------
    np.ndarray [shape=(onset,)]
    """
    if part in MODELLED:
        return _is_modelled_hit(part, struck, heights, needed)
    if part in KINDS_OF_PARTS:
        found = [is_hit(kind, struck, heights, needed) for kind in KINDS_OF_PARTS[part]]
        either: np.ndarray = np.any(found, axis=0)
        return either
    hits = struck[part] > _NEEDED[part]
    anything = np.max(list(struck.values()), axis=0) > _PROBABLE
    least = max(_FEWEST.get(part, 0), _SHARE.get(part, 0.0) * anything.sum())
    if (struck[part] > _SURE.get(part, _PROBABLE)).sum() < least:
        hits[:] = False
    return hits


def _is_modelled_hit(
    part: str,
    struck: Mapping[str, np.ndarray],
    heights: Mapping[str, np.ndarray],
    needed: Evidence,
) -> np.ndarray:
    """Onsets at which a part with activations was struck, none if the part is not there."""
    clear = heights[part] > _CLEAR
    probable = clear & (struck[part] > _PROBABLE)
    for other in _MASKED_BY.get(part, ()):
        masked = struck[other] >= _PROBABLE
        if other in heights:
            masked &= heights[other] >= _MASKING
        probable &= ~masked
    for other in _MISTAKEN.get(part, ()):
        probable &= struck[part] > struck[other]
    share = needed.shares.get(part)
    if share is not None and probable.sum() < max(needed.fewest, share * clear.sum()):
        return np.zeros(len(clear), bool)
    return (heights[part] > needed.faint) & (struck[part] > _POSSIBLE)


def _level(part: str, levels: Mapping[str, np.ndarray], bands: np.ndarray) -> np.ndarray:
    """Level that the velocity of a part's hits is read from [shape=(time,)]."""
    if part == "closed_hihat":
        return levels["hihat"]
    if part == "open_hihat":  # other strokes are not as bright
        level: np.ndarray = bands[EDGES > _BRIGHT].sum(axis=0)
        return level
    return levels[part] if part in MODELLED else bands.sum(axis=0)
