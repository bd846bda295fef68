"""Tunes in ABC notation: the fiddle tunes and airs that come with music21."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from benchmarks.scores.material import SIGNATURES, Piece, WrittenNote

FOLDERS = ("ryansMammoth", "oneills1850", "airdsAirs", "miscFolk")
_FEWEST = 24  # notes of a tune
_FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}
_MODES = {"m": -3, "min": -3, "aeo": -3, "dor": -2, "mix": -1, "lyd": 1, "phr": -4, "loc": -5}
_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHARPENED = "FCGDAEB"
_TOKEN = re.compile(
    r'"[^"]*"|\{[^}]*\}|![^!]*!|\[\d'  # chord symbols, grace notes, decorations, endings
    r"|\[(?P<field>[A-Z]):(?P<value>[^\]]*)\]"
    r"|(?P<bar>:*\|+[\]:|]*:*|::)"
    r"|\((?P<tuplet>\d)(?::(?P<time>\d?))?(?::(?P<span>\d?))?"
    r"|(?P<open>\[)|(?P<close>\])"
    r"|(?P<accidental>[\^_=]*)(?P<step>[A-Ga-gzxZ])(?P<octave>[,']*)(?P<length>\d*/*\d*)"
    r"|(?P<broken>>+|<+)|(?P<tie>-)|."
)


def read_tunes(folder: Path) -> Iterator[Piece]:
    """Read all tunes in a constant time signature of the ABC files of a folder."""
    for path in sorted(folder.glob("*.abc")):
        text = path.read_text("utf-8", errors="replace")
        blocks = [block for block in re.split(r"(?m)^(?=X:)", text) if block.startswith("X:")]
        for number, block in enumerate(blocks):
            piece = _tune(block, f"{folder.name}/{path.name}/{number}")
            if piece is not None:
                yield piece


def _tune(block: str, name: str) -> Piece | None:
    """Piece of a block of ABC, None where it is not read: several voices or time signatures."""
    fields: dict[str, str] = {}
    body = []
    for row in (line.split("%")[0].rstrip() for line in block.splitlines()):
        if not re.match(r"[A-Za-z]:", row):
            body.append(row.rstrip("\\"))
        elif "K" not in fields:
            fields[row[0]] = row[2:].strip()
        elif row[0] in "MLKV":
            body.append(f"[{row}]")
    signature = {"C": "4/4", "C|": "2/2"}.get(fields.get("M", ""), fields.get("M", ""))
    if signature not in SIGNATURES or "K" not in fields:
        return None
    numerator, denominator = map(int, signature.split("/"))
    usual = "1/16" if Fraction(numerator, denominator) < Fraction(3, 4) else "1/8"
    try:
        tune = _Tune(4 * Fraction(fields.get("L", usual)), _sharps(fields["K"]), numerator)
        tune.read("\n".join(body))
    except ValueError:
        return None
    bar = Fraction(4 * numerator, denominator)
    if len(tune.notes) < _FEWEST or not tune.bars:
        return None
    pickup, count = Counter(place % bar for place in tune.bars).most_common(1)[0]
    if count < 0.6 * len(tune.bars):
        return None
    notes = tuple(note for note in tune.notes if note.duration > 0)
    return Piece(name, notes, numerator, denominator, pickup, tune.sharps, 1)


def _sharps(key: str) -> int:
    """Sharps of a key, negative for flats."""
    found = re.match(r"\s*([A-G])([#b]?)\s*([A-Za-z]*)", key)
    if found is None:
        return 0
    step, accidental, mode = found.groups()
    mode = mode.lower()
    fifths = _FIFTHS[step] + {"#": 7, "b": -7, "": 0}[accidental]
    return fifths + _MODES.get("m" if mode == "m" else mode[:3], 0)


def _length(text: str) -> Fraction:
    """Factor of a length, such as 3/2, / or 2."""
    above, slashes, below = re.fullmatch(r"(\d*)(/*)(\d*)", text).groups()
    return Fraction(int(above or 1), int(below or 2 ** len(slashes)) if slashes else 1)


class _Tune:
    """Notes of one voice, read token by token."""

    def __init__(self, unit: Fraction, sharps: int, numerator: int) -> None:
        self.notes: list[WrittenNote] = []
        self.bars: list[Fraction] = []
        self.sharps, self._unit, self._numerator = sharps, unit, numerator
        self._time = Fraction(0)
        self._accidentals: dict[tuple[str, str], int] = {}  # of the bar, by step and octave
        self._tuplet: tuple[Fraction, int] | None = None  # factor, and notes that it still has
        self._broken = Fraction(1)  # factor of the next note
        self._tied = False
        self._chord: list[Fraction] | None = None  # durations of the notes of an open chord

    def read(self, body: str) -> None:
        """Read the notes of a body.

        Raises
        ------
        ValueError
            It has several time signatures or voices.
        """
        for token in _TOKEN.finditer(body):
            if token["field"]:
                self._field(token["field"], token["value"])
            elif token["bar"]:
                self.bars.append(self._time)
                self._accidentals = {}
            elif token["tuplet"]:
                notes = int(token["tuplet"])
                usual = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(notes, 2 if self._numerator % 3 else 3)
                factor = Fraction(int(token["time"] or usual), notes)
                self._tuplet = factor, int(token["span"] or notes)
            elif token["open"]:
                self._chord = []
            elif token["close"]:
                self._time += self._chord[0] if self._chord else 0
                self._chord = None
            elif token["step"]:
                self._note(token)
            elif token["broken"] and self.notes and self._chord is None:
                self._break(token["broken"])
            elif token["tie"]:
                self._tied = True

    def _field(self, name: str, value: str) -> None:
        if name in "MV":
            raise ValueError("several time signatures or voices")
        if name == "K":
            self.sharps = _sharps(value)
        elif name == "L":
            self._unit = 4 * Fraction(value.strip())

    def _duration(self, length: str) -> Fraction:
        """Duration of the next note."""
        if self._chord:
            return self._chord[0]
        duration = _length(length) * self._unit * self._broken
        self._broken = Fraction(1)
        if self._tuplet is not None:
            factor, left = self._tuplet
            duration *= factor
            self._tuplet = (factor, left - 1) if left > 1 else None
        return duration

    def _note(self, token: re.Match[str]) -> None:
        duration = self._duration(token["length"])
        if token["step"] not in "xzZ":
            self._add(token, duration)
        self._tied = False
        if self._chord is None:
            self._time += duration
        else:
            self._chord.append(duration)

    def _add(self, token: re.Match[str], duration: Fraction) -> None:
        step, place = token["step"].upper(), (token["step"], token["octave"])
        if token["accidental"]:
            mark = token["accidental"]
            self._accidentals[place] = mark.count("^") - mark.count("_")
        order = _SHARPENED.index(step) if self.sharps > 0 else 6 - _SHARPENED.index(step)
        signed = max(0, (abs(self.sharps) + 6 - order) // 7) * (1 if self.sharps > 0 else -1)
        alter = self._accidentals.get(place, signed)
        octaves = token["step"].islower() + token["octave"].count("'") - token["octave"].count(",")
        pitch = 60 + _CLASSES[step] + alter + 12 * octaves
        last = self.notes[-1] if self.notes else None
        if self._tied and last and last.pitch == pitch and last.onset + last.duration == self._time:
            self.notes.pop()
            onset, duration = last.onset, last.duration + duration
        else:
            onset = self._time
        self.notes.append(WrittenNote(onset, duration, pitch, step, alter, 0, 0))

    def _break(self, marks: str) -> None:
        """Lengthen the last note and shorten the next one, or the reverse."""
        short = Fraction(1, 2 ** len(marks))
        last = self.notes.pop()
        factor, self._broken = (2 - short, short) if marks[0] == ">" else (short, 2 - short)
        change = last.duration * (factor - 1)
        self._time += change
        self.notes.append(
            WrittenNote(last.onset, last.duration + change, last.pitch, last.step, last.alter, 0, 0)
        )
