"""Precision, recall and F-measure of transcribed notes."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.dataframes import to_dataframe
from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.files import show
from nmfaudio._common.validation import as_number
from nmfaudio._public import public
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.metrics.note_matching import drum_scores, frame_scores, named, note_scores
from nmfaudio.symbolic.conversion import Notes, as_notes
from nmfaudio.symbolic.names import DRUM_CHANNEL, part_named
from nmfaudio.symbolic.note import Note

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
            values |= named(part, scores)
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


@public
def evaluate_transcription(
    reference: Notes,
    estimated: Notes,
    *,
    tolerance: float = 0.05,
    pitch_tolerance: float = 50.0,
    offset_ratio: float = 0.2,
    velocity_tolerance: float = 0.1,
    drums: bool = False,
) -> TranscriptionScores:
    """Compare transcribed notes with reference notes, by the measures of mir_eval.

    Each reference note is matched with at most one estimated note and vice versa, by a matching of
    maximum size. Notes on MIDI channel 9 are drums: their pitch names the drum, and only onsets
    count. If one side has drums only, the other's notes on channel 0 are taken for drums, too:
    tables of other programs have no channels. The order of notes does not matter; notes of length
    0 last 1 ms. Velocities are compared after a linear regression on the matched notes, so their
    scale does not matter.

    If only one side has notes, all scores are 0. If neither has, they are NaN (0 in mir_eval).

    Parameters
    ----------
    reference, estimated : sequence of Note, path, or object of another package
        Paths name MIDI files, tables of notes or of drum hits, see `read_notes`. Accepted objects
        are those of `nmfaudio.symbolic.as_notes`: results with ``notes``, `pretty_midi.PrettyMIDI`,
        ``NoteData`` of mirdata, and (intervals, Hz) of mir_eval.
    tolerance : float
        Largest deviation of an onset, in seconds, at most 1; also of an offset, unless
        `offset_ratio` allows more.
    pitch_tolerance : float
        Largest deviation of a pitch, in cents.
    offset_ratio : float
        Largest deviation of an offset, relative to the length of the reference note.
    velocity_tolerance : float
        Largest deviation of a velocity, relative to the range of reference velocities.
    drums : bool
        Treat all notes as drums, on any channel.

    Returns
    -------
    TranscriptionScores
        Precision, recall and F-measure of notes, frames and drums.

    Raises
    ------
    AudioFileError
        A file cannot be read.
    ParameterError
        A tolerance is out of range, or a side is not notes.
    ContentError
        One side has drums only, and the other a note that is none.

    See Also
    --------
    nmfaudio.metrics.evaluate_transcriptions : Scores of several pieces and their means.

    Notes
    -----
    Onset, offset and frame measures are those of the MIREX tasks as implemented by mir_eval [1]_,
    velocity measures those of Hawthorne et al. [2]_.

    References
    ----------
    .. [1] Raffel et al. (2014), "mir_eval: a transparent implementation of common MIR metrics",
       ISMIR, doi:10.5281/zenodo.1416528
    .. [2] Hawthorne et al. (2018), "Onsets and frames: dual-objective piano transcription", ISMIR,
       doi:10.5281/zenodo.1492341

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64), na.Note(2.0, 3.0, 67)]
    >>> played = [na.Note(0.01, 1.0, 60), na.Note(1.02, 1.5, 64), na.Note(2.2, 3.0, 67)]
    >>> print(na.evaluate_transcription(score, played))
                             precision  recall      F
    onset                        0.667   0.667  0.667
    onset, offset                0.333   0.333  0.333
    onset, velocity              0.667   0.667  0.667
    onset, offset, velocity      0.333   0.333  0.333
    frames of 10 ms              1.000   0.757  0.861
    <BLANKLINE>
    accuracy of frames 0.757
    <BLANKLINE>
    3 notes in the reference, 3 estimated
    """
    tolerances = {
        "onset_tolerance": as_seconds(tolerance),
        "pitch_tolerance": as_number(pitch_tolerance, "pitch_tolerance", above=0),
        "offset_min_tolerance": tolerance,
    }
    offset_ratio = as_number(offset_ratio, "offset_ratio", above=0)
    velocity_tolerance = as_number(velocity_tolerance, "velocity_tolerance", above=0)
    sides = as_notes(reference, "reference"), as_notes(estimated, "estimated")
    drums = drums or _lost_channel(sides)
    if drums:
        _require_drums(sides[0], _label(reference, "reference"))
        _require_drums(sides[1], _label(estimated, "estimated"))
    (notes, hits), (est_notes, est_hits) = (split_drums(side, drums) for side in sides)
    scores = note_scores(notes, est_notes, tolerances, offset_ratio, velocity_tolerance)
    scores |= frame_scores(notes, est_notes, pitch_tolerance / 100)
    parts = drum_scores(hits, est_hits, tolerance)
    means = np.mean(list(parts.values()), axis=0).tolist() if parts else [math.nan] * 3
    return TranscriptionScores(
        **scores,
        **named("drum", means),
        drums=parts,
        n_reference=len(notes) + sum(map(len, hits.values())),
        n_estimated=len(est_notes) + sum(map(len, est_hits.values())),
    )


def as_seconds(tolerance: float) -> float:
    """Return a tolerance in seconds; more than one second is mistaken for milliseconds."""
    tolerance = as_number(tolerance, "tolerance", above=0)
    if tolerance > 1:
        raise ParameterError(
            f"tolerance is {tolerance:g} seconds; at most 1 is allowed: did you mean "
            f"{tolerance / 1000:g}?"
        )
    return tolerance


def nan_to_none(measures: Mapping[str, float]) -> dict[str, float | None]:
    """Measures with None for NaN, which JSON does not have."""
    return {name: None if math.isnan(x) else x for name, x in measures.items()}


def _label(source: Notes, name: str) -> str:
    """Name of a side in messages."""
    return show(source) if isinstance(source, str | os.PathLike) else name


def _lost_channel(sides: Sequence[Sequence[Note]]) -> bool:
    """Return whether one side has drums only, and the other notes without a channel.

    These are then drums too: tables of other programs have no column of channels.
    """
    channels = [{note.channel for note in side} for side in sides]
    return {DRUM_CHANNEL} in channels and {0} in channels


def _require_drums(notes: Sequence[Note], label: str) -> None:
    """Raise `ContentError` if a note is neither on the channel of drums nor of their pitches."""
    for note in notes:
        if note.channel != DRUM_CHANNEL and part_named(f"{note.pitch:g}") is None:
            raise ContentError(
                f"{label}: {note.pitch:g} at {note.onset:g} s is not a part of a drum kit; compare "
                "drums with drums, as General MIDI or rows of seconds,drum"
            )


def split_drums(
    notes: Sequence[Note], drums: bool
) -> tuple[list[Note], Mapping[str, Sequence[float]]]:
    """Pitched notes, and the onsets of each drum."""
    pitched: list[Note] = []
    hits: dict[str, list[float]] = {}
    for note in notes:
        if drums or note.channel == DRUM_CHANNEL:
            key = f"{note.pitch:g}"
            hits.setdefault(part_named(key) or key, []).append(note.onset)
        else:
            pitched.append(note)
    # mir_eval's choice among several maximum matchings depends on the order, and the velocity
    # measures on the choice.
    pitched.sort(key=lambda note: (note.onset, note.pitch, note.offset, note.velocity))
    return pitched, {part: sorted(times) for part, times in hits.items()}
