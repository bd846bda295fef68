"""A score of performed notes: places in bars, hands, key and spelling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.symbolic.beats import Beats
from nmfaudio.symbolic.conversion import Notes, as_notes
from nmfaudio.symbolic.hands import split_hands
from nmfaudio.symbolic.key import Key, find_key
from nmfaudio.symbolic.names import DRUM_CHANNEL
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.quantisation import fit_grid, places_of
from nmfaudio.symbolic.spelling import Spelling, spell
from nmfaudio.symbolic.voices import divide_voices


@public
@dataclass(frozen=True)
class ScoreNote:
    """A note as written, beside the note as played.

    Parameters
    ----------
    onset, duration : Fraction
        In quarter notes; the first bar begins at 0.
    name : Spelling
        Letter, alteration and octave.
    staff : int
        1 is the upper one, of the right hand, 2 the lower one.
    voice : int
        1 or 2 within the staff.
    played : Note
        The note that is written.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> score = na.symbolic.notate([na.Note(0, 0.9, 66)], na.symbolic.Beats(np.arange(4.0)))
    >>> score.notes[0].name, score.notes[0].staff
    (Spelling(step='F', alter=1, octave=4), 1)
    """

    onset: Fraction
    duration: Fraction
    name: Spelling
    staff: int
    voice: int
    played: Note


@public
@dataclass(frozen=True, repr=False)
class Score:
    """A piano score on two staves.

    Parameters
    ----------
    notes : tuple of ScoreNote
        By onset, then pitch.
    beats : Beats
        Beats of the performance.
    key : Key
    swing : float
        Place of the second eighth within a beat as played: 0.5 is straight.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> notes = [na.Note(i / 2, i / 2 + 0.4, 60 + i) for i in (0, 2, 4, 5)]
    >>> score = na.symbolic.notate(notes, na.symbolic.Beats(np.arange(4.0)))
    >>> score
    Score(4 notes: 1 bar in 4/4, C major, 60.0 beats per minute)
    >>> str(score.notes[1].onset)
    '1'
    """

    notes: tuple[ScoreNote, ...]
    beats: Beats
    key: Key
    swing: float = 0.5

    def __repr__(self) -> str:
        numerator, denominator = self.beats.time_signature
        bars = f"{self.bars} bar" + "s" * (self.bars != 1)
        return (
            f"Score({len(self.notes)} notes: {bars} in {numerator}/{denominator}, "
            f"{self.key.name}, {self.beats.tempo:.1f} beats per minute)"
        )

    @property
    def bar(self) -> Fraction:
        """Duration of a bar in quarter notes."""
        numerator, denominator = self.beats.time_signature
        return Fraction(4 * numerator, denominator)

    @property
    def bars(self) -> int:
        """Number of bars."""
        end = max((note.onset + note.duration for note in self.notes), default=Fraction(0))
        return max(1, -(-end // self.bar))


@public
def notate(
    notes: Notes,
    beats: Beats,
    grid: str = "1/16",
    *,
    swing: float | None = None,
    triplets: bool = True,
) -> Score:
    """Write performed notes as a score of two staves.

    Notes are quantised, divided between the hands, spelled, and laid out in at most two voices of
    each staff. A note whose voice rests for less than a beat after it lasts until the next one.

    Parameters
    ----------
    notes : iterable of Note, or object of another package
        Drums are left out.
    beats : Beats
    grid : str
        Shortest note value, such as ``"1/16"``.
    swing : float, optional
        Place of the second eighth within a beat, 0.5 if straight; by default estimated.
    triplets : bool
        Whether a beat may be divided by three where that fits its notes clearly better.

    Returns
    -------
    Score
        Its notes keep what was played.

    Raises
    ------
    ParameterError
        The grid does not divide the beat, the swing is not between 0.5 and 0.8, or only drums
        are played.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> notes = [na.Note(0, 0.9, 48), na.Note(0.02, 0.5, 76), na.Note(0.51, 1, 74)]
    >>> score = na.symbolic.notate(notes, na.symbolic.Beats(np.arange(4.0)))
    >>> [(float(note.onset), note.name.step, note.staff) for note in score.notes]
    [(0.0, 'C', 2), (0.0, 'E', 1), (0.5, 'D', 1)]
    """
    played = sorted(as_notes(notes), key=lambda note: (note.onset, note.pitch))
    played = [note for note in played if note.channel != DRUM_CHANNEL]
    if not played:
        raise ParameterError("got no notes with pitches; a score needs at least one")
    fitted = fit_grid(played, beats, grid, swing=swing, triplets=triplets)
    places = places_of(played, fitted)
    first = _first_bar(places[0][0], beats)
    quarters = Fraction(beats.quarters)
    key = find_key(played)
    names = spell([int(np.floor(note.pitch + 0.5)) for note in played], key.sharps)
    written = [
        ScoreNote((onset - first) * quarters, (end - onset) * quarters, name, hand + 1, 1, note)
        for note, (onset, end), name, hand in zip(
            played, places, names, split_hands(played), strict=True
        )
    ]
    laid_out = [note for staff in (1, 2) for note in _voices(written, staff, quarters)]
    laid_out.sort(key=lambda note: (note.onset, note.name.pitch))
    return Score(tuple(laid_out), beats, key, fitted.swing)


def _first_bar(onset: Fraction, beats: Beats) -> int:
    """Beat that begins the bar of an onset."""
    bar = (onset - beats.first_downbeat) // beats.per_bar
    return int(beats.first_downbeat + bar * beats.per_bar)


def _voices(notes: Sequence[ScoreNote], staff: int, fill: Fraction) -> list[ScoreNote]:
    """Notes of a staff with their voices and durations; a note struck twice at once is one."""
    distinct: dict[tuple[Fraction, int], ScoreNote] = {}
    for note in notes:
        place = (note.onset, note.name.pitch)
        if note.staff == staff and (
            place not in distinct or distinct[place].duration < note.duration
        ):
            distinct[place] = note
    kept = sorted(distinct.values(), key=lambda note: (note.onset, note.name.pitch))
    spans = [(note.onset, note.onset + note.duration) for note in kept]
    pitches = [note.name.pitch for note in kept]
    return [
        replace(note, voice=voice, duration=end - note.onset)
        for note, (voice, end) in zip(kept, divide_voices(spans, pitches, fill), strict=True)
    ]
