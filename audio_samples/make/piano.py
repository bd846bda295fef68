"""First phrase of Robert Schumann's "Träumerei" (op. 15 no. 7), with an original ending."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from performance import LEAD_IN, Note, Score, Track, pedalled, play
from sound import PEAK, clear_folder, fade_out, render, write

SECONDS = 20.4
EIGHTH, BAR, PICKUP = 0.5, 8, 2
# The melody lingers on its highest note and hurries slightly on the way down.
TEMPO = [
    (0, 56), (1, 62), (4, 72), (5, 60), (6.5, 58), (7.5, 72), (11, 78), (13, 70), (15, 62),
    (17, 44), (21, 44),
]  # fmt: skip
MELODY = """
C4/2 | F4/4 E4/1 F4 A4 C5 | F5/2> F5/2 E5/1 D5 C5 F5> | G4 A4 Bb4 D5> F4 G4 A4 C5> |
G4/3 A4/1 G4/2 E4/2 | F4/6 r/2 |
"""
INNER = """
r/2 | r/2 A3+C4/6 | r/2 Bb3+D4/2 A3+C4/2 A3+D4/2 | Bb3/2 D4/2 A3/2 C4/2 |
Bb3+E4/4 Bb3/2 Bb3+C4/2 | A3+C4/6 r/2 |
"""
BASS = """
r/2 | F2/4 C3/2 F3/2 | Bb2/2 F3/2 A2/2 D3/2 | G2/2 C3/2 D3/2 A2/2 | C3/4 C2/4 | F2/6 r/2 |
"""
SONG = [
    (0, 62), (1, 70), (3, 66), (5, 98), (7, 84), (9, 88), (11, 82), (13, 76), (15, 64),
    (17, 54), (21, 50),
]  # fmt: skip
UNDER = [(0, 50), (5, 66), (9, 62), (13, 56), (17, 44), (21, 42)]
PEDAL_CHANGES = [0, 1, 3, 5, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17]

NOTE_SECONDS, NOTE_VELOCITY = 2.0, 80


def make(folder: Path) -> None:
    """Write score, recording and isolated notes."""
    clear_folder(folder)
    rng = np.random.default_rng(4)
    common = {"unit": EIGHTH, "bar": BAR, "pickup": PICKUP, "rng": rng}
    notes = play(MELODY, dynamics=SONG, legato=1.0, **common)
    notes += play(INNER, dynamics=UNDER, delay=0.02, **common)
    notes += play(BASS, dynamics=UNDER, legato=1.0, **common)
    piano = Track("piano", 0, tuple(notes), controls=pedalled(PEDAL_CHANGES))
    score = Score("Träumerei", TEMPO, (piano,))
    score.save(folder / "score.mid")
    # One side of the soundfont's stereo pair: both together would cancel in places.
    y = fade_out(render(score, piano, seconds=SECONDS)[0], 1.5)
    gain = PEAK / np.max(np.abs(y))
    write(folder / "mixture.flac", gain * y)
    for pitch in sorted({note.pitch for note in notes}):
        write(folder / "notes" / f"{pitch}.flac", gain * single_note(pitch))


def single_note(pitch: int) -> np.ndarray:
    """Render one isolated note with a fade at its end."""
    length = NOTE_SECONDS + 1  # beats, at one beat a second
    track = Track("piano", 0, (Note(-LEAD_IN, length, pitch, NOTE_VELOCITY),))
    y = render(Score("Note", [(0, 60)], (track,)), track, seconds=NOTE_SECONDS)[0]
    return fade_out(y, 0.5)
