"""Templates of instruments bundled with the package: ``nmfaudio/data/guitar.npz.gz`` and others.

Each is learned as the piano is (`piano_templates`), from one or several programs of two SoundFonts.
To be small, files have every second note, since fonts have samples of every third to sixth only,
values are rounded to `BITS` significant bits, or to 0 where they are below `FLOOR` of the largest,
and files are compressed.
"""

from __future__ import annotations

import gzip
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from piano_templates import MUSESCORE, SECONDS, STFT
from sound import SOUNDFONT

import nmfaudio as na

FONTS = {
    SOUNDFONT: "fluid-soundfont-gm (MIT, Frank Wen)",
    MUSESCORE: "musescore-general-soundfont-small (MIT, S. Christian Collins)",
}
# General MIDI programs that are averaged, each in the range of the instrument that it has.
PROGRAMS = {
    "electric piano": {4: (28, 103), 5: (28, 103)},
    "guitar": {24: (40, 88), 25: (40, 88)},
    "electric guitar": {26: (40, 88), 27: (40, 88)},
    "bass": {32: (23, 67), 33: (23, 67), 34: (23, 67)},
    "strings": {40: (55, 100), 42: (36, 81), 48: (28, 100)},
    "flute": {73: (60, 98)},
    "oboe": {68: (58, 91)},
    "clarinet": {71: (50, 94)},
    "bassoon": {70: (34, 75)},
    "saxophone": {65: (44, 85)},
    "trumpet": {56: (52, 87)},
    "horn": {60: (34, 77)},
}
VELOCITIES = (50 / 127, 90 / 127)
STEP = 2  # semitones
BITS = 4
FLOOR = 1e-4  # −80 dB


def make(folder: Path) -> None:
    """Write a file for each instrument."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, programs in PROGRAMS.items():
        dictionary = compact(learned(name, programs))
        with tempfile.TemporaryDirectory() as temporary:
            content = dictionary.save(Path(temporary, "notes.npz")).read_bytes()
        path = folder / f"{name.replace(' ', '_')}.npz.gz"
        path.write_bytes(gzip.compress(content, mtime=0))


def learned(name: str, programs: dict[int, tuple[int, int]]) -> na.NoteDictionary:
    """Average of the programs of all fonts."""
    first, *further = [
        na.dictionaries.learn_notes_from_soundfont(
            font,
            program=program,
            pitches=range(low, high + 1),
            velocities=VELOCITIES,
            seconds=SECONDS,
            instrument=name,
            transform=STFT,
        ).average()
        for font in FONTS
        for program, (low, high) in programs.items()
    ]
    names = [f"{origin}, program {program}" for origin in FONTS.values() for program in programs]
    known = first.merge(*further).average()
    return replace(known, metadata={"examples": {name: names}})


def compact(dictionary: na.NoteDictionary) -> na.NoteDictionary:
    """Keep every second note, and round the templates, so that they compress well."""
    lowest = min(dictionary.pitches)
    kept = [pitch for pitch in dictionary.groups() if (pitch - lowest) % STEP == 0]
    first, *further = (dictionary.restrict(pitch, pitch) for pitch in kept)
    dictionary = first.merge(*further)
    W = dictionary.templates.astype(np.float32)
    W = np.where(W < FLOOR * W.max(axis=0), 0, W)
    mantissas, exponents = np.frexp(W)
    W = np.ldexp(np.round(mantissas * 2**BITS) / 2**BITS, exponents).astype(W.dtype)
    return replace(dictionary, templates=W)
