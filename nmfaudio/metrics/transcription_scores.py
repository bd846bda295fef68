"""Precision, recall and F-measure of a transcription."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from nmfaudio._common.dataframes import to_dataframe
from nmfaudio._common.equality import EqualByContent

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

_LABELS = {
    "onset": "onset",
    "offset": "onset, offset",
    "velocity": "onset, velocity",
    "offset_velocity": "onset, offset, velocity",
    "frame": "frames of 10 ms",
}


@dataclass(frozen=True, eq=False)
class TranscriptionScores(EqualByContent):
    """Precision, recall and F-measure of transcribed notes, each from 0 to 1.

    ``print(scores)`` shows a table. Measures that do not apply (velocities of drums, drums of a
    piano) are NaN.

    Parameters
    ----------
    onset_p, onset_r, onset_f : float
        Notes are correct if their pitch and onset are.
    offset_p, offset_r, offset_f : float
        Notes are correct if their pitch, onset and offset are.
    velocity_p, velocity_r, velocity_f : float
        Notes are correct if their pitch, onset and velocity are.
    offset_velocity_p, offset_velocity_r, offset_velocity_f : float
        Notes are correct if their pitch, onset, offset and velocity are.
    frame_p, frame_r, frame_f, frame_accuracy : float
        Active pitches, counted every 10 ms; the accuracy is TP / (TP + FN + FP).
    drum_p, drum_r, drum_f : float
        Means over the drums that the reference or the estimate has: a drum that is detected but
        never played counts as 0.
    drums : dict of str to tuple of three float
        Precision, recall and F-measure of the hits of each of these drums.
    n_reference, n_estimated : int
        Number of notes and hits in the reference and in the estimate.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64)]
    >>> scores = na.evaluate_transcription(score, score[:1])
    >>> scores.onset_p, scores.onset_r
    (1.0, 0.5)
    """

    onset_p: float
    onset_r: float
    onset_f: float
    offset_p: float
    offset_r: float
    offset_f: float
    velocity_p: float
    velocity_r: float
    velocity_f: float
    offset_velocity_p: float
    offset_velocity_r: float
    offset_velocity_f: float
    frame_p: float
    frame_r: float
    frame_f: float
    frame_accuracy: float
    drum_p: float
    drum_r: float
    drum_f: float
    drums: dict[str, tuple[float, float, float]]
    n_reference: int
    n_estimated: int

    @property
    def measures(self) -> dict[str, float]:
        """All measures by name; those of a drum are ``kick_p``, ``kick_r``, ``kick_f``."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.type == "float"}
        for part, scores in self.drums.items():
            values |= measures_named(part, scores)
        return values

    def to_dict(self) -> dict[str, Any]:
        """Return all measures and counts, JSON-serialisable.

        Returns
        -------
        dict
            None stands for NaN.
        """
        counts = {"n_reference": self.n_reference, "n_estimated": self.n_estimated}
        return nan_to_none(self.measures) | counts

    def to_dataframe(self) -> pandas.DataFrame:
        """Return precision, recall and F-measure as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``precision``, ``recall`` and ``f``; indexed by measure: ``onset``, ``offset``,
            ``velocity``, ``offset_velocity``, ``frame``, ``drum`` and every drum.

        Raises
        ------
        MissingExtraError
            pandas is not installed.
        """
        measures = self.measures
        rows = (
            {"measure": name}
            | {label: measures[f"{name}_{label[0]}"] for label in ("precision", "recall", "f")}
            for name in (*_LABELS, "drum", *self.drums)
        )
        return to_dataframe(rows, index="measure")

    def plot(self, **options: Any) -> Axes:
        """Draw precision, recall and F-measure as bars.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_note_scores`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from nmfaudio.display import plot_note_scores

        return plot_note_scores(self, **options)

    def _table(self) -> dict[str, list[float]]:
        """Precision, recall and F-measure by title of the measures that apply."""
        measures = self.measures
        names = _LABELS | {part: part for part in self.drums} | {"drum": "mean of drums"}
        rows = {
            label: [measures[f"{name}_{which}"] for which in "prf"] for name, label in names.items()
        }
        return {label: values for label, values in rows.items() if not math.isnan(values[-1])}

    def _repr_html_(self) -> str:
        from nmfaudio.display.html import note_scores_html

        return note_scores_html(self, table=self._table())

    def __str__(self) -> str:
        shown = self._table()
        width = max(map(len, shown), default=0)
        lines = [f"{'':{width}}  precision  recall      F"]
        lines += [
            f"{label:<{width}}  {p:9.3f}  {r:6.3f}  {f:5.3f}" for label, (p, r, f) in shown.items()
        ]
        if not math.isnan(self.frame_accuracy):
            lines.append(f"\naccuracy of frames {self.frame_accuracy:.3f}")
        lines.append(f"\n{self.n_reference} notes in the reference, {self.n_estimated} estimated")
        return "\n".join(lines)


def nan_to_none(measures: Mapping[str, float]) -> dict[str, float | None]:
    """Measures with None for NaN, which JSON does not have."""
    return {name: None if math.isnan(x) else x for name, x in measures.items()}


def measures_named(name: str, values: Iterable[float]) -> dict[str, float]:
    """Return precision, recall and F-measure under their names.

    Parameters
    ----------
    name : str
    values : iterable of float
        Three values.

    Returns
    -------
    dict of str to float
    """
    return {f"{name}_{which}": float(x) for which, x in zip("prf", values, strict=True)}
