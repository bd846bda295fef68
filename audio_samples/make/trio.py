"""Melody of "Jesus bleibet meine Freude" (J. S. Bach, BWV 147), arranged for three instruments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from performance import Score, Track, expression, play
from sound import balance, clear_folder, fade_out, place, render, write_mix

import nmfaudio as na

SECONDS = 15.4
STEP = 0.02  # seconds between the rows of a pitch table
EIGHTH, BAR = 0.5, 9
END = 27.0  # beat at which the last bar ends
TEMPO = [(0, 107), (4.5, 113), (13, 115), (18, 110), (20, 101), (22.5, 80), (27, 80)]

OBOE = """
r/1 G4 A4 B4 D5 C5 C5 E5 D5 | D5 G5> F#5 G5 D5 B4 G4 A4 B4 | C5 D5 E5 D5 C5 B4 A4 B4 G4 |
F#4 G4 A4 D4 F#4 A4 C5> B4 A4 | B4 D5> C5 B4 A4 G4 D4 G4 F#4 | G4 B4 D5 G5/4 r/2 |
"""
GUITAR = """
G3/1 D4 B3 D4 B3 D4 G3 E4 C4 | G3 D4 B3 G3 E4 B3 G3 B3 E4 | G3 C4 E4 G3 B3 D4 A3 C4 E4 |
F#3 A3 D4 A3+C4/2 D4/1 F#3+C4/2 D4/1 | G3+D4/2 B3/1 G3 B3 D4 F#3 A3 C4 | G3+B3+D4/4 r/5 |
"""
BASSOON = """
G2/3 G3/2 F#3/1 E3/2 C3/1 | B2/3 E3/3 E3/2 D3/1 | C3/3 B2/2 G2/1 A2/2 C3/1 |
D3/3 C3/2 A2/1 F#2/2 D2/1 | G2/2 B2/1 D3/3 D2/3 | G2/7 r/2 |
"""
# Two bars are a phrase, with a crescendo to the leap in its second bar.
OBOE_DYNAMICS = [(0, 66), (5, 94), (9, 72), (13.5, 80), (17, 96), (20, 82), (22.5, 70), (27, 72)]
OBOE_BREATH = [(0, 92), (5, 124), (9, 96), (13.5, 108), (17, 127), (20, 108), (23, 98), (END, 50)]
BASSOON_BREATH = [(0, 96), (5, 116), (9, 100), (13.5, 104), (17, 122), (23, 104), (END, 56)]
SOFTER = [(0, 70), (5, 82), (9, 68), (13.5, 74), (17, 86), (22.5, 72), (27, 70)]

# Latency of each instrument's samples [s], panning, and level [dB].
ATTACK = {"oboe": 0.012, "guitar": 0.006, "bassoon": 0.012}
PANNING = {"oboe": -0.5, "guitar": 0.1, "bassoon": 0.55}
LEVELS = {"oboe": 0.0, "guitar": -1.0, "bassoon": -1.0}


def make(folder: Path) -> None:
    """Write score, stems and mixture."""
    clear_folder(folder)
    rng = np.random.default_rng(2)
    common = {"unit": EIGHTH, "bar": BAR, "rng": rng}
    score = Score(
        "Jesus bleibet meine Freude",
        TEMPO,
        (
            Track(
                "oboe",
                0,
                tuple(play(OBOE, dynamics=OBOE_DYNAMICS, **common)),
                program=68,
                controls=expression(OBOE_BREATH),
            ),
            Track(
                "guitar",
                1,
                tuple(play(GUITAR, dynamics=SOFTER, legato=1.6, looseness=0.016, **common)),
                program=24,
            ),
            Track(
                "bassoon",
                2,
                tuple(play(BASSOON, dynamics=SOFTER, legato=0.9, delay=0.008, **common)),
                program=70,
                controls=expression(BASSOON_BREATH),
            ),
        ),
        metre=(9, 8),
    )
    score.save(folder / "score.mid")
    (folder / "oboe.csv").write_text(pitch_table(folder / "score.mid", "oboe"))

    sources = {}
    for track in score.tracks:
        # One side of the soundfont's stereo pair: both together would cancel in places.
        y = render(score, track, seconds=SECONDS, advance=ATTACK[track.name])[0]
        sources[track.name] = fade_out(place(y, PANNING[track.name]), 1.2)
    write_mix(folder, balance(sources, LEVELS), mixture="mixture.flac")


def pitch_table(path: Path, name: str) -> str:
    """Rows of seconds and Hz of a track with one note at a time; 0 Hz between its notes."""
    notes = [note for note in na.read_notes(path) if note.track == name]
    rows = ["seconds,hz"]
    for step in range(round(SECONDS / STEP)):
        sounding = [n.pitch for n in notes if n.onset <= step * STEP < n.offset]
        hertz = 440 * 2 ** ((sounding[-1] - 69) / 12) if sounding else 0
        rows.append(f"{step * STEP:.2f},{hertz:.2f}")
    return "\n".join(rows) + "\n"
