"""Recordings of simulated performances on which networks for piano are trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve, resample

import nmfaudio as na
from benchmarks.transcription.performances import Stroke
from benchmarks.transcription.sound import SR, Instrument

_SOUNDS = Path("/usr/share/sounds")
_FONTS = ("sf2/FluidR3_GM.sf2", "sf2/TimGM6mb.sf2", "sf3/MuseScore_General_Lite.sf3")
PIANOS = tuple(
    Instrument(Path(font).stem, _SOUNDS / font, program) for program in (0, 1) for font in _FONTS
)
"""Two pianos of each of three SoundFonts."""


def recorded(
    rng: np.random.Generator,
    piano: Instrument,
    strokes: Sequence[Stroke],
    seconds: float,
    *,
    sampled: bool,
) -> tuple[np.ndarray, float]:
    """Render strokes [shape=(sample,)], and return the factor by which they are slower then.

    `sampled` renders them from isolated notes with dampers of another time constant. Half of the
    recordings are in a room, all have some noise and are out of tune.
    """
    notes = [na.Note(s.onset, s.release, s.pitch, s.velocity / 127) for s in strokes]
    if sampled or piano.path.suffix == ".sf3":  # decoding all of a compressed font takes long
        y = piano.sampled(notes, float(np.exp(rng.uniform(np.log(0.015), np.log(0.35)))))
    else:
        y = piano.play(notes)
    y = y[: round((seconds + 1) * SR)]
    if rng.random() < 0.5:
        time = np.arange(round(rng.uniform(0.25, 1.2) * SR)) / SR
        echo = rng.standard_normal(len(time)) * 10 ** (-3 * time / time[-1])
        echo *= 10 ** (rng.uniform(-14, -3) / 20) / np.sqrt(np.sum(echo**2))
        y = y + fftconvolve(y, echo)[: len(y)]
    noise = np.sqrt(np.mean(y**2)) * 10 ** (-rng.uniform(25, 60) / 20)
    y = y + noise * rng.standard_normal(len(y))
    length = round(len(y) * 2 ** (rng.uniform(-15, 15) / 1200))  # cents
    return resample(y, length).astype(np.float32), length / len(y)
