"""The templates of drum kits that ship with the package: ``nmfaudio/data/drums.npz``.

Single hits of many kits become one short spectrogram for each part of a kit. The hits that the
sample `drums` is played from and its one-shots (``drum_bass_*``, ``drum_snare_*`` and the
``drum_cymbal_`` ``closed``, ``open`` and ``pedal``) are left out, so that the sample can judge the
templates.
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
OFFSETS = (0, 128, 256, 384)  # samples by which a hit may come after the middle of a frame
ALIKE = 0.995  # correlation of two hits that count as one: kits share recordings


def make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    W = np.stack([mean_template(hits(part)) for part in STRIKES], axis=-1)
    about = {
        "sources": {
            "sonic-pi-samples (CC0 1.0)": [
                n for names in RECORDINGS.values() for n in names.split()
            ],
            "fluid-soundfont-gm (MIT, Frank Wen)": [f"drum kit {kit}" for kit in KITS],
        }
    }
    known = na.Dictionary(W.astype(np.float32), STRIKES, STFT, kind="convolutive", about=about)
    known.save(folder / "drums.npz", overwrite=True)


def hits(part: str) -> list[np.ndarray]:
    """Recorded and synthesised hits of a part from its onset on, those alike once."""
    found = [from_onset(load(name).mean(axis=0)) for name in RECORDINGS[part].split()]
    for kit in KITS:
        for pitch in STRIKES[part]:
            found += [from_onset(strike(kit, pitch, velocity)) for velocity in VELOCITIES]
    kept: list[np.ndarray] = []
    for hit in found:
        if not any(alike(hit, other) for other in kept):
            kept.append(hit)
    return kept


def strike(kit: int, pitch: int, velocity: int) -> np.ndarray:
    note = Note(0.0, 4.0, pitch, velocity)
    track = Track("drums", DRUM_CHANNEL, (note,), kit)
    return render(Score("", [(0, 120)], (track,)), track, seconds=2.0).mean(axis=0)


def from_onset(y: np.ndarray) -> np.ndarray:
    """From 1 ms before the sound first passes 2 % of its peak."""
    first = int(np.argmax(np.abs(y) > 0.02 * np.abs(y).max()))
    return y[max(0, first - SR // 1000) :]


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    n = min(len(a), len(b), 8000)
    return abs(a[:n] @ b[:n]) > ALIKE * np.linalg.norm(a[:n]) * np.linalg.norm(b[:n])


def mean_template(sounds: list[np.ndarray]) -> np.ndarray:
    """What the sounds are like in the mean, each counting alike [shape=(lag, freq)]."""
    return np.mean([template(y) for y in sounds], axis=0)


def template(y: np.ndarray) -> np.ndarray:
    """The first frames that hear a hit, in the mean over where frames may fall; sums to one."""
    total = np.zeros((LAGS, STFT.n_fft // 2 + 1))
    for offset in OFFSETS:
        late = np.pad(y, (offset, LAGS * STFT.hop))  # the first frame is centred on sample 0
        total += STFT.features(STFT.forward(late[None]))[:, :LAGS].T
    return total / total.sum()
