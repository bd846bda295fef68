"""Scores of several pieces and bootstrap intervals of their means."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nmfaudio._common.dataframes import to_dataframe
from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.files import show
from nmfaudio._common.validation import as_count, as_number, as_pair
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.engine import generator
from nmfaudio.metrics.transcription import evaluate_transcription
from nmfaudio.metrics.transcription_scores import TranscriptionScores, nan_to_none
from nmfaudio.symbolic.conversion import Notes

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

_COLUMNS = {
    "onset_f": "onset",
    "offset_f": "offset",
    "velocity_f": "velocity",
    "offset_velocity_f": "all",
    "frame_f": "frames",
}
_MEAN = ("mean", "95 % from", "to")
_RESAMPLES = 2000
_PAIR = "(reference, estimated)"


class Interval(NamedTuple):
    """Mean and bounds of its confidence interval."""

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
    """Compute a mean and its percentile bootstrap interval.

    The values are resampled with replacement; the interval spans the central quantiles of the
    means of the resamples. It estimates the variation of the mean over pieces of the same kind, and
    is too narrow for fewer than about ten pieces.

    Parameters
    ----------
    values : iterable of float
        One per piece. NaN is ignored.
    level : float
        Confidence level, above 0 and below 1.
    resamples : int
        Number of resamples.
    rng : int, np.random.Generator or None
        Random generator or seed; the same seed gives the same interval.

    Returns
    -------
    Interval
        ``mean``, ``low`` and ``high``; the bounds are NaN for fewer than two values, the mean for
        none.

    Raises
    ------
    ParameterError
        `level` or `resamples` is out of range.

    References
    ----------
    B. Efron and R. J. Tibshirani, "An introduction to the bootstrap", 1993, chapter 13,
    doi:10.1201/9780429246593.

    Examples
    --------
    >>> import nmfaudio as na
    >>> mean, low, high = na.metrics.bootstrap([0.9, 0.8, 0.85, 0.7, 0.95])
    >>> print(f"{mean:.3f} ({low:.3f}-{high:.3f})")
    0.840 (0.760-0.910)
    """
    if not as_number(level, "level", above=0) < 1:
        raise ParameterError(f"level is {level!r}; it must be below 1, such as 0.95")
    draws = as_count(resamples, "resamples", low=1)
    x = np.array([value for value in values if not math.isnan(value)])
    if len(x) < 2:
        return Interval(float(x.mean()) if len(x) else math.nan, math.nan, math.nan)
    resampled = x[generator(rng).integers(len(x), size=(draws, len(x)))]  # (resample, piece)
    low, high = np.quantile(resampled.mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(x.mean()), float(low), float(high))


@dataclass(frozen=True, eq=False)
class TranscriptionSummary(EqualByContent):
    """Scores of the transcriptions of several pieces.

    ``print(summary)`` shows a table of F-measures, ``summary["waltz"]`` the scores of one piece.

    Parameters
    ----------
    pieces : dict of str to TranscriptionScores
        Scores by name of the piece.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64)]
    >>> pairs = {"waltz": (score, score), "march": (score, score[:1])}
    >>> summary = na.metrics.evaluate_transcriptions(pairs)
    >>> summary["march"].onset_r, summary.interval("onset_r").mean
    (0.5, 0.75)
    """

    pieces: dict[str, TranscriptionScores]

    def __getitem__(self, piece: str) -> TranscriptionScores:
        return self.pieces[piece]

    def values(self, measure: str) -> np.ndarray:
        """Return one measure of all pieces.

        Parameters
        ----------
        measure : str
            Name as in `TranscriptionScores.measures`, e.g. ``"onset_f"``.

        Returns
        -------
        np.ndarray [shape=(piece,)]
            NaN for pieces without this measure.

        Raises
        ------
        ParameterError
            No piece has this measure.
        """
        names = self._measures()
        if measure not in names:
            raise ParameterError(f"measure is {measure!r}; it must be one of {', '.join(names)}")
        return np.array([s.measures.get(measure, math.nan) for s in self.pieces.values()])

    def interval(self, measure: str, *, level: float = 0.95) -> Interval:
        """Compute the mean of a measure and its bootstrap interval, see `bootstrap`.

        Parameters
        ----------
        measure : str
            Name as in `TranscriptionScores.measures`. Pieces without it are ignored.
        level : float
            Confidence level, above 0 and below 1.

        Returns
        -------
        Interval
            ``mean``, ``low`` and ``high``.

        Raises
        ------
        ParameterError
            No piece has this measure, or `level` is out of range.
        """
        return bootstrap(self.values(measure), level=level)

    def to_dict(self) -> dict[str, Any]:
        """Return the scores of all pieces and the means, JSON-serialisable.

        Returns
        -------
        dict
            ``pieces`` and ``mean``, the latter with the bounds of the bootstrap interval. None
            stands for NaN.
        """
        mean = {name: nan_to_none(self.interval(name)._asdict()) for name in self._measures()}
        return {"pieces": {name: s.to_dict() for name, s in self.pieces.items()}, "mean": mean}

    def to_dataframe(self) -> pandas.DataFrame:
        """Return all measures of all pieces as a table.

        Returns
        -------
        pandas.DataFrame
            A column per measure, indexed by piece.

        Raises
        ------
        MissingExtraError
            pandas is not installed.
        """
        rows = ({"piece": name} | scores.measures for name, scores in self.pieces.items())
        return to_dataframe(rows, index="piece")

    def plot(self, **options: Any) -> Axes:
        """Draw one measure of all pieces as bars, with their mean.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_piece_scores`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from nmfaudio.display import plot_piece_scores

        return plot_piece_scores(self, **options)

    def _measures(self) -> tuple[str, ...]:
        """Names of the measures that any piece has."""
        return tuple(dict.fromkeys(name for s in self.pieces.values() for name in s.measures))

    def _table(self) -> dict[str, list[float]]:
        """F-measures of the pieces, their mean and its bounds, by title of the measure."""
        drums = dict.fromkeys(part for s in self.pieces.values() for part in s.drums)
        columns = _COLUMNS | {f"{part}_f": part for part in drums}
        columns |= {"drum_f": "drums"} if len(drums) > 1 else {}
        table = {}
        for name, label in columns.items():
            values = self.values(name)
            if not np.isnan(values).all():
                table[label] = [*values.tolist(), *bootstrap(values)]
        return table

    def _repr_html_(self) -> str:
        from nmfaudio.display.html import note_summary_html

        drums_only = np.isnan(self.values("onset_f")).all()
        return note_summary_html(
            partial(self.plot, measure="drum_f" if drums_only else "onset_f"),
            table=self._table(),
            columns=[*self.pieces, *_MEAN],
        )

    def __str__(self) -> str:
        names = [*map(show, self.pieces), *_MEAN]
        table = [[f"{x:<{max(map(len, names))}}" for x in ("F", *names)]]
        for label, values in self._table().items():
            cells = [label, *map(_cell, values)]
            table.append([f"{x:>{max(map(len, cells))}}" for x in cells])
        return "\n".join("  ".join(row).rstrip() for row in zip(*table, strict=True))


def evaluate_transcriptions(
    pairs: Mapping[str, tuple[Notes, Notes]] | Iterable[tuple[Notes, Notes]],
    **settings: Any,
) -> TranscriptionSummary:
    """Compare the transcriptions of several pieces with their references.

    Parameters
    ----------
    pairs : mapping of str to (reference, estimated), or iterable of (reference, estimated)
        Notes of each piece, as `evaluate_transcription` accepts them. Pieces without a name are
        called ``1``, ``2`` and so on. The iterable is consumed lazily, so that a generator over a
        data set keeps one recording in memory at a time:
        ``((notes, transcribe(audio)) for audio, notes in data)``.
    **settings
        Keyword arguments of `evaluate_transcription`.

    Returns
    -------
    TranscriptionSummary
        Scores by piece.

    Raises
    ------
    ParameterError
        There are no pairs, or `pairs` is a single one.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64)]
    >>> pairs = {"waltz": (score, score), "march": (score, score[:1])}
    >>> print(na.metrics.evaluate_transcriptions(pairs))
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
    pieces = {
        name: evaluate_transcription(*as_pair(pair, "pairs", _PAIR), **settings)
        for name, pair in named
    }
    if not pieces:
        raise ParameterError(f"there are no pairs of notes; give at least one {_PAIR}")
    return TranscriptionSummary(pieces)


def _cell(x: float) -> str:
    return "–" if math.isnan(x) else f"{x:.3f}"
