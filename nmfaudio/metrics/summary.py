"""Scores of several pieces, their means, and how sure these are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nmfaudio._common.validation import as_count, as_number
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.engine import generator
from nmfaudio.metrics.annotations import Notes
from nmfaudio.metrics.transcription import TranscriptionScores, evaluate_transcription, known

_COLUMNS = {
    "onset_f": "onset",
    "offset_f": "offset",
    "velocity_f": "velocity",
    "offset_velocity_f": "all",
    "frame_f": "frames",
}
_RESAMPLES = 2000


class Interval(NamedTuple):
    """A mean, and between what it lies."""

    mean: float
    low: float
    high: float


def bootstrap(
    values: Iterable[float],
    *,
    level: float = 0.95,
    resamples: int = _RESAMPLES,
    rng: int | np.random.Generator | None = 0,
) -> Interval:
    """The mean of some figures, with its percentile bootstrap interval.

    Draw as many figures as there are, with replacement, take their mean, do that many times: the
    interval holds the middle of these means. It says how far the mean would vary with other pieces
    of the same kind; of fewer than about ten pieces it is too narrow.

    Parameters
    ----------
    values : iterable of float
        One for each piece. NaN is left out.
    level : float
        The share of the means within the interval, above 0 and below 1.
    resamples : int
        How many means.
    rng : int, np.random.Generator or None
        Where chance comes from; the same seed gives the same interval.

    Returns
    -------
    Interval
        ``mean``, ``low`` and ``high``. The latter two are NaN for fewer than two values, all for
        none.

    Raises
    ------
    ParameterError
        `level` or `resamples` is out of range.

    Notes
    -----
    Efron & Tibshirani (1993), "An introduction to the bootstrap", doi:10.1201/9780429246593.

    Examples
    --------
    >>> mean, low, high = bootstrap([0.9, 0.8, 0.85, 0.7, 0.95])
    >>> print(f"{mean:.3f} ({low:.3f}-{high:.3f})")
    0.840 (0.760-0.910)
    """
    if not as_number(level, "level", above=0) < 1:
        raise ParameterError(f"level is {level!r}; it must be below 1, such as 0.95")
    draws = as_count(resamples, "resamples", low=1)
    x = np.array([value for value in values if not math.isnan(value)])
    if len(x) < 2:
        return Interval(float(x.mean()) if len(x) else math.nan, math.nan, math.nan)
    chosen = generator(rng).integers(len(x), size=(draws, len(x)))
    low, high = np.quantile(x[chosen].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(x.mean()), float(low), float(high))


@dataclass(frozen=True)
class TranscriptionSummary:
    """The scores of several pieces.

    ``print(summary)`` shows a table of F-measures, ``summary["waltz"].onset_f`` is one of them and
    ``summary.interval("onset_f")`` their mean with its bootstrap interval.

    Parameters
    ----------
    pieces : dict of str to TranscriptionScores
    """

    pieces: dict[str, TranscriptionScores]

    def __getitem__(self, piece: str) -> TranscriptionScores:
        return self.pieces[piece]

    def values(self, measure: str) -> np.ndarray:
        """One figure of each piece [shape=(piece,)]; NaN where a piece does not have it."""
        names = dict.fromkeys(name for s in self.pieces.values() for name in s.measures)
        if measure not in names:
            raise ParameterError(f"measure is {measure!r}; it must be one of {', '.join(names)}")
        return np.array([s.measures.get(measure, math.nan) for s in self.pieces.values()])

    def interval(self, measure: str, *, level: float = 0.95) -> Interval:
        """The mean of a measure over the pieces that have it, with its bootstrap interval."""
        return bootstrap(self.values(measure), level=level)

    def to_dict(self) -> dict[str, Any]:
        """All of it, of JSON types; None stands for NaN."""
        names = dict.fromkeys(name for s in self.pieces.values() for name in s.measures)
        mean = {name: known(self.interval(name)._asdict()) for name in names}
        return {"pieces": {name: s.to_dict() for name, s in self.pieces.items()}, "mean": mean}

    def __str__(self) -> str:
        drums = dict.fromkeys(part for s in self.pieces.values() for part in s.drums)
        columns = _COLUMNS | {f"{part}_f": part for part in drums}
        columns |= {"drum_f": "drums"} if len(drums) > 1 else {}
        held = {label: self.values(name) for name, label in columns.items()}
        held = {label: values for label, values in held.items() if not np.isnan(values).all()}
        names = [*self.pieces, "mean", "95 % from", "to"]
        table = [[f"{x:<{max(map(len, names))}}" for x in ("F", *names)]]
        for label, values in held.items():
            cells = [label, *map(_cell, (*values, *bootstrap(values)))]
            table.append([f"{x:>{max(map(len, cells))}}" for x in cells])
        return "\n".join("  ".join(row).rstrip() for row in zip(*table, strict=True))


def evaluate_transcriptions(
    pairs: Mapping[str, tuple[Notes, Notes]] | Iterable[tuple[Notes, Notes]],
    **settings: Any,
) -> TranscriptionSummary:
    """Judge the transcriptions of several pieces by their scores.

    Parameters
    ----------
    pairs : mapping of str to pair, or iterable of pairs
        Notes of a piece's score and its estimated notes, each as `evaluate_transcription`
        takes it. Pieces without a name are called ``1``, ``2`` and so on. Pairs are taken one by
        one, so a generator over a data set of (audio, notes), as mirdata gives them, holds no more
        than one recording at a time: ``((notes, transcribe(audio)) for audio, notes in data)``.
    **settings
        Of `evaluate_transcription`.

    Returns
    -------
    TranscriptionSummary

    Raises
    ------
    ParameterError
        There are no pairs.
    MissingExtraError
        mir_eval is not installed.

    Examples
    --------
    >>> from nmfaudio import Note
    >>> score = [Note(0.0, 1.0, 60), Note(1.0, 2.0, 64)]
    >>> print(evaluate_transcriptions({"waltz": (score, score), "march": (score, score[:1])}))
    F          onset  offset  velocity    all  frames
    waltz      1.000   1.000     1.000  1.000   1.000
    march      0.667   0.667     0.667  0.667   0.667
    mean       0.833   0.833     0.833  0.833   0.833
    95 % from  0.667   0.667     0.667  0.667   0.667
    to         1.000   1.000     1.000  1.000   1.000
    """
    named: Iterable[tuple[str, tuple[Notes, Notes]]]
    if isinstance(pairs, Mapping):
        named = pairs.items()
    else:
        named = ((str(i), pair) for i, pair in enumerate(pairs, 1))
    pieces = {name: evaluate_transcription(*pair, **settings) for name, pair in named}
    if not pieces:
        raise ParameterError("there are no pairs of notes; give at least one")
    return TranscriptionSummary(pieces)


def _cell(x: float) -> str:
    return "–" if math.isnan(x) else f"{x:.3f}"
