"""The notes of a piano that ship with the package: ``nmfaudio/data/piano.npz``.

What the pianos of the soundfont have in common: for each key an attack, an early and a late
spectrum, the mean over velocities and pianos. They are rounded to eight bits, so that they
pack small.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from sound import SOUNDFONT

import nmfaudio as na

STFT = na.Stft(22050, 4096, 512)
PIANOS = (0, 1, 2, 3)  # General MIDI programs
VELOCITIES = (40 / 127, 70 / 127, 100 / 127)
SECONDS = 1.8
BITS = 8


def make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    first, *others = [
        na.dictionaries.learn_notes_from_soundfont(
            SOUNDFONT,
            program=program,
            velocities=VELOCITIES,
            seconds=SECONDS,
            instrument="piano",
            transform=STFT,
        ).average()
        for program in PIANOS
    ]
    names = [f"fluid-soundfont-gm (MIT, Frank Wen), program {program}" for program in PIANOS]
    about = {"examples": {"piano": names}}
    known = first.merge(*others).average()
    known = replace(known, templates=rounded(known.templates), about=about)
    known.save(folder / "piano.npz", overwrite=True)


def rounded(W: np.ndarray) -> np.ndarray:
    mantissas, exponents = np.frexp(W)
    return np.ldexp(np.round(mantissas * 2**BITS) / 2**BITS, exponents).astype(W.dtype)
