"""Train the networks of instruments: ``python -m benchmarks.transcription.learn_instruments OUT``.

One selects notes among candidates, the other one tells which instrument a note sounds like. They
learn from random music of two or three instruments, played by SoundFonts, and, for the selection,
of single ones. Requires fluidsynth, scikit-learn, and Debian's packages fluid-soundfont-gm,
timgm6mb-soundfont and musescore-general-soundfont-small.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import nmfaudio as na
from benchmarks.transcription.phrases import Part, ensemble
from benchmarks.transcription.sound import SR
from nmfaudio.dictionaries.perceptron import Perceptron
from nmfaudio.transcription.instruments import InstrumentSalience
from nmfaudio.transcription.note_selection import selection_features
from nmfaudio.transcription.timbre import timbre_features

_SOUNDS = Path("/usr/share/sounds")
FONTS = tuple(
    _SOUNDS / font
    for font in ("sf2/FluidR3_GM.sf2", "sf3/MuseScore_General_Lite.sf3", "sf2/TimGM6mb.sf2")
)
# Programs, lowest and highest note, and the largest number of voices of each instrument.
RANGES = {
    "piano": ((0, 1), 28, 96, 3),
    "electric piano": ((4, 5), 33, 90, 3),
    "guitar": ((24, 25), 40, 84, 3),
    "electric guitar": ((26, 27), 40, 84, 3),
    "bass": ((32, 33, 34), 26, 60, 1),
    "strings": ((40, 42, 48), 48, 84, 2),
    "flute": ((73,), 60, 96, 1),
    "oboe": ((68,), 58, 89, 1),
    "clarinet": ((71,), 50, 90, 1),
    "bassoon": ((70,), 34, 72, 1),
    "saxophone": ((65,), 46, 82, 1),
    "trumpet": ((56,), 54, 84, 1),
    "horn": ((60,), 36, 74, 1),
    "voice": ((53,), 44, 80, 1),
}
_SECONDS = 14.0  # of a piece
_SEMITONES = 14  # range of each voice at least
_WIDEST = {1: 29, 2: 40, 3: 44}  # semitones, of an instrument with so many voices
_TOLERANCE = 0.05  # s, between the onset of a note and the one that is found
_UNITS, _EPOCHS = {"note_selection": 16, "timbres": 24}, 400


@dataclass(frozen=True)
class Lesson:
    """Candidates of one piece: inputs of the networks, and what they should tell."""

    selection: np.ndarray
    is_note: np.ndarray
    timbres: np.ndarray
    labels: tuple[str, ...]


def lessons(fonts: Sequence[Path], pieces: int) -> Iterator[Lesson]:
    """Yield those of a number of pieces of each font."""
    for n in range(pieces):
        for k, font in enumerate(fonts):
            rng = np.random.default_rng([n, k, 7])
            # Every instrument is as often one of the first two.
            order = np.random.default_rng([k, n // 7, 5]).permutation(list(RANGES))
            chosen = order[2 * (n % 7) : 2 * (n % 7) + 2].tolist()
            if n % 4 == 3:
                chosen = [name for name in chosen if name != "piano"][:1]
            elif rng.random() < 0.6:
                chosen.append(str(rng.choice([name for name in RANGES if name not in chosen])))
            parts = [_part(name, rng) for name in chosen]
            yield _lesson(font, parts, 1000 + n * len(fonts) + k)
            print(".", end="", file=sys.stderr, flush=True)


def _part(name: str, rng: np.random.Generator) -> Part:
    """Part of an instrument in a section of its range."""
    programs, low, high, most = RANGES[name]
    voices = int(rng.integers(1, most + 1))
    width = int(rng.integers(_SEMITONES * voices, _WIDEST[most] + 1))
    width = min(width, high - low)
    first = int(rng.integers(low, high - width + 1))
    return Part(name, int(rng.choice(programs)), first, first + width, voices)


def _lesson(font: Path, parts: Sequence[Part], seed: int) -> Lesson:
    y, notes = ensemble(font, parts, _SECONDS, seed)
    first, *further = [na.dictionaries.instrument_notes(part.label) for part in parts]
    transcriber = na.Transcriber(
        first.merge(*further), decoding=na.transcription.Decoding(threshold=0.07, repeat=0.3)
    )
    analysis = transcriber.analyse(y, SR)
    salience = analysis.salience
    # By row and frame, as `Decoding` passes them.
    found = sorted(transcriber.decoding(salience), key=lambda note: (note.pitch, note.onset))
    rows = np.searchsorted(salience.pitches, [note.pitch for note in found])
    frames = np.searchsorted(salience.times, [note.onset - 1e-6 for note in found])
    onsets = list(zip(rows.tolist(), frames.tolist(), strict=True))
    played = [_played(note, notes) for note in found]
    selection = selection_features(
        salience.values,
        salience.times,
        salience.pitches,
        onsets,
        [note.offset for note in found],
        rise=transcriber.decoding.rise,
    )
    hits = [note for note, label in zip(found, played, strict=True) if label]
    timbres = np.zeros((0, 22))
    if isinstance(salience, InstrumentSalience):
        timbres = timbre_features(
            hits, salience.pitches, salience.times, salience.parts, salience.partials
        )
    labels = tuple(label for label in played if label)[: len(timbres)]
    return Lesson(selection, np.array([bool(label) for label in played]), timbres, labels)


def _played(note: na.Note, notes: Sequence[na.Note]) -> str:
    """Instrument of the note that was played then, or an empty string."""
    near = [n for n in notes if n.pitch == note.pitch and abs(n.onset - note.onset) <= _TOLERANCE]
    return min(near, key=lambda n: abs(n.onset - note.onset)).track if near else ""


def train(features: np.ndarray, targets: np.ndarray, units: int) -> tuple[Perceptron, list[str]]:
    """Fit a network, and return it with the classes of its outputs."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features)
    network = MLPClassifier((units,), alpha=1.0, max_iter=_EPOCHS, random_state=0)
    network.fit(scaler.transform(features), targets)
    rounded = [
        tuple(each.astype(np.float32).astype(np.float64) for each in layers)
        for layers in (network.coefs_, network.intercepts_)
    ]
    return Perceptron(scaler.mean_, scaler.scale_, *rounded), network.classes_.tolist()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.transcription.learn_instruments",
        description="Train the networks of instruments on random music.",
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="folder")
    parser.add_argument("--fonts", type=Path, nargs="+", default=FONTS, metavar="FONT")
    parser.add_argument("--pieces", type=int, default=30, metavar="N", help="for each font")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    learned = list(lessons(chosen.fonts, chosen.pieces))
    for name, units in _UNITS.items():
        if name == "timbres":
            features = np.concatenate([each.timbres for each in learned])
            targets = np.array([label for each in learned for label in each.labels])
        else:
            features = np.concatenate([each.selection for each in learned])
            targets = np.concatenate([each.is_note for each in learned])
        network, classes = train(features, targets, units)
        labels = {"labels": np.array(classes)} if name == "timbres" else {}
        np.savez_compressed(chosen.out / f"{name}.npz", **network.arrays(), **labels)
        print(f"\n{name}: {len(targets)} examples", file=sys.stderr)


if __name__ == "__main__":
    main()
