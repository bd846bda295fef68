"""Scores as MusicXML, written by partitura."""

from __future__ import annotations

import io
import os
import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any

from nmfaudio._common.extras import missing_extra
from nmfaudio._common.files.staging import write_bytes
from nmfaudio._public import public
from nmfaudio.symbolic.note_values import written_pieces
from nmfaudio.symbolic.score import Score, ScoreNote

_DIVISIONS = 48  # of a quarter note: 1/64 and sextuplets are whole numbers of them
_SWUNG = "swing"  # direction above the first bar
_VOICES = 4  # numbers of voices of a staff: 1 to 4 above, 5 to 8 below


@public
def write_musicxml(path: str | os.PathLike[str], score: Score, *, overwrite: bool = False) -> Path:
    """Write a score as MusicXML, which notation programs open.

    Parameters
    ----------
    path : str or os.PathLike
        The file, such as ``"song.musicxml"``.
    score : Score
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MissingExtraError
        partitura is not installed.
    OutputError
        The file exists, or cannot be written.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> score = na.symbolic.notate([na.Note(0, 1, 60)], na.symbolic.Beats(np.arange(4.0)))
    >>> na.symbolic.write_musicxml("song.musicxml", score)  # doctest: +SKIP
    """
    write_bytes(Path(path), encode_score(score), overwrite=overwrite)
    return Path(path)


def encode_score(score: Score) -> bytes:
    """Write a score as a MusicXML document with one part of two staves.

    Parameters
    ----------
    score : Score

    Returns
    -------
    bytes

    Raises
    ------
    MissingExtraError
        partitura is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # partitura imports deprecated modules
        try:
            import partitura
        except ImportError:
            raise missing_extra("score", "MusicXML files", "write MIDI") from None
        content = io.BytesIO()
        partitura.save_musicxml(_part(score, partitura.score), content)
    return content.getvalue()


def _part(score: Score, kinds: Any) -> Any:
    """Part of partitura; `kinds` is its module of the elements of scores."""
    part = kinds.Part("P1", "Piano", quarter_duration=_DIVISIONS)
    numerator, denominator = score.beats.time_signature
    part.add(kinds.TimeSignature(numerator, denominator), 0)
    part.add(kinds.KeySignature(score.key.sharps, score.key.mode), 0)
    part.add(kinds.Clef(1, "G", 2, 0), 0)
    part.add(kinds.Clef(2, "F", 4, 0), 0)
    unit = "q." if score.beats.compound else "q"
    part.add(kinds.Tempo(round(score.beats.tempo), unit), 0)
    if score.swing != 0.5:
        part.add(kinds.Words(_SWUNG, staff=1), 0)
    for number in range(score.bars):
        bar = kinds.Measure(number + 1, name=str(number + 1))
        part.add(bar, _ticks(score.bar * number), _ticks(score.bar * (number + 1)))
    for number, note in enumerate(score.notes):
        _add_note(part, score, note, f"n{number}", kinds)
    for staff in (1, 2):
        for voice in (1, 2):
            _fill(part, score, staff, voice, kinds)
    kinds.find_tuplets(part)
    return part


def _add_note(part: Any, score: Score, note: ScoreNote, name: str, kinds: Any) -> None:
    """Add a note, as tied notes where it crosses a bar line or has no note value of its own."""
    beat = Fraction(score.beats.quarters)
    before = None
    for number, (onset, end) in enumerate(
        written_pieces(note.onset, note.onset + note.duration, score.bar, beat)
    ):
        element = kinds.Note(
            step=note.name.step,
            octave=note.name.octave,
            alter=note.name.alter or None,
            id=f"{name}-{number}" if number else name,
            voice=note.voice + _VOICES * (note.staff - 1),
            staff=note.staff,
        )
        part.add(element, _ticks(onset), _ticks(end))
        if before is not None:
            before.tie_next, element.tie_prev = element, before
        before = element


def _fill(part: Any, score: Score, staff: int, voice: int, kinds: Any) -> None:
    """Add the rests of a voice beat by beat: of second voices only in bars where they play."""
    bar, beat = score.bar, Fraction(score.beats.quarters)
    spans = sorted(
        (note.onset, note.onset + note.duration)
        for note in score.notes
        if (note.staff, note.voice) == (staff, voice)
    )
    played = {n for onset, stop in spans for n in range(onset // bar, -(-stop // bar))}
    place, last = Fraction(0), bar * score.bars
    for onset, stop in [*spans, (last, last)]:
        while place < onset:
            in_beat, in_bar = (place // unit * unit + unit for unit in (beat, bar))
            empty = place % bar == 0 and onset >= in_bar
            until = in_bar if empty else min(onset, in_beat)
            if voice == 1 or place // bar in played:
                for begin, end in (
                    [(place, until)] if empty else written_pieces(place, until, bar, beat)
                ):
                    rest = kinds.Rest(voice=voice + _VOICES * (staff - 1), staff=staff)
                    part.add(rest, _ticks(begin), _ticks(end))
            place = until
        place = max(place, stop)


def _ticks(quarters: Fraction) -> int:
    """Divisions of a place in quarter notes."""
    return int(quarters * _DIVISIONS)
