"""Groove on one acoustic kit in mono, with variations of every hit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from performance import DRUM_CHANNEL, LEAD_IN, Note, Score, Track, strike
from scipy.signal import butter, resample, sosfilt
from sound import SR, balance, clear_folder, fade_out, load, write, write_mix

SECONDS = 8.3
TEMPO = 124
# Drum: General MIDI note, recording used in the groove, and further recordings of the kit.
KIT = {
    "kick": (36, "drum_bass_hard", {"soft": "drum_bass_soft"}),
    "snare": (38, "drum_snare_hard", {"soft": "drum_snare_soft"}),
    "hihat": (42, "drum_cymbal_closed", {"pedal": "drum_cymbal_pedal", "open": "drum_cymbal_open"}),
}
LEVELS = {"kick": 0.0, "snare": -3.0, "hihat": -9.0}  # dB
GROOVE = {
    "kick": "X.....x.x.X..... X.....x.x.X..o.. X.....x.x.X....x X.....x.x.x.x... X",
    "snare": "....X..g.g..X..g ....X..g.g..X.g. ....X..g.g..X..g ....X..g.gxoxxXX .",
    "hihat": "x.o.x.o.x.o.x.oo x.o.x.o.x.oox.o. x.o.x.o.x.o.x.oo x.o.x.o.x.......  x",
}


def make(folder: Path) -> None:
    """Write score, stems, mixture and one-shots."""
    clear_folder(folder)
    rng = np.random.default_rng(1)
    tracks = tuple(
        Track(drum, DRUM_CHANNEL, tuple(strike(GROOVE[drum], KIT[drum][0], rng=rng, swing=0.03)))
        for drum in KIT
    )
    Score("Groove", [(0, TEMPO)], tracks).save(folder / "score.mid")

    sources = {}
    for track in tracks:
        hit = load(KIT[track.name][1])[0]
        y = np.zeros(round((SECONDS + 2) * SR))
        for note in track.notes:
            onset = round((note.onset + LEAD_IN) * 60 / TEMPO * SR)
            sound = vary(hit, note, rng)
            y[onset : onset + len(sound)] += sound
        sources[track.name] = fade_out(y[: round(SECONDS * SR)], 0.3)
    write_mix(folder, balance(sources, LEVELS), mixture="mixture.wav")

    for drum, (_, _, one_shots) in KIT.items():
        for name, recording in one_shots.items():
            hit = fade_out(load(recording)[0], 0.02)
            write(folder / "one_shots" / drum / f"{name}.flac", hit * (0.7 / np.max(np.abs(hit))))


def vary(hit: np.ndarray, note: Note, rng: np.random.Generator) -> np.ndarray:
    """Vary a hit like a drummer: softer hits are duller, and the pitch differs slightly."""
    hit = resample(hit, round(len(hit) * (1 + 0.006 * rng.standard_normal())))
    force = note.velocity / 127
    cutoff = min(20000.0, 2500 * 2 ** (3.5 * force))
    dull = sosfilt(butter(1, cutoff, fs=SR, output="sos"), hit)
    return fade_out(dull * force**1.6, 0.02)
