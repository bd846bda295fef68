"""Cases that separators are not for: ``python -m benchmarks.quality.material [NAME ...]``.

Each case is made from the samples of the project. Printed are the SI-SDR of each stem in dB and
that of the mixture, which is the result of doing nothing.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

import nmfaudio as na

SECONDS = 8.0


class Limit(NamedTuple):
    """Stems that a separator finds, and the true ones."""

    stems: Mapping[str, np.ndarray]
    true: Mapping[str, np.ndarray]


def f0() -> Limit:
    """Guess the pitch of the oboe in a trio."""
    parts, sr = _parts("trio", "oboe", "guitar", "bassoon")
    true = {"voice": parts["oboe"], "rest": parts["guitar"] + parts["bassoon"]}
    return Limit(na.f0(sum(true.values()), sr, guess=True), true)


def denoise() -> Limit:
    """Take a band without pauses for noise under an oboe, without examples."""
    oboe, sr = _parts("trio", "oboe")
    band, _ = _parts("band", "drums", "bass", "keys")
    noise = sum(band.values())
    true = {"signal": oboe["oboe"], "noise": noise * _gain(oboe["oboe"], noise)}
    return Limit(na.denoise(sum(true.values()), sr), true)


def hpss() -> Limit:
    """Separate plucked from sustained instruments, whose notes all have an attack and a pitch."""
    parts, sr = _parts("trio", "oboe", "guitar", "bassoon")
    true = {"harmonic": parts["oboe"] + parts["bassoon"], "percussive": parts["guitar"]}
    return Limit(na.hpss(sum(true.values()), sr), true)


def drums() -> Limit:
    """Separate the drums of a song without running hpss before."""
    parts, sr = _parts("drums", "kick", "snare", "hihat")
    band, _ = _parts("band", "bass", "keys")
    other = sum(band.values())
    mixture = sum(parts.values()) + other * _gain(sum(parts.values()), other)
    return Limit(na.drums(mixture, sr), parts)


LIMITS = {f.__name__: f for f in (f0, denoise, hpss, drums)}


def main() -> None:
    warnings.simplefilter("ignore", na.errors.AudioWarning)
    for name in sys.argv[1:] or LIMITS:
        stems, true = LIMITS[name]()
        for stem, y in true.items():
            before, after = (na.metrics.si_sdr(y, z) for z in (stems.mixture, stems[stem]))
            print(f"{name}, {stem}: mixture {before:.1f} dB, stem {after:.1f} dB", flush=True)


def _parts(name: str, *files: str) -> tuple[dict[str, np.ndarray], int]:
    """Sources of a sample in one channel, and their rate."""
    found = {f: na.read(na.example(name, f"sources/{f}.flac"), stop=SECONDS) for f in files}
    sr = next(iter(found.values())).sr
    return {f: audio.samples.mean(0, keepdims=True) for f, audio in found.items()}, sr


def _gain(y: np.ndarray, other: np.ndarray) -> float:
    """Factor that gives a sound the energy of another one."""
    return float(np.sqrt(np.square(y).sum() / np.square(other).sum()))


if __name__ == "__main__":
    main()
