"""Paired tests of the scores of two or more systems on the same pieces."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from nmfaudio._common.dataframes import to_dataframe
from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.text_tables import csv_table, latex_table, markdown_table
from nmfaudio._common.validation import as_number
from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.engine import generator
from nmfaudio.metrics.evaluation import Evaluation
from nmfaudio.metrics.summary import Interval, TranscriptionSummary, bootstrap
from nmfaudio.metrics.transcription_scores import TranscriptionScores

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

Score: TypeAlias = float | TranscriptionScores | Evaluation
SystemScores: TypeAlias = TranscriptionSummary | Mapping[str, Score]

_PERMUTATIONS = 9999
_FEWEST = 6  # pieces, with which a signed-rank test can reach 0.05
_FEW = 13  # pieces, of which all permutations are tried
_MOST_EXACT = 50  # pieces, of which the signed ranks are counted exactly
_COLUMNS = (
    "first",
    "second",
    "mean",
    "mean",
    "difference",
    "from",
    "to",
    "Wilcoxon p",
    "permut. p",
)


class PairedTest(NamedTuple):
    """Comparison of two systems.

    Parameters
    ----------
    first, second : str
        Names of the systems.
    difference : Interval
        Mean over the pieces of the first score minus the second, and its bootstrap interval.
    wilcoxon : float
        p-value of the two-sided Wilcoxon signed-rank test, corrected by Holm over all pairs.
    permutation : float
        p-value of the two-sided permutation test of the mean difference, corrected likewise.

    Examples
    --------
    >>> import nmfaudio as na
    >>> scores = {"ours": {"waltz": 0.9, "march": 0.8}, "theirs": {"waltz": 0.7, "march": 0.7}}
    >>> na.compare(scores).tests[0].permutation
    0.5
    """

    first: str
    second: str
    difference: Interval
    wilcoxon: float
    permutation: float


@dataclass(frozen=True, eq=False)
class Comparison(EqualByContent):
    """Scores of systems on the same pieces, and tests of all pairs of systems.

    ``print(comparison)`` shows the tests as a table.

    Parameters
    ----------
    pieces : tuple of str
        Names of the pieces.
    scores : dict of str to np.ndarray [shape=(piece,)]
        Scores of each system.
    tests : tuple of PairedTest
        In the order of the systems.
    measure : str
        Name of the measure; empty for plain numbers.

    Examples
    --------
    >>> import nmfaudio as na
    >>> scores = {"ours": {"waltz": 0.9, "march": 0.8}, "theirs": {"waltz": 0.7, "march": 0.7}}
    >>> comparison = na.compare(scores)
    >>> round(comparison.tests[0].difference.mean, 3)
    0.15
    """

    pieces: tuple[str, ...]
    scores: dict[str, np.ndarray]
    tests: tuple[PairedTest, ...]
    measure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return scores and tests, JSON-serialisable.

        Returns
        -------
        dict
            ``measure``, ``scores`` by system and piece, and ``tests``. None stands for NaN.
        """
        scores = {
            system: dict(zip(self.pieces, values.tolist(), strict=True))
            for system, values in self.scores.items()
        }
        return {"measure": self.measure, "scores": scores, "tests": list(self._records())}

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the tests as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each pair of systems.

        Raises
        ------
        MissingExtraError
            pandas is not installed.
        """
        return to_dataframe(self._records())

    def to_csv(self) -> str:
        """Return the tests as comma-separated values in full precision.

        Returns
        -------
        str
            A line with names, and a line for each pair of systems; nothing stands for NaN.
        """
        records = list(self._records())
        return csv_table(list(records[0]), [list(record.values()) for record in records])

    def to_markdown(self) -> str:
        """Return the tests as a table in Markdown.

        Returns
        -------
        str
        """
        return markdown_table(_COLUMNS, self._rows())

    def to_latex(self) -> str:
        """Return the tests as a table in LaTeX, with the rules of the package booktabs.

        Returns
        -------
        str
        """
        return latex_table(_COLUMNS, self._rows())

    def plot(self, **options: Any) -> Axes:
        """Draw the scores of each system, with lines that connect those of a piece.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_comparison`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from nmfaudio.display import plot_comparison

        return plot_comparison(self, **options)

    def __str__(self) -> str:
        table = [_COLUMNS, *self._rows()]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(
                f"{cell:<{width}}" if i < 2 else f"{cell:>{width}}"
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in table
        ]
        title = f"{self.measure or 'scores'} of {len(self.pieces)} pieces; p corrected by Holm"
        if len(self.pieces) < _FEWEST:
            lines.append(f"at least {_FEWEST} pieces are needed for p < 0.05")
        return "\n".join([title, *lines])

    def _records(self) -> list[dict[str, Any]]:
        """Values of the tests by name."""
        return [
            {
                "first": test.first,
                "second": test.second,
                "mean_first": float(self.scores[test.first].mean()),
                "mean_second": float(self.scores[test.second].mean()),
                "difference": test.difference.mean,
                "low": _or_none(test.difference.low),
                "high": _or_none(test.difference.high),
                "wilcoxon": test.wilcoxon,
                "permutation": test.permutation,
            }
            for test in self.tests
        ]

    def _rows(self) -> list[list[str]]:
        return [
            [
                str(record["first"]),
                str(record["second"]),
                *(_score_text(record[name]) for name in ("mean_first", "mean_second")),
                *(_score_text(record[name], "+") for name in ("difference", "low", "high")),
                *(_p_text(record[name]) for name in ("wilcoxon", "permutation")),
            ]
            for record in self._records()
        ]


@public
def compare(
    results: Mapping[str, SystemScores],
    *,
    measure: str | None = None,
    level: float = 0.95,
    rng: int | np.random.Generator | None = 0,
) -> Comparison:
    """Test whether systems differ in their scores of the same pieces.

    Each pair of systems is compared by the mean of the differences with a paired bootstrap
    interval, by the Wilcoxon signed-rank test, and by a permutation test, which exchanges the
    systems within pieces. The p-values are corrected by Holm's method for the number of pairs. With
    fewer than six pieces no test can reach 0.05.

    Parameters
    ----------
    results : mapping of str to TranscriptionSummary or to mapping of str
        Scores of each system: a summary of `nmfaudio.metrics.evaluate_transcriptions`, or for each
        piece a number, a `TranscriptionScores` or an `Evaluation` (whose mean over the sources
        counts). All systems have the same pieces, in any order.
    measure : str, optional
        Measure to compare; by default ``"onset_f"`` of transcriptions and ``"si_sdr"`` of
        separations. Numbers have none.
    level : float
        Confidence level of the intervals, above 0 and below 1.
    rng : int, np.random.Generator or None
        Random generator or seed of bootstrap and permutations.

    Returns
    -------
    Comparison
        The scores, and a test for each pair of systems.

    Raises
    ------
    ParameterError
        There are fewer than two systems, no pieces, pieces that a system lacks, or scores that are
        not finite.

    See Also
    --------
    nmfaudio.metrics.bootstrap : Mean of one system with its interval.

    References
    ----------
    J. Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7, 2006.
    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6(2), 1979.

    Examples
    --------
    >>> import nmfaudio as na
    >>> ours = {"a": 0.91, "b": 0.84, "c": 0.88, "d": 0.95, "e": 0.79, "f": 0.90}
    >>> theirs = {"a": 0.85, "b": 0.80, "c": 0.87, "d": 0.90, "e": 0.70, "f": 0.83}
    >>> test = na.compare({"ours": ours, "theirs": theirs}).tests[0]
    >>> print(f"{test.difference.mean:.3f}, p = {test.wilcoxon:.3f}")
    0.053, p = 0.031
    """
    if not isinstance(results, Mapping) or len(results) < 2:
        raise ParameterError("results must be a mapping of two or more systems to their scores")
    named = {system: _piece_scores(system, result) for system, result in results.items()}
    pieces = tuple(next(iter(named.values())))
    measure = _measure(named) if measure is None else measure
    scores = {system: _values(system, found, pieces, measure) for system, found in named.items()}
    random = generator(rng)
    found = [
        (first, second, scores[first] - scores[second]) for first, second in combinations(scores, 2)
    ]
    intervals = [bootstrap(d, level=level, rng=random) for *_, d in found]
    wilcoxon = holm([_wilcoxon(d, random) for *_, d in found])
    permutation = holm([_permutation(d, random) for *_, d in found])
    columns = zip(found, intervals, wilcoxon, permutation, strict=True)
    tests = tuple(
        PairedTest(first, second, interval, signed_rank, permuted)
        for (first, second, _), interval, signed_rank, permuted in columns
    )
    return Comparison(pieces, scores, tests, measure)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number by Holm's step-down method.

    Parameters
    ----------
    p_values : sequence of float

    Returns
    -------
    list of float
        In the same order, at most 1.
    """
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(np.array(p_values)[order] * factors), 1.0)
    return [float(p) for p in corrected]


def _piece_scores(system: str, result: SystemScores) -> Mapping[str, Score]:
    """Scores of a system by piece."""
    pieces = result.pieces if isinstance(result, TranscriptionSummary) else result
    if not isinstance(pieces, Mapping):
        raise ParameterError(
            f"the scores of {system!r} are a {type(result).__name__}; give a mapping of pieces to "
            "scores, or a TranscriptionSummary"
        )
    if not pieces:
        raise ParameterError(f"{system!r} has no scores; give at least one piece")
    return pieces


def _measure(named: Mapping[str, Mapping[str, Score]]) -> str:
    """Measure by default of the first score."""
    score = next(iter(next(iter(named.values())).values()))
    if isinstance(score, TranscriptionScores):
        return "onset_f"
    return "si_sdr" if isinstance(score, Evaluation) else ""


def _values(
    system: str, scores: Mapping[str, Score], pieces: Sequence[str], measure: str
) -> np.ndarray:
    """Scores of a system in the order of the pieces."""
    if scores.keys() != set(pieces):
        differing = ", ".join(sorted(map(str, scores.keys() ^ set(pieces))))
        raise ParameterError(
            f"{system!r} has other pieces than the first system ({differing}); give all systems "
            "the same pieces"
        )
    return np.array([_value(scores[piece], measure, system, piece) for piece in pieces])


def _value(score: Score, measure: str, system: str, piece: str) -> float:
    name = f"the score of {system!r} for {piece!r}"
    if isinstance(score, TranscriptionScores | Evaluation):
        found = score.measures if isinstance(score, TranscriptionScores) else score.mean
        if measure not in found:
            raise ParameterError(f"measure is {measure!r}; it must be one of {', '.join(found)}")
        name, score = f"{measure} of {system!r} for {piece!r}", found[measure]
    return as_number(score, name)


def _wilcoxon(differences: np.ndarray, random: np.random.Generator) -> float:
    """p-value of the two-sided signed-rank test; pieces without a difference are left out."""
    from scipy.stats import rankdata, wilcoxon

    unequal = differences[differences != 0]
    if len(unequal) <= _FEW:  # exact with ties, too, where SciPy approximates
        return _permutation(np.sign(unequal) * rankdata(np.abs(unequal)), random)
    tied = len(np.unique(np.abs(unequal))) < len(unequal)
    method = "approx" if tied or len(unequal) > _MOST_EXACT else "exact"
    return float(wilcoxon(unequal, method=method).pvalue)


def _permutation(differences: np.ndarray, random: np.random.Generator) -> float:
    """p-value of the two-sided test that changes the signs of differences."""
    from scipy.stats import permutation_test

    if not differences.any() or len(differences) < 2:
        return 1.0
    names = inspect.signature(permutation_test).parameters
    result = permutation_test(
        (differences,),
        lambda x, axis: x.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=_PERMUTATIONS,
        **{"rng" if "rng" in names else "random_state": random},  # renamed in SciPy 1.15
    )
    return float(result.pvalue)


def _or_none(x: float) -> float | None:
    return None if math.isnan(x) else x


def _score_text(x: float | None, sign: str = "-") -> str:
    return "–" if x is None else f"{x:{sign}.3f}".replace("-", "−")


def _p_text(p: float) -> str:
    return "< .001" if p < 0.001 else f"{p:.3f}"
