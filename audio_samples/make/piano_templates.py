"""Piano templates bundled with the package: ``nmfaudio/data/piano.npz``.

Each key has an attack, an early and a late spectrum, averaged over velocities and over pianos of
two SoundFonts. They are rounded to eight significant bits, so that they compress well.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from sound import SOUNDFONT

import nmfaudio as na

STFT = na.Stft(22050, 4096, 512)
MUSESCORE = Path("/usr/share/sounds/sf3/MuseScore_General_Lite.sf3")
"""Of Debian's package ``musescore-general-soundfont-small``."""
# SoundFonts, their General MIDI programs, and their origins.
PIANOS = (
    (SOUNDFONT, (0, 1, 2, 3), "fluid-soundfont-gm (MIT, Frank Wen)"),
    (MUSESCORE, (0, 1), "musescore-general-soundfont-small (MIT, S. Christian Collins)"),
)
VELOCITIES = (40 / 127, 70 / 127, 100 / 127)
SECONDS = 1.8
BITS = 8


def make(folder: Path) -> None:
    """Write ``piano.npz``."""
    folder.mkdir(parents=True, exist_ok=True)
    first, *further = [
        na.dictionaries.learn_notes_from_soundfont(
            font,
            program=program,
            velocities=VELOCITIES,
            seconds=SECONDS,
            instrument="piano",
            transform=STFT,
        ).average()
        for font, programs, _ in PIANOS
        for program in programs
    ]
    names = [
        f"{origin}, program {program}" for _, programs, origin in PIANOS for program in programs
    ]
    metadata = {"examples": {"piano": names}}
    dictionary = first.merge(*further).average()
    dictionary = replace(dictionary, templates=rounded(dictionary.templates), metadata=metadata)
    dictionary.save(folder / "piano.npz", overwrite=True)


def rounded(W: np.ndarray) -> np.ndarray:
    """Round to `BITS` significant bits."""
    mantissas, exponents = np.frexp(W)
    return np.ldexp(np.round(mantissas * 2**BITS) / 2**BITS, exponents).astype(W.dtype)
