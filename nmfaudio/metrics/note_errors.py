"""Kinds of errors of transcribed notes, and scores over the tolerance of onsets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from nmfaudio._common.dataframes import to_dataframe
from nmfaudio._common.equality import EqualByContent
from nmfaudio.errors import ParameterError
from nmfaudio.metrics.note_matching import note_arrays, note_scores
from nmfaudio.metrics.transcription import as_seconds, split_drums
from nmfaudio.symbolic.conversion import Notes, as_notes
from nmfaudio.symbolic.note import Note

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

Attribute: TypeAlias = Literal["pitch", "velocity"]

_LATE = 0.25  # s; a note of the right pitch further away is another one
_CENTS = 50.0
KINDS = (
    "correct",
    "timing",
    "octave",
    "semitone",
    "pitch",
    "merged",
    "missed",
    "repeated",
    "extra",
)
"""Kinds of notes; the last two are estimated notes without a reference note."""

_EDGES: dict[Attribute, tuple[float, ...]] = {
    "pitch": (21, 36, 48, 60, 72, 84, 96, 109),
    "velocity": (0.0, 0.25, 0.5, 0.75, 1.0 + 1e-9),
}


class ClassifiedNote(NamedTuple):
    """A note of the reference, of the estimate, or of both, and its kind.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    reference, estimated : Note or None

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.metrics.note_errors([na.Note(0, 1, 60)], [na.Note(0, 1, 72)]).notes[0].kind
    'octave'
    """

    kind: str
    reference: Note | None
    estimated: Note | None


@dataclass(frozen=True, eq=False)
class NoteErrors(EqualByContent):
    """Notes of a transcription by the kind of their error.

    ``print(errors)`` shows their counts.

    Parameters
    ----------
    notes : tuple of ClassifiedNote
        By time.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64), na.Note(2.0, 3.0, 67)]
    >>> played = [na.Note(0.0, 0.4, 60), na.Note(0.5, 1.0, 60), na.Note(1.0, 2.0, 76)]
    >>> errors = na.metrics.note_errors(score, played)
    >>> {kind: count for kind, count in errors.counts.items() if count}
    {'correct': 1, 'octave': 1, 'missed': 1, 'repeated': 1}
    """

    notes: tuple[ClassifiedNote, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Number of notes of each kind."""
        found = Counter(note.kind for note in self.notes)
        return {kind: found[kind] for kind in KINDS}

    def by(
        self, attribute: Attribute, edges: Sequence[float] | None = None
    ) -> dict[tuple[float, float], dict[str, int]]:
        """Count kinds by the pitch or the loudness of the reference notes.

        Parameters
        ----------
        attribute : "pitch" or "velocity"
            MIDI numbers, or velocities from 0 to 1.
        edges : sequence of float, optional
            Bounds of the ranges, ascending; the upper bound belongs to the next range. By default
            octaves of the piano, or four ranges of velocity.

        Returns
        -------
        dict of (float, float) to dict of str to int
            Counts by range. Estimated notes without a reference note count by their own pitch or
            velocity.

        Raises
        ------
        ParameterError
            `attribute` is another one, or `edges` do not ascend.
        """
        if attribute not in _EDGES:
            raise ParameterError(f"attribute is {attribute!r}; it must be 'pitch' or 'velocity'")
        bounds = _EDGES[attribute] if edges is None else tuple(edges)
        if len(bounds) < 2 or any(low >= high for low, high in pairwise(bounds)):
            raise ParameterError(f"edges are {edges!r}; give at least two, in ascending order")
        table = {}
        for low, high in pairwise(bounds):
            within = [n for n in self.notes if low <= getattr(_either(n), attribute) < high]
            table[low, high] = NoteErrors(tuple(within)).counts
        return table

    def to_dict(self) -> dict[str, Any]:
        """Return counts in all, by pitch and by velocity, JSON-serialisable.

        Returns
        -------
        dict
            ``counts``, ``by_pitch`` and ``by_velocity``; ranges without notes are left out.
        """
        tables: dict[str, Any] = {"counts": self.counts}
        for attribute in _EDGES:
            tables[f"by_{attribute}"] = [
                {"from": low, "to": round(high, 6), **counts}
                for (low, high), counts in self.by(attribute).items()
                if any(counts.values())
            ]
        return tables

    def to_dataframe(self) -> pandas.DataFrame:
        """Return all notes as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``kind``, and onset, offset, pitch and velocity in the reference and in the
            estimate.

        Raises
        ------
        MissingExtraError
            pandas is not installed.
        """
        return to_dataframe(_record(note) for note in self.notes)

    def plot(self, **options: Any) -> Axes:
        """Draw the number of notes of each kind as bars.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_note_errors`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from nmfaudio.display import plot_note_errors

        return plot_note_errors(self, **options)

    def __str__(self) -> str:
        lines = [f"{kind:<9}  {count:>5}" for kind, count in self.counts.items()]
        styles: dict[Attribute, str] = {"pitch": "{:g} to {:g}", "velocity": "{:.2f} to {:.2f}"}
        for attribute, style in styles.items():
            lines += ["", f"{attribute:<13}  notes  correct  missed or merged"]
            for (low, high), counts in self.by(attribute).items():
                total = sum(counts.values()) - counts["repeated"] - counts["extra"]
                if total:
                    missed = counts["missed"] + counts["merged"]
                    last = high - 1 if attribute == "pitch" else high
                    span = style.format(low, last)
                    lines.append(f"{span:<13}  {total:>5}  {counts['correct']:>7}  {missed:>16}")
        return "\n".join(lines)


class ToleranceCurve(NamedTuple):
    """Scores of onsets over their tolerance.

    Parameters
    ----------
    tolerances : np.ndarray [shape=(tolerance,)]
        In seconds.
    precision, recall, f : np.ndarray [shape=(tolerance,)]
        Scores of notes with the right pitch and onset.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score, late = [na.Note(0, 1, 60)], [na.Note(0.03, 1, 60)]
    >>> na.metrics.tolerance_curve(score, late, [0.02, 0.05]).f
    array([0., 1.])
    """

    tolerances: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    f: np.ndarray

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


def note_errors(reference: Notes, estimated: Notes, *, tolerance: float = 0.05) -> NoteErrors:
    """Classify the errors of a transcription.

    Correct notes are those of `evaluate_transcription`: matched in pitch and onset. The others are
    paired by the first of these kinds that applies: *timing*, the right pitch up to 0.25 seconds
    away; *octave*, *semitone* and another *pitch* at the right time. Of the rest, a reference note
    is *merged* if an estimated note of its pitch sounds through its onset, otherwise *missed*; an
    estimated note is *repeated* if a reference note of its pitch sounds through its onset,
    otherwise *extra*. Drums (MIDI channel 10) are left out.

    Parameters
    ----------
    reference, estimated : sequence of Note, path, or object of another package
        Notes, as `evaluate_transcription` takes them.
    tolerance : float
        Largest deviation of an onset in seconds, at most 1.

    Returns
    -------
    NoteErrors
        All notes with their kinds.

    Raises
    ------
    AudioFileError
        A file cannot be read.
    ParameterError
        `tolerance` is out of range, or a side is not notes.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64)]
    >>> print(na.metrics.note_errors(score, [na.Note(0.0, 1.0, 60)]).counts["missed"])
    1
    """
    seconds = as_seconds(tolerance)
    ref, est = _pitched(reference, "reference"), _pitched(estimated, "estimated")
    found = [ClassifiedNote("correct", ref[i], est[j]) for i, j in _matched(ref, est, seconds)]
    for kind in ("timing", "octave", "semitone", "pitch"):
        ref_left, est_left = _left(ref, found, 1), _left(est, found, 2)
        found += _paired(kind, ref_left, est_left, seconds)
    ref_left, est_left = _left(ref, found, 1), _left(est, found, 2)
    for note in ref_left:
        kind = "merged" if _sounds_through(note, est, seconds) else "missed"
        found.append(ClassifiedNote(kind, note, None))
    for note in est_left:
        kind = "repeated" if _sounds_through(note, ref, seconds) else "extra"
        found.append(ClassifiedNote(kind, None, note))
    return NoteErrors(tuple(sorted(found, key=_place)))


def tolerance_curve(
    reference: Notes, estimated: Notes, tolerances: Iterable[float] = tuple(np.arange(1, 21) / 200)
) -> ToleranceCurve:
    """Compute the scores of onsets over their tolerance.

    Parameters
    ----------
    reference, estimated : sequence of Note, path, or object of another package
        Notes, as `evaluate_transcription` takes them. Drums are left out.
    tolerances : iterable of float
        Tolerances in seconds, each above 0 and at most 1; by default 5 to 100 ms.

    Returns
    -------
    ToleranceCurve
        Tolerances, precision, recall and F-measure.

    Raises
    ------
    AudioFileError
        A file cannot be read.
    ParameterError
        A tolerance is out of range, or a side is not notes.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score, late = [na.Note(0, 1, 60)], [na.Note(0.03, 1, 60)]
    >>> na.metrics.tolerance_curve(score, late, [0.02, 0.05]).f
    array([0., 1.])
    """
    limits = np.array([as_seconds(limit) for limit in tolerances])
    ref, est = _pitched(reference, "reference"), _pitched(estimated, "estimated")
    rows = []
    for limit in limits:
        settings = {"onset_tolerance": limit, "pitch_tolerance": _CENTS}
        scores = note_scores(ref, est, settings | {"offset_min_tolerance": limit}, 0.2, 0.1)
        rows.append([scores[f"onset_{which}"] for which in "prf"])
    return ToleranceCurve(limits, *np.array(rows).reshape(-1, 3).T)


def _pitched(source: Notes, name: str) -> list[Note]:
    return split_drums(as_notes(source, name), drums=False)[0]


def _either(note: ClassifiedNote) -> Note:
    """Note of the reference, or else of the estimate."""
    found = note.reference or note.estimated
    assert found is not None
    return found


def _place(note: ClassifiedNote) -> tuple[float, float, int]:
    """Time, pitch and kind, to sort by."""
    either = _either(note)
    return either.onset, either.pitch, KINDS.index(note.kind)


def _matched(ref: Sequence[Note], est: Sequence[Note], seconds: float) -> list[tuple[int, int]]:
    """Pairs of positions of correct notes."""
    if not (ref and est):
        return []
    from mir_eval.transcription import match_notes

    (ref_times, ref_hertz, _), (est_times, est_hertz, _) = note_arrays(ref), note_arrays(est)
    pairs: list[tuple[int, int]] = match_notes(
        ref_times, ref_hertz, est_times, est_hertz, onset_tolerance=seconds, offset_ratio=None
    )
    return pairs


def _left(notes: Sequence[Note], found: Sequence[ClassifiedNote], side: int) -> list[Note]:
    """Notes that are in no pair; equal notes count as often as they occur."""
    used = Counter(pair[side] for pair in found)
    left = []
    for note in notes:
        if used[note]:
            used[note] -= 1
        else:
            left.append(note)
    return left


def _paired(
    kind: str, ref: Sequence[Note], est: Sequence[Note], seconds: float
) -> list[ClassifiedNote]:
    """Largest number of pairs of notes whose relation is of a kind."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    if not (ref and est):
        return []
    onsets = [np.array([note.onset for note in side]) for side in (ref, est)]
    pitches = [np.array([note.pitch for note in side]) for side in (ref, est)]
    delays = np.abs(np.subtract.outer(*onsets))
    steps = np.abs(np.subtract.outer(*pitches))
    half = _CENTS / 100
    near = delays <= (_LATE if kind == "timing" else seconds + 1e-9)
    related = (
        near
        & {
            "timing": steps <= half,
            "octave": (np.abs(steps - 12 * np.round(steps / 12)) <= half) & (steps > half),
            "semitone": np.abs(steps - 1) <= half,
            "pitch": steps > half,
        }[kind]
    )
    partners = maximum_bipartite_matching(csr_array(related), perm_type="column")
    return [ClassifiedNote(kind, ref[i], est[j]) for i, j in enumerate(partners) if j >= 0]


def _sounds_through(note: Note, others: Sequence[Note], seconds: float) -> bool:
    """Return whether another note of this pitch sounds before and after an onset."""
    return any(
        abs(other.pitch - note.pitch) <= _CENTS / 100
        and other.onset < note.onset - seconds
        and other.offset > note.onset
        for other in others
    )


def _record(note: ClassifiedNote) -> dict[str, Any]:
    record: dict[str, Any] = {"kind": note.kind}
    for side in ("reference", "estimated"):
        found = getattr(note, side)
        for name in ("onset", "offset", "pitch", "velocity"):
            record[f"{side}_{name}"] = None if found is None else getattr(found, name)
    return record
