"""Pieces with reference notes, and the instruments that a transcriber may learn from.

A folder may hold

- MIDI files: rendered with each available piano, dry and degraded, and transcribed with templates
  of the same piano or of the other pianos only;
- recordings with a MIDI file or a table of notes of the same name. A folder ``notes`` beside them
  has isolated notes of their instrument, named by MIDI numbers; without it templates are learned
  from the available pianos;
- recordings with a table of hits (seconds, drum) of the same name: drums. Hits of drums other than
  kick, snare and hi-hat may stand in a table ``<name>_other.csv``.
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
DRUM_PITCHES = {"kick": 36, "snare": 38, "hihat": 42}
_AUDIO = (".wav", ".flac", ".ogg", ".mp3")


@dataclass(frozen=True)
class Piece:
    """Recording [shape=(sample,)] at `SR` with its reference notes."""

    name: str
    y: np.ndarray
    notes: tuple[Note, ...]
    unscored: tuple[Note, ...] = ()
    """Hits of audible drums that the task does not include."""

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.y) / SR


@dataclass(frozen=True)
class Case:
    """Pieces, and the instruments whose isolated notes may be learned (none for drums)."""

    name: str
    task: str
    instruments: tuple[Instrument, ...]
    pieces: tuple[Piece, ...]

    def folds(self) -> Iterator[tuple[tuple[Piece, ...], tuple[Piece, ...]]]:
        """Yield (development, test): both halves, or each drum track against all others."""
        count = len(self.pieces) if self.task == "drums" else 2
        for i in range(count):
            test = self.pieces[i::count]
            yield tuple(p for p in self.pieces if p not in test), test


def load_cases(
    folder: Path = SAMPLES,
    selected: Callable[[str], bool] = bool,
    more: Sequence[Instrument] = (),
) -> Iterator[Case]:
    """Yield all cases of a folder.

    MIDI files are rendered with the pianos whose names are `selected`, of SoundFonts that are
    installed and of `more`.
    """
    if folder.resolve() == SAMPLES.resolve():
        yield from _sample_cases()
        return
    recorded, drums, scores = [], [], []
    for path in sorted(folder.iterdir()):
        sound = next((s for end in _AUDIO if (s := path.with_suffix(end)).exists()), None)
        if path.suffix not in (".mid", ".csv") or (path.suffix == ".csv" and sound is None):
            continue
        if sound is None:
            scores.append((path.stem, tuple(read_notes(path))))
        elif path.suffix == ".csv" and not path.read_text().startswith("start_time_s"):
            table = folder / f"{path.stem}_other.csv"
            unscored = _unscored_hits(table) if table.exists() else ()
            drums.append(Piece(path.stem, mono(sound), _hits(path), unscored))
        else:
            recorded.append(Piece(path.stem, mono(sound), tuple(read_notes(path))))
    if recorded:
        isolated = folder / "notes"
        same = isolated.is_dir()
        instruments = (Instrument("same", isolated),) if same else (*_pianos(), *more)
        yield Case(
            f"{'same' if same else 'unseen'} instrument", "piano", instruments, _two(recorded)
        )
    if drums:
        yield Case("drums, one track left out", "drums", (), _two(drums))
    if scores:
        yield from _rendered(scores, (*_pianos(), *more), selected)


def _rendered(
    scores: Sequence[tuple[str, tuple[Note, ...]]],
    pianos: Sequence[Instrument],
    selected: Callable[[str], bool],
) -> Iterator[Case]:
    """Yield the cases of each selected piano; templates may be learned from all pianos."""
    for piano in pianos:
        if not selected(piano.name):
            continue
        dry = [Piece(f"{name}, {piano.name}", piano.play(notes), notes) for name, notes in scores]
        unseen = tuple(instrument for instrument in pianos if instrument != piano)
        rough = [Piece(p.name, *degraded(p.y, p.notes, seed)) for seed, p in enumerate(dry)]
        yield Case("same instrument, dry", "piano", (piano,), _two(dry))
        yield Case("same instrument, degraded", "piano", (piano,), _two(rough))
        if unseen:
            yield Case("unseen instrument", "piano", unseen, _two(dry))


def _sample_cases() -> Iterator[Case]:
    """Yield the project's samples, each in two halves."""
    piano, drums = SAMPLES / "piano", SAMPLES / "drums"
    piece = Piece("piano", mono(piano / "mixture.flac"), tuple(read_notes(piano / "score.mid")))
    same = (Instrument("same", piano / "notes"),)
    yield Case("same instrument, dry", "piano", same, _two([piece]))
    rough = Piece(piece.name, *degraded(piece.y, piece.notes, 0))
    yield Case("same instrument, degraded", "piano", same, _two([rough]))
    beat = Piece("drums", mono(drums / "mixture.wav"), _hits(drums / "score.mid"))
    yield Case("drums, one half left out", "drums", (), _two([beat]))


def _pianos() -> tuple[Instrument, ...]:
    """Available pianos; missing ones are reported on stderr."""
    if shutil.which("fluidsynth") is None:
        raise SystemExit("fluidsynth is not installed; install it to render MIDI files")
    for piano in PIANOS:
        if not piano.path.exists():
            print(f"skipping {piano.name}: {piano.path} does not exist", file=sys.stderr)
    return tuple(piano for piano in PIANOS if piano.path.exists())


def _two(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return the pieces, or the two halves of a single piece."""
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
    """Read the hits of kick, snare and hi-hat."""
    hits = read_hits(path)
    return tuple(
        Note(t, t + 0.1, key, track=part, channel=9)
        for part, key in DRUM_PITCHES.items()
        for t in hits.get(part, [])
    )


def _unscored_hits(path: Path) -> tuple[Note, ...]:
    """Read the hits of other drums; those that are no tom or cymbal get the pitch of a triangle."""
    rows = [line.split(",")[:2] for line in path.read_text().splitlines()[1:]]
    keys = {"toms": 45, "cymbals": 49}
    return tuple(
        Note(float(t), float(t) + 0.1, keys.get(part_named(name) or "", 81), channel=9)
        for t, name in rows
    )
