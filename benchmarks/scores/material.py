"""Scores with known beats, hands, keys and spelling, and performances simulated from them.

The scores come with music21, whose corpus is read where it is installed; none of them is copied.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

import nmfaudio as na

SIGNATURES = {"2/4", "3/4", "4/4", "6/8", "9/8", "12/8", "2/2"}
WORKS = (
    *(f"beethoven/opus18no1/movement{n}.mxl" for n in (1, 2, 3, 4)),
    *(f"beethoven/opus59no{w}/movement{n}.mxl" for w in (1, 2, 3) for n in (1, 2, 3, 4)),
    *(f"beethoven/{name}.mxl" for name in ("opus18no3", "opus18no4", "opus18no5", "opus74")),
    *(f"mozart/k155/movement{n}.mxl" for n in (1, 2, 3)),
    *(f"mozart/k156/movement{n}.mxl" for n in (1, 2, 3, 4)),
    *(f"mozart/k458/movement{n}.mxl" for n in (1, 2, 3, 4)),
    *(f"mozart/k80/movement{n}.mxl" for n in (1, 2, 3, 4)),
    "mozart/k545/movement1_exposition.mxl",
    *(f"haydn/opus1no1/movement{n}.mxl" for n in (1, 2, 3, 4, 5)),
    *(f"haydn/opus74no1/movement{n}.mxl" for n in (1, 2, 3, 4)),
    *(f"schumann_robert/opus41no1/movement{n}.mxl" for n in (1, 2, 3, 4, 5)),
    "schumann_robert/opus48no2.mxl",
    "schumann_clara/opus17/movement3.xml",
    *(f"schumann_clara/polonaise_op1n{n}.mxl" for n in (1, 2, 3, 4)),
    "leadSheet/berlinAlexandersRagtime.mxl",
    "beach/prayer_of_a_tired_child.musicxml",
    "chopin/mazurka06-2.krn",
    "corelli/opus3no1/1grave.xml",
    "cpebach/h186.mxl",
    "handel/rinaldo/Lascia_chio_pianga.mxl",
    "joplin/maple_leaf_rag.mxl",
    "schubert/Lindenbaum.xml",
    "verdi/laDonnaEMobile.mxl",
    "weber/concertino_clarinet.mxl",
    "johnson_j_r/lift_every_voice.mxl",
    "liliuokalani/aloha_oe.mxl",
    "bach/bwv846.mxl",
    *(f"bach/{name}.mxl" for name in ("bwv10.7", "bwv101.7", "bwv102.7", "bwv103.6", "bwv104.6")),
    *(f"bach/{name}.mxl" for name in ("bwv108.6", "bwv5.7", "bwv52.6", "bwv55.5", "bwv56.5")),
)
_LONGEST = 96  # quarters of each score that are used


@dataclass(frozen=True)
class WrittenNote:
    """A note of a score, in quarters."""

    onset: Fraction
    duration: Fraction
    pitch: int
    step: str
    alter: int
    part: int
    staff: int


@dataclass(frozen=True)
class Piece:
    """Opening of a score, in one time signature."""

    name: str
    notes: tuple[WrittenNote, ...]
    numerator: int
    denominator: int
    pickup: Fraction
    sharps: int
    parts: int
    mode: str = field(default="")

    @property
    def beat(self) -> Fraction:
        """Beat in quarters: a dotted note where the time signature is compound."""
        compound = self.denominator == 8 and self.numerator % 3 == 0
        return Fraction(4, self.denominator) * (3 if compound else 1)

    @property
    def bar(self) -> Fraction:
        """Bar in quarters."""
        return Fraction(4 * self.numerator, self.denominator)


@dataclass(frozen=True)
class Performance:
    """Notes as played, with the beats of their score."""

    piece: Piece
    notes: list[na.Note]
    written: list[WrittenNote]
    beats: np.ndarray
    downbeats: np.ndarray
    origin: Fraction  # first beat in quarters of the score


def pieces(folder: Path) -> list[Piece]:
    """Read the openings of all scores; `folder` keeps them for the next time."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for name in WORKS:
        file = folder / (name.replace("/", "_") + ".pkl")
        if not file.exists():
            file.write_bytes(pickle.dumps(read_opening(name)))
        found.append(pickle.loads(file.read_bytes()))
    return [piece for piece in found if piece is not None]


def read_opening(name: str, longest: int = _LONGEST) -> Piece | None:
    """Read the opening of a score of music21, of `longest` quarters.

    None where it has no constant time signature or too few notes.
    """
    import music21

    score = music21.corpus.parse(name).measures(0, 60)
    parts = list(score.parts)
    measures = list(parts[0].getElementsByClass("Measure"))
    signature = next(iter(parts[0].recurse().getElementsByClass("TimeSignature")), None)
    if signature is None or signature.ratioString not in SIGNATURES or len(measures) < 8:
        return None
    changes = [
        s.getOffsetInHierarchy(parts[0])
        for s in parts[0].recurse().getElementsByClass("TimeSignature")
        if s.ratioString != signature.ratioString
    ]
    bar = Fraction(4 * signature.numerator, signature.denominator)
    pickup = Fraction(measures[1].offset).limit_denominator(96) % bar
    end = min([longest, *changes])
    key = next(iter(parts[0].recurse().getElementsByClass("KeySignature")), None)
    notes = [note for i, part in enumerate(parts) for note in _notes(part, i, end)]
    if len(notes) < 60:
        return None
    return Piece(
        name,
        tuple(sorted(notes, key=lambda n: (n.onset, n.pitch))),
        signature.numerator,
        signature.denominator,
        pickup,
        0 if key is None else key.sharps,
        len(parts),
    )


def _notes(part, index: int, end: float):
    """Notes of a part that begin before `end`; grace notes are passed over."""
    tied = part.stripTies()
    for element in tied.recurse().notes:
        onset = Fraction(element.getOffsetInHierarchy(tied)).limit_denominator(96)
        duration = Fraction(element.quarterLength).limit_denominator(96)
        if onset >= end or not duration or element.isRest:
            continue
        if "ChordSymbol" in element.classes:
            continue
        for pitch in element.pitches:
            alter = int(pitch.alter)
            yield WrittenNote(onset, duration, pitch.midi, pitch.step, alter, index, index)


def perform(
    piece: Piece, seed: int, *, expression: float = 1.0, swing: float = 0.5, tempi: str = "usual"
) -> Performance:
    """Simulate a performance: rubato, phrases, spread chords, articulation, errors.

    Parameters
    ----------
    piece : Piece
    seed : int
    expression : float
        Factor of all deviations from the score.
    swing : float
        Place of the second eighth within a beat.
    tempi : {"usual", "uniform"}
        Beats per minute are drawn around 100, as those of annotated collections are, or evenly
        from all that give 1.2 to 9 strokes per second.
    """
    rng = np.random.default_rng(seed)
    unit = float(piece.beat)
    onsets = np.array([float(n.onset) for n in piece.notes])
    last = max(float(n.onset + n.duration) for n in piece.notes)
    rate = len(np.unique(onsets)) / max(last, 1) * unit  # strokes per beat
    slow, fast = sorted((max(45, 60 * 1.2 / rate), min(190, 60 * 9 / rate)))
    tempo = rng.uniform(slow, fast) if tempi == "uniform" else 100 * np.exp(rng.normal(0, 0.3))
    period = 60 / float(np.clip(tempo, slow, fast))
    first = float(piece.pickup) % unit
    grid = np.arange(-1, int(last / unit) + 3) * unit + first  # beats in quarters
    walk = np.zeros(len(grid))
    for i in range(1, len(grid)):
        walk[i] = 0.9 * walk[i - 1] + rng.normal(0, 0.02 * expression)
    bars = (grid - float(piece.pickup)) / float(piece.bar)
    phrase = 2 * (bars / 4 % 1) - 1
    local = period * np.exp(walk + 0.07 * expression * phrase**2)
    times = np.concatenate([[0], np.cumsum(local[:-1])])
    times += 0.3 - np.interp(0, grid, times)

    def seconds(quarters):
        beat = (np.asarray(quarters) - grid[0]) / unit
        whole = np.floor(beat)
        phase = np.interp(beat - whole, [0, 0.5, 1], [0, swing, 1])
        return np.interp(whole + phase, np.arange(len(grid)), times)

    notes, written = [], []
    for note in piece.notes:
        if rng.random() < 0.04 * expression:  # missed
            continue
        onset = float(seconds(float(note.onset))) + rng.normal(0, 0.012 * expression)
        length = float(seconds(float(note.onset + note.duration))) - onset
        position = (note.onset - piece.pickup) % piece.bar
        accent = 0.05 * (position == 0) + 0.03 * (position % piece.beat == 0)
        velocity = np.clip(0.5 + accent * rng.uniform(0, 1) + rng.normal(0, 0.08), 0.1, 1)
        played = max(0.05, length * (1 - expression * rng.uniform(-0.05, 0.45)))
        if rng.random() < 0.15 * expression:  # ends that a transcriber loses
            played = min(played, 0.1)
        onset = max(0.0, onset)
        notes.append(na.Note(onset, onset + played, note.pitch, float(velocity)))
        written.append(note)
    for _ in range(int(0.02 * expression * len(notes))):  # false notes: octaves of others
        other = notes[rng.integers(len(notes))]
        notes.append(na.Note(other.onset, other.offset, min(108, other.pitch + 12), 0.2))
        written.append(None)
    order = sorted(range(len(notes)), key=lambda i: (notes[i].onset, notes[i].pitch))
    inside = (times >= notes[order[0]].onset - 0.1) & (times <= max(n.onset for n in notes) + 0.1)
    down = np.abs(bars - np.round(bars)) < 1e-6
    return Performance(
        piece,
        [notes[i] for i in order],
        [written[i] for i in order],
        times[inside],
        times[inside & down],
        Fraction(float(grid[inside][0])).limit_denominator(96),
    )
