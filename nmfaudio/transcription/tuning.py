"""Tuning of transcribers: settings tried on pieces with known notes, and cross-validation."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, Self, TypeVar

import numpy as np

from nmfaudio._common.dataframes import to_dataframe
from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.figures import draw
from nmfaudio._common.json_types import as_json
from nmfaudio._common.validation import as_choice, as_pair
from nmfaudio.datasets.piece import Piece
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    import pandas

    from nmfaudio.symbolic.note import Note
    from nmfaudio.transcription.analysis import Analysis

_OCTAVES = 2  # on either side of a threshold that tuning searches
_CHOICES = ("mean", "worst")


class Tunable(Protocol):
    """Transcriber whose settings `tuned` changes, such as `nmfaudio.Transcriber`."""

    @property
    def model(self) -> object: ...
    def with_settings(self, **settings: Any) -> Self: ...
    def analyse(
        self,
        audio: Any,
        sr: int | None = None,
        *,
        rng: int | np.random.Generator | None = 0,
        cache: str | os.PathLike[str] | None = None,
    ) -> Analysis: ...
    def decode(self, analysis: Analysis) -> tuple[Note, ...]: ...


T = TypeVar("T")
N = TypeVar("N", bound=Tunable)


class Fold(NamedTuple):
    """Score of a piece with the settings that the other pieces choose.

    Parameters
    ----------
    piece : str
        Name of the piece that was held out.
    settings : dict
        Settings chosen on the others.
    score : float
        Score of the piece with these settings.

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.transcription.Fold("waltz", {"threshold": 0.1}, 0.9).score
    0.9
    """

    piece: str
    settings: dict[str, Any]
    score: float


@dataclass(frozen=True, eq=False)
class Tuning(EqualByContent, Generic[T]):
    """Result of tuning a transcriber on pieces with known notes.

    ``print(tuning)`` shows the scores of all settings and pieces, and the held-out scores.

    Parameters
    ----------
    transcriber : BaseTranscriber
        The transcriber with the best settings.
    metric : str
        Metric that was maximised.
    best : dict
        Settings of that transcriber, and under `metric` their mean over the pieces. Of drums, the
        threshold of each part, and the mean over the parts that were tuned.
    table : tuple of dict
        One row for each setting that was tried: the setting, and under `metric` the mean over the
        pieces. Rows of drums also have a ``part``.
    pieces : tuple of str
        Names of the pieces; empty for drums.
    scores : np.ndarray [shape=(setting, piece)]
        Score of each row of the table on each piece; NaN where it is undefined.
    folds : tuple of Fold
        Leave-one-out cross-validation, if there are two pieces or more.

    Examples
    --------
    >>> import nmfaudio as na
    >>> rows = ({"threshold": 0.1, "onset_f": 0.7}, {"threshold": 0.2, "onset_f": 0.9})
    >>> tuning = na.transcription.Tuning(na.Transcriber(threshold=0.2), "onset_f", rows[1], rows)
    >>> tuning.best
    {'threshold': 0.2, 'onset_f': 0.9}
    """

    transcriber: T
    metric: str
    best: dict[str, Any]
    table: tuple[dict[str, Any], ...]
    pieces: tuple[str, ...] = ()
    scores: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    folds: tuple[Fold, ...] = ()

    @property
    def held_out(self) -> float:
        """Mean score of the pieces with the settings that the others choose; NaN without folds."""
        return float(np.mean([fold.score for fold in self.folds])) if self.folds else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Return scores and folds, JSON-serialisable.

        Returns
        -------
        dict
            ``metric``, ``best``, ``settings`` with the score of each piece, ``folds`` and
            ``held_out``. None stands for NaN.
        """
        content = {
            "metric": self.metric,
            "best": self.best,
            "settings": self._rows(),
            "folds": [fold._asdict() for fold in self.folds],
            "held_out": self.held_out,
        }
        plain: dict[str, Any] = as_json(content, nonfinite="null")
        return plain

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the table with the score of each piece.

        Returns
        -------
        pandas.DataFrame
            A row for each setting.

        Raises
        ------
        MissingExtraError
            pandas is not installed.
        """
        return to_dataframe(self._rows())

    def plot(self, **options: Any) -> Any:
        """Draw the scores over the settings, and the held-out scores.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_tuning`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        return draw("plot_tuning", self, **options)

    def __str__(self) -> str:
        rows = [{name: _text(value) for name, value in row.items()} for row in self._rows()]
        lines = [list(rows[0]), *(list(row.values()) for row in rows)] if rows else []
        if self.folds:
            by_piece = {fold.piece: _text(fold.score) for fold in self.folds}
            names = [name for name in self.table[0] if name != self.metric]
            blank = ["held out", *[""] * (len(names) - 1)]
            pieces = [by_piece.get(piece, "–") for piece in self.pieces]
            lines.append([*blank, _text(self.held_out), *pieces])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True))
            for line in lines
        )

    def _rows(self) -> list[dict[str, Any]]:
        """Rows of the table with the score of each piece."""
        if not self.pieces:
            return [dict(row) for row in self.table]
        both = zip(self.table, self.scores.tolist(), strict=True)
        return [row | dict(zip(self.pieces, scores, strict=True)) for row, scores in both]


def tuned(
    transcriber: N,
    pieces: Iterable[Any],
    grid: Mapping[str, Sequence[Any]],
    *,
    metric: str,
    choice: str,
    rng: int | np.random.Generator | None,
    cache: str | os.PathLike[str] | None,
) -> Tuning[N]:
    """Try settings on pieces, and cross-validate their choice, as `Transcriber.tune` describes.

    Parameters
    ----------
    transcriber : Transcriber
    pieces : iterable of Piece or of (audio, notes)
    grid : mapping of str to sequence
    metric, choice, rng, cache
        As for `Transcriber.tune`.

    Returns
    -------
    Tuning
    """
    as_choice(choice, "choice", _CHOICES)
    rows = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    candidates = [transcriber.with_settings(**row) for row in rows]
    names, scores = _all_scores(candidates, pieces, metric, rng, cache)
    if not names:
        raise ParameterError("there are no pieces to tune on; pass some (audio, notes)")
    if np.isnan(scores).all():
        raise ParameterError(
            f"{metric} is undefined for all of these pieces; choose another metric"
        )
    means = np.nanmean(scores, axis=1).tolist()
    table = tuple(row | {metric: mean} for row, mean in zip(rows, means, strict=True))
    chosen = best_row(scores, choice)
    folds = tuple(
        Fold(name, rows[row], float(scores[row, piece]))
        for piece, name, row in _held_out(scores, names, choice)
    )
    return Tuning(candidates[chosen], metric, table[chosen], table, tuple(names), scores, folds)


def best_row(scores: np.ndarray, choice: str) -> int:
    """Choose a row by its mean, or by its lowest score and among equal ones by the mean.

    Parameters
    ----------
    scores : np.ndarray [shape=(setting, piece)]
        NaN where a score is undefined; no row has only these.
    choice : "mean" or "worst"

    Returns
    -------
    int

    Examples
    --------
    >>> scores = np.array([[1.0, 0.4], [0.6, 0.5]])
    >>> best_row(scores, "mean"), best_row(scores, "worst")
    (0, 1)
    """
    means = np.nanmean(scores, axis=1)
    if choice == "mean":
        return int(np.argmax(means))
    return int(np.lexsort((means, np.nanmin(scores, axis=1)))[-1])


def named_pieces(pieces: Iterable[Any]) -> Iterator[tuple[str, tuple[Any, int | None], Any]]:
    """Name, audio and notes of each piece.

    Parameters
    ----------
    pieces : iterable of Piece or of (audio, notes)

    Yields
    ------
    name : str
        Name of the piece or its file, with its folder if it repeats, or else a number; unique.
    audio : (path or np.ndarray, int or None)
        Arguments of `transcribe`.
    notes : Any
    """
    seen: set[str] = set()
    audio: Any
    for number, piece in enumerate(pieces, 1):
        if isinstance(piece, Piece):
            name, audio, notes = piece.name, piece.audio, piece.notes
        else:
            audio, notes = as_pair(piece, "pieces", "(audio, notes)")
            name = f"piece {number}"
            if _is_path(audio):
                path = Path(os.fsdecode(audio))
                name = f"{path.parent.name}/{path.stem}" if path.stem in seen else path.stem
        name = f"{name} ({number})" if name in seen else name
        seen.add(name)
        yield name, audio if isinstance(audio, tuple) else (audio, None), notes


def threshold_grid(threshold: float, per_octave: int) -> list[float]:
    """Thresholds from a quarter to four times one, evenly spaced in logarithm."""
    steps = np.arange(-_OCTAVES * per_octave, _OCTAVES * per_octave + 1) / per_octave
    grid: list[float] = (threshold * 2.0**steps).tolist()
    return grid


def _all_scores(
    candidates: Sequence[Tunable],
    pieces: Iterable[Any],
    metric: str,
    rng: int | np.random.Generator | None,
    cache: str | os.PathLike[str] | None,
) -> tuple[list[str], np.ndarray]:
    """Names of the pieces, and scores [shape=(setting, piece)]."""
    from nmfaudio.metrics.transcription import evaluate_transcription

    groups = _by_model(candidates)
    names, columns = [], []
    for name, audio, reference in named_pieces(pieces):
        column = np.empty(len(candidates))
        for group in groups:
            analysis = candidates[group[0]].analyse(*audio, rng=rng, cache=cache)
            for row in group:
                notes = candidates[row].decode(analysis)
                column[row] = _figure(evaluate_transcription(reference, notes).measures, metric)
        names.append(name)
        columns.append(column)
    return names, np.array(columns).reshape(len(names), len(candidates)).T


def _by_model(candidates: Sequence[Tunable]) -> list[list[int]]:
    """Indices of the candidates that have the same model."""
    groups: list[list[int]] = []
    for i, candidate in enumerate(candidates):
        group = next((g for g in groups if candidates[g[0]].model == candidate.model), None)
        if group is None:
            groups.append([i])
        else:
            group.append(i)
    return groups


def _held_out(
    scores: np.ndarray, names: Sequence[str], choice: str
) -> Iterator[tuple[int, str, int]]:
    """Index and name of each piece that has a score, and the row that the others choose."""
    for piece, name in enumerate(names):
        others = np.delete(scores, piece, axis=1)
        others = others[:, ~np.isnan(others).all(axis=0)]
        if others.shape[1] and not np.isnan(scores[:, piece]).any():
            yield piece, name, best_row(others, choice)


def _figure(measures: Mapping[str, float], metric: str) -> float:
    """Look up a metric by its name."""
    if metric not in measures:
        raise ParameterError(f"metric is {metric!r}; it must be one of {', '.join(measures)}")
    return measures[metric]


def _is_path(audio: object) -> bool:
    return isinstance(audio, str | bytes | os.PathLike)


def _text(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
