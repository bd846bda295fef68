"""Scores of an experiment, with the versions and data that they come from."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nmfaudio._common.dataframes import to_dataframe
from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.files import show, write_bytes
from nmfaudio._common.files.json_files import read_json
from nmfaudio._common.files.sources import MALFORMED
from nmfaudio._common.json_types import as_json
from nmfaudio._common.text_tables import csv_table, latex_table, markdown_table
from nmfaudio._common.validation import as_number, shown
from nmfaudio.errors import AudioFileError, ParameterError
from nmfaudio.metrics.comparison import Comparison, compare
from nmfaudio.metrics.summary import bootstrap

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

_KIND = "experiment results"
_MOST = 1e100  # of a measure, whose mean must be finite


@dataclass(frozen=True)
class Run:
    """Scores of one system on one piece with one seed.

    Parameters
    ----------
    system, piece : str
        Their names.
    seed : int
        Seed of random initial values.
    measures : dict of str to float
        Measures of `TranscriptionScores`; NaN where one does not apply.
    n_reference, n_estimated : int
        Numbers of notes.
    chosen : dict
        Settings that the other pieces chose; empty for settings that are fixed.
    seconds : float
        Time that it took.
    key : str
        Hash of all that the scores depend on.

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.experiments.Run("shipped", "waltz", 0, {"onset_f": 0.9}, 100, 98).measures["onset_f"]
    0.9
    """

    system: str
    piece: str
    seed: int
    measures: dict[str, float]
    n_reference: int
    n_estimated: int
    chosen: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    key: str = ""


@dataclass(frozen=True, eq=False)
class ExperimentResults(EqualByContent):
    """Results of an experiment.

    ``print(results)`` shows the mean of each system with its bootstrap interval, and the tests of
    all pairs of systems.

    Parameters
    ----------
    runs : tuple of Run
        By system, piece and seed.
    measures : tuple of str
        Measures that tables show; the first is compared.
    title : str
        Heading.
    facts : dict
        ``versions`` of packages, ``data`` with the SHA-256 of the files of each piece, and the
        settings of the ``systems``.

    Examples
    --------
    >>> import nmfaudio as na
    >>> runs = [na.experiments.Run(system, piece, 0, {"onset_f": score}, 9, 9)
    ...         for system, piece, score in [("a", "waltz", 0.9), ("a", "march", 0.7),
    ...                                      ("b", "waltz", 0.8), ("b", "march", 0.5)]]
    >>> results = na.experiments.ExperimentResults(tuple(runs), ("onset_f",))
    >>> round(results.compare().tests[0].difference.mean, 3)
    0.15
    """

    runs: tuple[Run, ...]
    measures: tuple[str, ...]
    title: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def systems(self) -> tuple[str, ...]:
        """Names of the systems."""
        return tuple(dict.fromkeys(run.system for run in self.runs))

    @property
    def pieces(self) -> tuple[str, ...]:
        """Names of the pieces."""
        return tuple(dict.fromkeys(run.piece for run in self.runs))

    def values(self, system: str, measure: str) -> dict[str, float]:
        """Return the scores of a system, in the mean over the seeds.

        Parameters
        ----------
        system, measure : str

        Returns
        -------
        dict of str to float
            By piece; NaN where the measure does not apply.

        Raises
        ------
        ParameterError
            There is no such system.
        """
        if system not in self.systems:
            raise ParameterError(f"system is {system!r}; it must be one of {self.systems}")
        scores: dict[str, list[float]] = {}
        for run in self.runs:
            if run.system == system:
                scores.setdefault(run.piece, []).append(run.measures.get(measure, math.nan))
        return {piece: float(np.mean(values)) for piece, values in scores.items()}

    def compare(self, measure: str | None = None) -> Comparison:
        """Test whether the systems differ, by `nmfaudio.compare`.

        Parameters
        ----------
        measure : str, optional
            By default the first of `measures`. Pieces that it does not apply to are left out.

        Returns
        -------
        Comparison

        Raises
        ------
        ParameterError
            There are fewer than two systems, or no pieces that the measure applies to.
        """
        name = self.measures[0] if measure is None else measure
        scores = {system: self.values(system, name) for system in self.systems}
        shared = [
            p
            for p in self.pieces
            if all(math.isfinite(s.get(p, math.nan)) for s in scores.values())
        ]
        return compare({s: {p: v[p] for p in shared} for s, v in scores.items()}, measure=name)

    def to_dict(self) -> dict[str, Any]:
        """Return all content, JSON-serialisable.

        Returns
        -------
        dict
            ``title``, ``measures``, ``runs``, ``means`` and the facts. None stands for NaN.
        """
        means = {
            system: {
                name: bootstrap(self.values(system, name).values())._asdict()
                for name in self.measures
            }
            for system in self.systems
        }
        content = {
            "title": self.title,
            "measures": self.measures,
            "means": means,
            **self.facts,
            "runs": [asdict(run) for run in self.runs],
        }
        plain: dict[str, Any] = as_json(content, nonfinite="null")
        return plain

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the measures of all runs.

        Returns
        -------
        pandas.DataFrame
            A row for each system, piece and seed.

        Raises
        ------
        MissingExtraError
            pandas is not installed.
        """
        return to_dataframe(self._records())

    def to_csv(self) -> str:
        """Return the shown measures of all runs as comma-separated values.

        Returns
        -------
        str
        """
        names = ("system", "piece", "seed", *self.measures)
        return csv_table(names, [[record.get(n, "") for n in names] for record in self._records()])

    def to_markdown(self) -> str:
        """Return the means as a table in Markdown.

        Returns
        -------
        str
        """
        return markdown_table(*self._table())

    def to_latex(self) -> str:
        """Return the means as a table in LaTeX, with the rules of the package booktabs.

        Returns
        -------
        str
        """
        return latex_table(*self._table())

    def plot(self, **options: Any) -> Axes:
        """Draw the scores of each system by the first measure, with a line for each piece.

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

        measure = self.measures[0]
        scores = {s: np.array(list(self.values(s, measure).values())) for s in self.systems}
        return plot_comparison(Comparison(self.pieces, scores, (), measure), **options)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save as JSON.

        Parameters
        ----------
        path : str or os.PathLike
        overwrite : bool
            Whether to replace an existing file.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputError
            The file exists or cannot be written.
        """
        content = {"kind": _KIND} | self.to_dict()
        text = json.dumps(content, indent=1, allow_nan=False)
        write_bytes(Path(path), text.encode() + b"\n", overwrite=overwrite)
        return Path(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load a file that `save` wrote.

        Parameters
        ----------
        path : str or os.PathLike

        Returns
        -------
        ExperimentResults

        Raises
        ------
        AudioFileError
            The file cannot be read, or is no such file.
        """
        content = read_json(path)
        if not isinstance(content, dict) or content.pop("kind", None) != _KIND:
            raise AudioFileError(
                f"{show(path)}: has no results of an experiment; name another file"
            )
        try:
            runs = tuple(_run(each) for each in content.pop("runs"))
            measures = tuple(_text(name) for name in content.pop("measures"))
            title = _text(content.pop("title"))
            content.pop("means")
        except MALFORMED as error:
            raise AudioFileError(f"{show(path)}: is damaged: {error!r}; remove it") from None
        return cls(runs, measures, title, content)

    def __str__(self) -> str:
        columns, rows = self._table()
        lines = [columns, *rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = [
            "  ".join(
                f"{cell:<{width}}" if i == 0 else f"{cell:>{width}}"
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        if len(self.systems) > 1:
            text += ["", str(self.compare())]
        return "\n".join([*([self.title] if self.title else []), *text])

    def _records(self) -> list[dict[str, Any]]:
        return [
            {"system": run.system, "piece": run.piece, "seed": run.seed} | run.measures
            for run in self.runs
        ]

    def _table(self) -> tuple[list[str], list[list[str]]]:
        """Columns and rows of means with their intervals."""
        rows = []
        for system in self.systems:
            intervals = (bootstrap(self.values(system, name).values()) for name in self.measures)
            rows.append([system, *(_interval_text(*each) for each in intervals)])
        return ["system", *self.measures], rows


def _run(content: dict[str, Any]) -> Run:
    """Run of a file, in which None stands for NaN."""
    measures = {
        name: math.nan if value is None else as_number(value, name, low=-_MOST)
        for name, value in content["measures"].items()
    }
    if max(measures.values(), default=0) > _MOST:  # the mean of some would overflow
        raise ParameterError(f"a measure is above {_MOST:g}")
    run = Run(**content | {"measures": measures})
    _text(run.system), _text(run.piece)
    return run


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ParameterError(f"{shown(value)} is in the place of a name")
    return value


def _interval_text(mean: float, low: float, high: float) -> str:
    if math.isnan(mean):
        return "–"
    return f"{mean:.3f}" if math.isnan(low) else f"{mean:.3f} ({low:.3f}–{high:.3f})"
