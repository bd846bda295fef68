"""Errors of transcribed notes by kind, pitch and loudness."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nmfaudio._common.dataframes import to_dataframe
from nmfaudio._common.equality import EqualByContent
from nmfaudio.metrics.transcription import note_sides, tolerance_in_seconds
from nmfaudio.symbolic.conversion import Notes
from nmfaudio.symbolic.names import DRUM_CHANNEL, sound_name
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.note_matches import match_notes

if TYPE_CHECKING:
    import pandas

HIT = "hit"
KINDS = ("timing", "repeated", "octave", "semitone", "other")
"""Kinds of errors, in the order in which they are tried."""
_LATE = 4  # tolerances
_OCTAVE = 12  # semitones
_SAME = 0.5  # semitones, within which pitches are the same
_DECIMALS = 4  # of seconds, to which mir_eval rounds distances of onsets
_QUARTERS = 4


class JudgedNote(NamedTuple):
    """Note with ``"hit"`` or the kind of its error."""

    note: Note
    kind: str


@dataclass(frozen=True, eq=False)
class TranscriptionErrors(EqualByContent):
    """Notes of a reference and of its transcription with the kinds of their errors.

    ``print(errors)`` shows how many there are of each kind. The notes of the reference that are no
    hits were missed, the estimated ones are extra.

    Parameters
    ----------
    reference, estimated : tuple of (Note, str)
        Notes with their kinds: ``"hit"``, ``"timing"``, ``"repeated"``, ``"octave"``,
        ``"semitone"`` or ``"other"``, see `transcription_errors`.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64)]
    >>> played = [na.Note(0.0, 1.0, 60), na.Note(0.0, 1.0, 72), na.Note(1.1, 2.0, 64)]
    >>> print(na.metrics.transcription_errors(score, played))
              missed  extra
    timing         1      1
    repeated       0      0
    octave         0      1
    semitone       0      0
    other          0      0
    all            1      2  beside 1 hit
    """

    reference: tuple[JudgedNote, ...]
    estimated: tuple[JudgedNote, ...]

    @property
    def hits(self) -> int:
        """Number of notes that were found."""
        return sum(kind == HIT for _, kind in self.reference)

    @property
    def missed(self) -> dict[str, int]:
        """Number of missed notes of the reference by kind."""
        return _counts(self.reference)

    @property
    def extra(self) -> dict[str, int]:
        """Number of extra notes of the transcription by kind."""
        return _counts(self.estimated)

    def by_pitch(self) -> dict[str, TranscriptionErrors]:
        """Divide the notes by octaves, and drums by the parts of the kit.

        Returns
        -------
        dict of str to TranscriptionErrors
            Errors of octaves from C to B, such as ``"C4–B4"``, from low to high, then drums.
        """
        return self._divided(_pitch_group)

    def by_velocity(self) -> dict[str, TranscriptionErrors]:
        """Divide the notes by loudness into quarters of the range of velocities.

        Notes of each side are divided by their own velocities.

        Returns
        -------
        dict of str to TranscriptionErrors
            Errors of velocities from ``"0.00–0.25"`` to ``"0.75–1.00"``.
        """
        return self._divided(_velocity_group)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers of errors, JSON-serialisable.

        Returns
        -------
        dict
            ``hits``, ``missed`` and ``extra`` by kind, of all notes and in ``by_pitch`` and
            ``by_velocity``.
        """
        groups = {"by_pitch": self.by_pitch(), "by_velocity": self.by_velocity()}
        return self._numbers() | {
            name: {label: errors._numbers() for label, errors in group.items()}
            for name, group in groups.items()
        }

    def to_dataframe(self) -> pandas.DataFrame:
        """Return all notes as a table.

        Returns
        -------
        pandas.DataFrame
            A row per note with ``side`` (``"reference"`` or ``"estimated"``), ``kind``, ``onset``,
            ``offset``, ``pitch`` and ``velocity``.

        Raises
        ------
        MissingExtraError
            pandas is not installed.
        """
        return to_dataframe(
            {"side": side, "kind": kind}
            | {name: getattr(note, name) for name in ("onset", "offset", "pitch", "velocity")}
            for side in ("reference", "estimated")
            for note, kind in getattr(self, side)
        )

    def plot(self, **options: Any) -> Any:
        """Draw the errors by kind, pitch and loudness.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_transcription_errors`.

        Returns
        -------
        Panels
            Axes by name: ``"kind"``, ``"pitch"`` and ``"velocity"``.

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from nmfaudio.display import plot_transcription_errors

        return plot_transcription_errors(self, **options)

    def __str__(self) -> str:
        missed, extra = self.missed, self.extra
        lines = ["          missed  extra"]
        lines += [f"{kind:<8}  {missed[kind]:6}  {extra[kind]:5}" for kind in KINDS]
        total = f"{'all':<8}  {sum(missed.values()):6}  {sum(extra.values()):5}"
        return "\n".join([*lines, f"{total}  beside {self.hits} hit{'s' * (self.hits != 1)}"])

    def _numbers(self) -> dict[str, Any]:
        return {"hits": self.hits, "missed": self.missed, "extra": self.extra}

    def _divided(self, group: Callable[[Note], tuple[int, str]]) -> dict[str, TranscriptionErrors]:
        """Errors of each group of notes, in the order of the keys of the groups."""
        sides = (self.reference, self.estimated)
        groups = sorted({group(note) for side in sides for note, _ in side})
        return {
            key[1]: TranscriptionErrors(
                *(tuple(judged for judged in side if group(judged.note) == key) for side in sides)
            )
            for key in groups
        }


def transcription_errors(
    reference: Notes, estimated: Notes, *, tolerance: float = 0.05, drums: bool = False
) -> TranscriptionErrors:
    """Name the kinds of the errors of a transcription.

    Hits are the pairs of notes that count as correct in the onset measures of
    `nmfaudio.evaluate_transcription`. Any other note of either side is compared with the notes of
    the other side. Its kind is the first of these that applies:

    - ``"timing"``: a note of the same pitch on the other side, which is no hit either, begins
      within four times the tolerance;
    - ``"repeated"``: it begins while a hit of the same pitch sounds on the other side: a note
      broken into several (extra), or a repetition that was not heard (missed);
    - ``"octave"``: a note one or more octaves away begins with it on the other side;
    - ``"semitone"``: a note one semitone away begins with it on the other side;
    - ``"other"``: none of these.

    Drums have ``"timing"`` and ``"other"`` only.

    Parameters
    ----------
    reference, estimated : sequence of Note, path, or object of another package
        As in `nmfaudio.evaluate_transcription`.
    tolerance : float
        Largest deviation of an onset in seconds, at most 1.
    drums : bool
        Treat all notes as drums, on any channel.

    Returns
    -------
    TranscriptionErrors
        All notes with their kinds, in the order of their onsets.

    Raises
    ------
    AudioFileError
        A file cannot be read.
    ParameterError
        The tolerance is out of range, or a side is not notes.
    ContentError
        One side has drums only, and the other a note that is none.

    See Also
    --------
    nmfaudio.metrics.tolerance_curve : F-measure by the tolerance of onsets.

    Examples
    --------
    >>> import nmfaudio as na
    >>> score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64)]
    >>> played = [na.Note(0.0, 0.4, 60), na.Note(0.5, 1.0, 60), na.Note(1.0, 2.0, 65)]
    >>> errors = na.metrics.transcription_errors(score, played)
    >>> [judged.kind for judged in errors.estimated]
    ['hit', 'repeated', 'semitone']
    """
    tolerance = tolerance_in_seconds(tolerance)
    true, found = note_sides(reference, estimated, drums=drums)
    hits = match_notes(true, found, tolerance=tolerance)
    sides = true, found
    hit = tuple({pair[side] for pair in hits} for side in (0, 1))
    rest = [[i for i in range(len(own)) if i not in hit[n]] for n, own in enumerate(sides)]
    late = match_notes(
        *([own[i] for i in left] for own, left in zip(sides, rest, strict=True)),
        tolerance=_LATE * tolerance,
    )
    timing = tuple({rest[side][pair[side]] for pair in late} for side in (0, 1))
    judged = []
    for n, (own, other) in enumerate((sides, sides[::-1])):
        sounding = _Pitched.of(other[i] for i in sorted(hit[1 - n]))
        kinds = dict.fromkeys(timing[n], "timing") | dict.fromkeys(hit[n], HIT)
        pitched = _Pitched.of(other)
        judged.append(
            tuple(
                JudgedNote(note, kinds.get(i) or _kind(note, pitched, sounding, tolerance))
                for i, note in enumerate(own)
            )
        )
    return TranscriptionErrors(*judged)


class _Pitched(NamedTuple):
    """Notes other than drums, as arrays [shape=(note,)]."""

    onset: np.ndarray
    offset: np.ndarray
    pitch: np.ndarray

    @classmethod
    def of(cls, notes: Iterable[Note]) -> _Pitched:
        rows = [(n.onset, n.offset, n.pitch) for n in notes if n.channel != DRUM_CHANNEL]
        return cls(*np.array(rows, float).reshape(-1, 3).T)


def _kind(note: Note, other: _Pitched, hits: _Pitched, tolerance: float) -> str:
    """Kind of a note by the notes of the other side and those of them that are hits."""
    if note.channel == DRUM_CHANNEL:
        return "other"
    same = np.abs(hits.pitch - note.pitch) <= _SAME
    if (same & (hits.onset - tolerance <= note.onset) & (note.onset < hits.offset)).any():
        return "repeated"
    together = np.round(np.abs(other.onset - note.onset), _DECIMALS) <= tolerance
    distances = np.abs(other.pitch[together] - note.pitch)
    octaves = np.round(distances / _OCTAVE)
    if ((octaves > 0) & (np.abs(distances - _OCTAVE * octaves) <= _SAME)).any():
        return "octave"
    return "semitone" if (np.abs(distances - 1) <= _SAME).any() else "other"


def _counts(notes: Iterable[JudgedNote]) -> dict[str, int]:
    kinds = [kind for _, kind in notes]
    return {kind: kinds.count(kind) for kind in KINDS}


def _pitch_group(note: Note) -> tuple[int, str]:
    """Sort key and name of the octave of a note, or of its drum."""
    if note.channel == DRUM_CHANNEL:
        return 128, sound_name(note)
    octave = int(np.floor(round(note.pitch) / _OCTAVE)) - 1
    return octave, f"C{octave}–B{octave}"


def _velocity_group(note: Note) -> tuple[int, str]:
    """Sort key and name of the quarter of the velocities that a note is in."""
    quarter = min(int(_QUARTERS * note.velocity), _QUARTERS - 1)
    return quarter, f"{quarter / _QUARTERS:.2f}–{(quarter + 1) / _QUARTERS:.2f}"
