"""Kinds of drum sounds bundled with the package: ``nmfaudio/data/drum_sounds.npz``.

Each is the mean of an attack, frame by frame, and of an exponential decay of its own in every bin.
The strokes are those that the classifiers of `stroke_classifier` are trained on. The same versions
produce the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from drum_strokes import Kit, kits
from drum_templates import template

LAGS, ATTACK = 16, 4  # frames of a stroke, and of its attack
SLOWEST = 0.01  # rate of decay per frame: what rings is still no drone
QUIETEST = 1e-12
WIRES = 100  # bin, 2.2 kHz, above which the wires of a snare sound
SOUNDS = (  # part of the kit, and the kinds of its strokes
    ("kick", ("kick",)),
    ("snare", ("ringing snare",)),
    ("snare", ("dry snare",)),
    ("hihat", ("closed_hihat", "pedal_hihat")),
    ("hihat", ("open_hihat",)),
    ("toms", ("low_tom",)),
    ("toms", ("mid_tom",)),
    ("toms", ("high_tom",)),
    ("cymbals", ("ride", "ride_bell")),
    ("cymbals", ("crash", "splash")),
)


def make(folder: Path) -> None:
    """Write ``drum_sounds.npz``."""
    found = templates(kits())
    means = [np.mean([found[kind].mean(axis=0) for kind in kinds], axis=0) for _, kinds in SOUNDS]
    logarithms = [np.log(np.maximum(mean, QUIETEST)) for mean in means]
    lines = [decay(each[ATTACK:]) for each in logarithms]
    np.savez_compressed(
        folder / "drum_sounds.npz",
        labels=np.array([part for part, _ in SOUNDS]),
        attack=np.stack([each[:ATTACK] for each in logarithms], axis=-1).astype(np.float16),
        level=np.stack([level for level, _ in lines], axis=-1).astype(np.float16),
        rate=np.stack([rate for _, rate in lines], axis=-1).astype(np.float16),
    )


def templates(strokes: Iterable[Kit]) -> dict[str, np.ndarray]:
    """Return the templates of all strokes of each kind [shape=(stroke, lag, freq)]."""
    sounds: dict[str, list[np.ndarray]] = {}
    for kit in strokes:
        for kind, layers in kit.items():
            sounds.setdefault(kind, []).extend(y for _, _, y in layers)
    wanted = {kind for _, kinds in SOUNDS for kind in kinds} & set(sounds) | {"snare"}
    found = {kind: np.array([template(y, LAGS) for y in sounds[kind]]) for kind in sorted(wanted)}
    snares = found.pop("snare")
    early, late = snares[:, :ATTACK, WIRES:], snares[:, 2 * ATTACK :, WIRES:]
    ring = late.sum(axis=(1, 2)) / early.sum(axis=(1, 2))
    rings = ring > np.median(ring)
    return {**found, "ringing snare": snares[rings], "dry snare": snares[~rings]}


def decay(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return initial level and rate of the lines through logarithmic levels [shape=(lag, freq)]."""
    slope, level = np.polyfit(np.arange(len(levels)), levels, 1)
    return level, np.maximum(-slope, SLOWEST)
