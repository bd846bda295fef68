"""Scores of transcribed notes by the tolerance of their onsets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.dataframes import to_dataframe
from nmfaudio._common.equality import EqualByContent
from nmfaudio.errors import ParameterError
from nmfaudio.metrics.transcription import note_sides, tolerance_in_seconds
from nmfaudio.symbolic.conversion import Notes
from nmfaudio.symbolic.note_matches import match_notes

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

TOLERANCES = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2)
"""Tolerances by default, in seconds."""


@dataclass(frozen=True, eq=False)
class ToleranceCurve(EqualByContent):
    """Precision, recall and F-measure of onsets by their tolerance.

    Parameters
    ----------
    tolerances : np.ndarray [shape=(tolerance,)]
        Ascending, in seconds.
    precision, recall, f : np.ndarray [shape=(tolerance,)]
        From 0 to 1; NaN if neither side has notes.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64)]
    >>> played = [na.Note(0.0, 1.0, 60), na.Note(1.03, 2.0, 64)]
    >>> na.metrics.tolerance_curve(score, played, [0.02, 0.05]).f.tolist()
    [0.5, 1.0]
    """

    tolerances: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    f: np.ndarray

    def to_dict(self) -> dict[str, list[float | None]]:
        """Return tolerances and scores, JSON-serialisable.

        Returns
        -------
        dict
            None stands for NaN.
        """
        return {
            name: [None if np.isnan(x) else float(x) for x in getattr(self, name)]
            for name in ("tolerances", "precision", "recall", "f")
        }

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the scores as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``precision``, ``recall`` and ``f``, indexed by ``tolerance``.

        Raises
        ------
        MissingExtraError
            pandas is not installed.
        """
        names = ("tolerance", "precision", "recall", "f")
        rows = zip(*map(np.ndarray.tolist, self._arrays()), strict=True)
        return to_dataframe((dict(zip(names, row, strict=True)) for row in rows), index="tolerance")

    def plot(self, **options: Any) -> Axes:
        """Draw the scores over the tolerance.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_tolerance_curve`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from nmfaudio.display import plot_tolerance_curve

        return plot_tolerance_curve(self, **options)

    def __str__(self) -> str:
        lines = ["tolerance  precision  recall      F"]
        lines += [
            f"{1000 * t:6g} ms  {p:9.3f}  {r:6.3f}  {f:5.3f}"
            for t, p, r, f in zip(*self._arrays(), strict=True)
        ]
        return "\n".join(lines)

    def _arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        return self.tolerances, self.precision, self.recall, self.f


def tolerance_curve(
    reference: Notes,
    estimated: Notes,
    tolerances: Iterable[float] = TOLERANCES,
    *,
    drums: bool = False,
) -> ToleranceCurve:
    """Compute precision, recall and F-measure of onsets for several tolerances.

    All notes and hits count together: a hit has the pitch, or the drum, and the onset of the
    reference.

    Parameters
    ----------
    reference, estimated : sequence of Note, path, or object of another package
        As in `nmfaudio.evaluate_transcription`.
    tolerances : iterable of float
        Largest deviations of onsets in seconds, at most 1.
    drums : bool
        Treat all notes as drums, on any channel.

    Returns
    -------
    ToleranceCurve
        Scores by ascending tolerance.

    Raises
    ------
    AudioFileError
        A file cannot be read.
    ParameterError
        There are no tolerances, one is out of range, or a side is not notes.
    ContentError
        One side has drums only, and the other a note that is none.

    See Also
    --------
    nmfaudio.metrics.transcription_errors : Kinds of the errors for one tolerance.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64)]
    >>> played = [na.Note(0.0, 1.0, 60), na.Note(1.03, 2.0, 64)]
    >>> print(na.metrics.tolerance_curve(score, played, [0.02, 0.05]))
    tolerance  precision  recall      F
        20 ms      0.500   0.500  0.500
        50 ms      1.000   1.000  1.000
    """
    seconds = sorted(map(tolerance_in_seconds, tolerances))
    if not seconds:
        raise ParameterError("there are no tolerances; give at least one, in seconds")
    true, found = note_sides(reference, estimated, drums=drums)
    hits = np.array([len(match_notes(true, found, tolerance=t)) for t in seconds], float)
    if not true and not found:
        hits = np.full(len(seconds), np.nan)
    return ToleranceCurve(
        np.array(seconds),
        hits / max(len(found), 1),
        hits / max(len(true), 1),
        2 * hits / max(len(true) + len(found), 1),
    )
