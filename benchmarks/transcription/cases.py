"""Pieces whose notes are known, and what a transcriber may know of their instruments.

A folder may hold

- MIDI files: rendered with each piano there is, dry and degraded, to be transcribed by what is
  known of this piano or of the others only;
- recordings with a MIDI file or a table of notes of the same name. A folder ``notes`` beside them
  has isolated notes of their instrument, named by MIDI numbers; without it the pianos are what is
  known;
- recordings with a table of hits (seconds, drum) of the same name: drums. Of other drums than kick,
  snare and hi-hat there may be a table ``<name>_other.csv``.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.transcription.sound import PIANOS, SR, Instrument, degraded, mono
from nmfaudio.symbolic.drum_hits import read_hits
from nmfaudio.symbolic.names import part_named
from nmfaudio.symbolic.note import Note
from nmfaudio.symbolic.notes import read_notes

SAMPLES = Path(__file__).parents[2] / "audio_samples"
DRUM_CHANNEL = {"kick": 36, "snare": 38, "hihat": 42}
_AUDIO = (".wav", ".flac", ".ogg", ".mp3")


@dataclass(frozen=True)
class Piece:
    """A recording [shape=(sample,)] at `SR`, and its notes."""

    name: str
    y: np.ndarray
    notes: tuple[Note, ...]
    others: tuple[Note, ...] = ()
    """Strokes of drums that are no part of the task, but heard."""

    @property
    def seconds(self) -> float:
        return len(self.y) / SR


@dataclass(frozen=True)
class Case:
    """Pieces on one instrument, and the instruments whose notes may be learned (none: drums)."""

    name: str
    task: str
    instruments: tuple[Instrument, ...]
    pieces: tuple[Piece, ...]

    def folds(self) -> Iterator[tuple[tuple[Piece, ...], tuple[Piece, ...]]]:
        """(development, test): both halves, or each track of drums against all others."""
        count = len(self.pieces) if self.task == "drums" else 2
        for i in range(count):
            test = self.pieces[i::count]
            yield tuple(p for p in self.pieces if p not in test), test


def load_cases(
    folder: Path = SAMPLES, wanted: Callable[[str], bool] = bool, notes: Path | None = None
) -> Iterator[Case]:
    """All cases of a folder, rendered with the pianos whose names are wanted.

    `notes` is a folder of isolated notes of one more piano, named by MIDI numbers.
    """
    more = () if notes is None else (Instrument(notes.name, notes),)
    if folder.resolve() == SAMPLES.resolve():
        yield from _own()
        return
    recorded, drums, scores = [], [], []
    for path in sorted(folder.iterdir()):
        sound = next((s for end in _AUDIO if (s := path.with_suffix(end)).exists()), None)
        if path.suffix not in (".mid", ".csv") or (path.suffix == ".csv" and sound is None):
            continue
        if sound is None:
            scores.append((path.stem, tuple(read_notes(path))))
        elif path.suffix == ".csv" and not path.read_text().startswith("start_time_s"):
            rest = folder / f"{path.stem}_other.csv"
            others = _other_hits(rest) if rest.exists() else ()
            drums.append(Piece(path.stem, mono(sound), _hits(path), others))
        else:
            recorded.append(Piece(path.stem, mono(sound), tuple(read_notes(path))))
    if recorded:
        own = folder / "notes"
        same = (Instrument("same", own),) if own.is_dir() else (*_pianos(), *more)
        yield Case(
            f"{'same' if own.is_dir() else 'unseen'} instrument", "piano", same, _two(recorded)
        )
    if drums:
        yield Case("drums, one track left out", "drums", (), _two(drums))
    if scores:
        yield from _rendered(scores, (*_pianos(), *more), wanted)


def _rendered(
    scores: Sequence[tuple[str, tuple[Note, ...]]],
    pianos: Sequence[Instrument],
    wanted: Callable[[str], bool],
) -> Iterator[Case]:
    """Every score on every piano that is wanted; all of them may be learned from."""
    for piano in pianos:
        if not wanted(piano.name):
            continue
        dry = [Piece(f"{name}, {piano.name}", piano.play(notes), notes) for name, notes in scores]
        others = tuple(other for other in pianos if other != piano)
        rough = [Piece(p.name, *degraded(p.y, p.notes, seed)) for seed, p in enumerate(dry)]
        yield Case("same instrument, dry", "piano", (piano,), _two(dry))
        yield Case("same instrument, degraded", "piano", (piano,), _two(rough))
        if others:
            yield Case("unseen instrument", "piano", others, _two(dry))


def _own() -> Iterator[Case]:
    """The project's samples, each in two halves."""
    piano, drums = SAMPLES / "piano", SAMPLES / "drums"
    piece = Piece("piano", mono(piano / "mixture.flac"), tuple(read_notes(piano / "score.mid")))
    same = (Instrument("same", piano / "notes"),)
    yield Case("same instrument, dry", "piano", same, _two([piece]))
    rough = Piece(piece.name, *degraded(piece.y, piece.notes, 0))
    yield Case("same instrument, degraded", "piano", same, _two([rough]))
    beat = Piece("drums", mono(drums / "mixture.wav"), _hits(drums / "score.mid"))
    yield Case("drums, one half left out", "drums", (), _two([beat]))


def _pianos() -> tuple[Instrument, ...]:
    """Those that there are, with a note of those that are missing."""
    if shutil.which("fluidsynth") is None:
        raise SystemExit("pianos are played by fluidsynth, which is not installed")
    for piano in PIANOS:
        if not piano.path.exists():
            print(f"left out: {piano.name}, there is no {piano.path}", file=sys.stderr)
    return tuple(piano for piano in PIANOS if piano.path.exists())


def _two(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The pieces, or the halves of the only one."""
    if len(pieces) > 1:
        return tuple(pieces)
    (piece,) = pieces
    cut = piece.seconds / 2
    at = round(cut * SR)
    later = [
        replace(n, onset=n.onset - cut, offset=n.offset - cut)
        for n in piece.notes
        if n.onset >= cut
    ]
    before = [replace(n, offset=min(n.offset, cut)) for n in piece.notes if n.onset < cut]
    return (
        Piece(f"{piece.name}, 1", piece.y[:at], tuple(before)),
        Piece(f"{piece.name}, 2", piece.y[at:], tuple(later)),
    )


def _hits(path: Path) -> tuple[Note, ...]:
    """Kick, snare and hi-hat; other drums are no part of the task."""
    hits = read_hits(path)
    return tuple(
        Note(t, t + 0.1, key, track=part, channel=9)
        for part, key in DRUM_CHANNEL.items()
        for t in hits.get(part, [])
    )


def _other_hits(path: Path) -> tuple[Note, ...]:
    """Strokes of toms, cymbals and whatever else, which is written as a triangle."""
    rows = [line.split(",")[:2] for line in path.read_text().splitlines()[1:]]
    keys = {"toms": 45, "cymbals": 49}
    return tuple(
        Note(float(t), float(t) + 0.1, keys.get(part_named(name) or "", 81), channel=9)
        for t, name in rows
    )
