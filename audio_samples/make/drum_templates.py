"""Drum templates bundled with the package: ``nmfaudio/data/drums.npz``.

Each part of a kit is the mean of short spectrograms of single hits of many kits. The hits of the
sample `drums` and its one-shots (``drum_bass_*``, ``drum_snare_*`` and the ``drum_cymbal_``
``closed``, ``open`` and ``pedal``) are excluded, so that the templates can be evaluated on the
sample.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from performance import DRUM_CHANNEL, Note, Score, Track
from sound import SR, load, render

import nmfaudio as na

LAGS = 8
STFT = na.Stft(SR, 2048, 512)
RECORDINGS = {
    "kick": "bd_808 bd_ada bd_boom bd_fat bd_gas bd_haus bd_klub bd_pure bd_sone bd_tek bd_zome "
    "bd_zum bd_mehackit drum_heavy_kick elec_soft_kick elec_hollow_kick",
    "snare": "sn_dolf sn_dub sn_generic sn_zome elec_snare elec_hi_snare elec_lo_snare "
    "elec_mid_snare elec_filt_snare",
    "hihat": "elec_cymbal",
    "toms": "drum_tom_hi_hard drum_tom_hi_soft drum_tom_mid_hard drum_tom_mid_soft "
    "drum_tom_lo_hard drum_tom_lo_soft elec_fuzz_tom",
    "cymbals": "drum_cymbal_hard drum_cymbal_soft drum_splash_hard drum_splash_soft",
}
KITS = (0, 1, 8, 9, 16, 24, 25, 32, 40, 48)  # General MIDI programs
STRIKES = {
    "kick": (35, 36),
    "snare": (38, 40),
    "hihat": (42, 44, 46),
    "toms": (41, 43, 45, 47, 48, 50),
    "cymbals": (49, 51, 53, 55, 57, 59),
}
VELOCITIES = (50, 85, 120)
OFFSETS = (0, 128, 256, 384)  # samples from the centre of a frame to the hit
DUPLICATE = 0.995  # correlation above which two hits are the same recording: kits share some


def make(folder: Path) -> None:
    """Write ``drums.npz``."""
    folder.mkdir(parents=True, exist_ok=True)
    W = np.stack([mean_template(hits(part)) for part in STRIKES], axis=-1)
    metadata = {
        "sources": {
            "sonic-pi-samples (CC0 1.0)": [
                n for names in RECORDINGS.values() for n in names.split()
            ],
            "fluid-soundfont-gm (MIT, Frank Wen)": [f"drum kit {kit}" for kit in KITS],
        }
    }
    dictionary = na.Dictionary(
        W.astype(np.float32), tuple(STRIKES), STFT, kind="convolutive", metadata=metadata
    )
    dictionary.save(folder / "drums.npz", overwrite=True)


def hits(part: str) -> list[np.ndarray]:
    """Recorded and synthesised hits of a part from the onset on, without duplicates."""
    candidates = [from_onset(load(name).mean(axis=0)) for name in RECORDINGS[part].split()]
    for kit in KITS:
        for pitch in STRIKES[part]:
            candidates += [from_onset(strike(kit, pitch, velocity)) for velocity in VELOCITIES]
    distinct: list[np.ndarray] = []
    for hit in candidates:
        if not any(is_duplicate(hit, chosen) for chosen in distinct):
            distinct.append(hit)
    return distinct


def strike(kit: int, pitch: int, velocity: int) -> np.ndarray:
    """Render one hit of a General MIDI kit [shape=(sample,)]."""
    note = Note(0.0, 4.0, pitch, velocity)
    track = Track("drums", DRUM_CHANNEL, (note,), kit)
    return render(Score("", [(0, 120)], (track,)), track, seconds=2.0).mean(axis=0)


def from_onset(y: np.ndarray) -> np.ndarray:
    """Cut 1 ms before the signal first exceeds 2 % of its peak."""
    first = int(np.argmax(np.abs(y) > 0.02 * np.abs(y).max()))
    return y[max(0, first - SR // 1000) :]


def is_duplicate(a: np.ndarray, b: np.ndarray) -> bool:
    """Return True if the first samples of two hits are almost equal up to a gain."""
    n = min(len(a), len(b), 8000)
    return abs(a[:n] @ b[:n]) > DUPLICATE * np.linalg.norm(a[:n]) * np.linalg.norm(b[:n])


def mean_template(sounds: list[np.ndarray]) -> np.ndarray:
    """Mean of the templates of hits with equal weights [shape=(lag, freq)]."""
    return np.mean([template(y) for y in sounds], axis=0)


def template(y: np.ndarray, lags: int = LAGS) -> np.ndarray:
    """First frames of a hit, averaged over positions of the frame grid; sums to one."""
    total = np.zeros((lags, STFT.n_fft // 2 + 1))
    for offset in OFFSETS:
        delayed = np.pad(y, (offset, lags * STFT.hop))  # the first frame is centred on sample 0
        total += STFT.features(STFT.forward(delayed[None]))[:, :lags].T
    return total / total.sum()
