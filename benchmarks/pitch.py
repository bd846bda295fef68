"""Pitches that move: notes and contours of rendered vibrato, slides and quarter tones.

    python -m benchmarks.pitch FONT.sf2 …

Instruments of SoundFonts play phrases that are bent by MIDI, rendered by fluidsynth. Each is
transcribed with the templates of `harmonic_notes`: without and with contours, and with those of
quarter tones. Printed are the notes played and found, and the share of the frames in which a note
within 25 cents of the played pitch was found.
"""

import subprocess
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import nmfaudio as na

SR = 22050
LATENCY = 0.01  # s by which rendered bends follow the contour: half a step of 10 ms, and the buffer
INSTRUMENTS = {"violin": (40, 62), "flute": (73, 67), "voice": (52, 57), "cello": (42, 45)}
DEGREES = (0, 4, 7, 5, 2, 9, 12, 7)


def vibrato(base: int, depth: float, rng: np.random.Generator) -> list[na.Note]:
    """Notes of about a second with a vibrato of 5 to 7 Hz, legato and apart by turns."""
    time, notes = 0.3, []
    for k, degree in enumerate(DEGREES):
        length, rate = 1.0 + 0.3 * rng.random(), rng.uniform(5, 7)
        t = np.arange(0, length, 0.01)
        bends = depth * np.clip((t - 0.15) / 0.15, 0, 1) * np.sin(2 * np.pi * rate * (t - 0.15))
        contour = tuple(zip(t.tolist(), bends.tolist(), strict=True))
        notes.append(na.Note(time, time + length, base + degree, contour=contour))
        time += length + 0.1 * (k % 2 == 0)
    return notes


def slides(base: int, rng: np.random.Generator) -> list[na.Note]:
    """Notes that slide by 2 to 7 semitones in 0.15 to 0.4 s."""
    time, notes = 0.3, []
    for degree, interval in zip(DEGREES, (2, -3, 5, -7, 7, -2, -4, 3), strict=True):
        hold, length = 0.35 + 0.2 * rng.random(), rng.uniform(0.15, 0.4)
        contour = ((0, 0), (hold, 0), (hold + length, interval))
        notes.append(na.Note(time, time + 2 * hold + length, base + degree, contour=contour))
        time += 2 * hold + length + 0.1
    return notes


def quarters(base: int, rng: np.random.Generator) -> list[na.Note]:
    """Legato scale of quarter tones."""
    return [na.Note(0.3 + 0.45 * k, 0.75 + 0.45 * k, base + k / 2) for k in range(20)]


def steps(base: int, rng: np.random.Generator) -> list[na.Note]:
    """Legato steps of one and two semitones, which are to stay notes."""
    time, pitch, notes = 0.3, base, []
    for _ in range(28):
        pitch = int(np.clip(pitch + rng.choice([-2, -1, 1, 2]), base, base + 12))
        length = float(rng.choice([0.2, 0.3, 0.5]))
        notes.append(na.Note(time, time + length, pitch))
        time += length
    return notes


PHRASES = {
    "vibrato of 50 cents": lambda base, rng: vibrato(base, 0.5, rng),
    "vibrato of 100 cents": lambda base, rng: vibrato(base, 1.0, rng),
    "slides": slides,
    "quarter tones": quarters,
    "steps": steps,
}


def rendered(notes: Sequence[na.Note], program: int, font: str, folder: str) -> np.ndarray:
    """Samples of notes, played by a SoundFont."""
    path = Path(folder, "phrase.mid")
    played = [
        na.Note(n.onset, n.offset, n.pitch, 0.75, "phrase", program, 0, n.contour) for n in notes
    ]
    na.write_notes(path, played, overwrite=True)
    wav = path.with_suffix(".wav")
    dry = ("-R", "0", "-C", "0", "-g", "0.6", "-r", str(SR), "-F", str(wav))
    subprocess.run(["fluidsynth", "-niq", *dry, font, str(path)], check=True, capture_output=True)
    y: np.ndarray = na.read(wav).samples.mean(axis=0)
    return y


def share_found(reference: Sequence[na.Note], notes: Sequence[na.Note]) -> float:
    """Share of the frames of a reference in which a note within 25 cents sounds."""
    hits, total = 0, 0
    for note in reference:
        t = np.arange(note.onset + 0.05, note.offset - 0.03, 0.01)
        found = np.zeros(len(t), bool)
        for other in notes:
            near = np.abs(other.pitch_at(t) - note.pitch_at(t - LATENCY)) < 0.25
            found |= near & (t >= other.onset) & (t <= other.offset)
        hits, total = hits + found.sum(), total + len(t)
    return float(hits / total)


def systems() -> dict[str, na.Transcriber]:
    """Transcribers by name."""
    semitones = na.dictionaries.harmonic_notes(na.Stft(SR, 4096, 512))
    every = na.symbolic.Scale(range(0, 1200, 50)).pitches(21, 108)
    return {
        "semitones": na.Transcriber(semitones),
        "contours": na.Transcriber(semitones, contours=True),
        "quarter tones": na.Transcriber(semitones.retune(every)),
    }


def main(fonts: Sequence[str]) -> None:
    """Print a table: a row for each kind of phrase, summed over fonts and instruments."""
    warnings.simplefilter("ignore", na.errors.AudioWarning)
    print("| phrase | notes |", *(f"{name}: notes, found |" for name in systems()))
    for phrase, compose in PHRASES.items():
        counts = dict.fromkeys(systems(), 0)
        shares: dict[str, list[float]] = {name: [] for name in systems()}
        total = 0
        for font in fonts:
            for program, base in INSTRUMENTS.values():
                notes = compose(base, np.random.default_rng(len(phrase)))
                with tempfile.TemporaryDirectory() as folder:
                    y = rendered(notes, program, font, folder)
                total += len(notes)
                for name, transcriber in systems().items():
                    found = transcriber(y, SR).notes
                    counts[name] += len(found)
                    shares[name].append(share_found(notes, found))
        cells = (f"{counts[name]}, {np.mean(shares[name]):.3f} |" for name in counts)
        print(f"| {phrase} | {total} |", *cells, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
