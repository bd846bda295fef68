"""Eight original bars and a final chord for drums, bass and electric piano in a small room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from performance import DRUM_CHANNEL, Score, Track, play, strike
from sound import (
    add_reverb,
    balance,
    clear_folder,
    fade_out,
    narrow,
    place,
    render,
    write_mix,
)

SECONDS = 19.6
SIXTEENTH, BAR = 0.25, 16
TEMPO = [(0, 110)]

BASS = """
A1/3 A1/1 r/2 E2/2 G2/2 A2/2 r/2 G2/1 E2/1 | D2/3 D2/1 r/2 A2/2 C3/2 A2/2 F#2/2 E2/2 |
A1/3 A1/1 r/2 E2/2 G2/2 A2/2 r/2 C3/1 B2/1 | D2/3 D2/1 r/2 F#2/2 A2/3 C3/3 B2/2 |
F2/4 r/2 F2/2 A2/2 C3/2> A2/2 F2/2 | G2/4 r/2 G2/2 B2/2 D3/2> B2/2 G2/2 |
E2/4 r/2 E2/2 G2/2 B2/2 D3/2> B2/2 | E2/3 E2/1 r/2 G#2/2 B2/2 r/2 E2/2 G#2/2 | A1/15 r/1 |
"""
CHORDS = """
G3+C4+E4/3> r/3 G3+C4+E4/2 r/8 | F#3+C4+E4/3> r/3 F#3+C4+E4/2 r/8 |
G3+C4+E4/3> r/3 G3+B3+E4/2 r/8 | F#3+C4+E4/3> r/3 F#3+A3+D4/2 r/8 |
A3+C4+E4/6 r/2 A3+C4+E4/4 r/4 | B3+D4+E4/6 r/2 B3+D4+E4/4 r/4 |
G3+B3+D4/6 r/2 G3+B3+D4/4 r/4 | G#3+D4+G4/3> r/3 G#3+D4+G4/2> r/2 G#3+B3+D4/6 |
G3+B3+C4+E4/15 r/1 |
"""
LEAD = """
r/12 A4/1 C5/1 D5/2 | r/10 E5/2 D5/1 C5/1 A4/2 | r/12 E5/1 D5/1 C5/2 | r/10 A4/2 G4/2 E4/2 |
r/4 C5/2 E5/2 G5/3> E5/3 C5/2 | D5/4 B4/2 D5/2 A5/3> G5/3 E5/2 |
G5/4> E5/2 D5/2 B4/3 D5/3 A4/2 | r/6 E5/2 F5/2 E5/2 D5/2 B4/2 | A4/15 r/1 |
"""
# General MIDI note of each drum, and its sixteenths bar by bar.
DRUMS = {
    36: """X..x......x..... X..x......x..x.. X..x......x..... X..x......x.....
           X.....x.x....... X.....x.x....x.. X.....x.x....... X..x......x..... X""",
    38: """....X..g.g..X... ....X..g....X..g ....X..g.g..X... ....X..g....X.xX
           ....X.......X..g ....X..g....X... ....X.......X..g ....X..g..xxXX.. .""",
    42: """x.o.x.o.x.o.x.oo x.o.x.o.x.o.x... x.o.x.o.x.o.x.oo x.o.x.o.x.o.....
           ................ ................ ................ x.o.x.o.x....... .""",
    46: "................" + "..............x.",
    51: """................ ................ ................ ................
           ..o.x.o.o.o.x.o. o.o.x.o.o.o.x.o. o.o.x.o.o.o.x.o. ................ .""",
    47: "................" * 7 + ".............x..",
    45: "................" * 7 + "..............xo",
    49: "................" * 4 + "x..............." + "................" * 3 + "x",
}
SWING = 0.035  # delay of every second sixteenth in beats

STEADY = [(0, 86), (16, 92), (31, 102), (32, 88)]
SINGING = [(0, 84), (14, 92), (18, 104), (22, 110), (26, 100), (30, 92), (32, 84)]

# Latency of each instrument's samples [s], and level [dB].
ATTACK = {"drums": 0.001, "bass": 0.017, "keys": 0.0}
LEVELS = {"drums": 0.0, "bass": -1.0, "keys": -1.5}
REVERB = {"drums": -20.0, "bass": -26.0, "keys": -18.0}  # level of the reverberation [dB]


def make(folder: Path) -> None:
    """Write score, stems and mixture."""
    clear_folder(folder)
    rng = np.random.default_rng(3)
    common = {"unit": SIXTEENTH, "bar": BAR, "rng": rng}
    drums = [
        note
        for pitch, pattern in DRUMS.items()
        for note in strike("".join(pattern.split()), pitch, rng=rng, swing=SWING)
    ]
    bass = play(BASS, dynamics=STEADY, legato=0.9, delay=0.01, **common)
    chords = play(CHORDS, dynamics=[(0, 70), (16, 78), (32, 74)], legato=0.95, **common)
    lead = play(LEAD, dynamics=SINGING, delay=0.015, **common)
    score = Score(
        "Eight Bars",
        TEMPO,
        (
            Track("drums", DRUM_CHANNEL, tuple(drums)),
            Track("bass", 1, tuple(bass), program=33),
            Track("keys", 2, tuple(chords + lead), program=4),
        ),
    )
    score.save(folder / "score.mid")

    sources = {}
    for track in score.tracks:
        y = render(score, track, seconds=SECONDS, advance=ATTACK[track.name])
        y = place(y[0], -0.35) if track.name == "keys" else narrow(y, 0.4)
        sources[track.name] = fade_out(add_reverb(y, level=REVERB[track.name]), 1.2)
    write_mix(folder, balance(sources, LEVELS), mixture="mixture.flac")
