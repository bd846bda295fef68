"""Grooves as on ordinary drum tracks: one kit, hi-hats that open, a room, some compression.

The performances of `drum_performances` are harder than most recordings: their strokes are of many
kits, and at any level. These are for what depends on the course of a track, as how a hi-hat decays
beside the others, and for evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from drum_performances import (
    Stroke,
    compressed,
    equalised,
    faded,
    filtered,
    pick,
    reverberant,
)
from drum_strokes import Kit
from drum_synthesis import between, synthesise
from sound import SR

LEVELS = {  # dB, typical ones
    "kick": 0, "snare": -1, "sidestick": -7, "closed_hihat": -9, "pedal_hihat": -13,
    "open_hihat": -7, "low_tom": -2, "mid_tom": -2, "high_tom": -3, "ride": -9, "crash": -5,
}  # fmt: skip
HIHATS = ("closed_hihat", "open_hihat", "pedal_hihat")
KEEPERS = {"closed_hihat": 0.63, "open_hihat": 0.14, "ride": 0.13, "crash": 0.05, "": 0.05}
OPENINGS = {"never": 0.28, "at the end": 0.24, "twice": 0.12, "off the beat": 0.12, "any": 0.24}
FILLS = {"low_tom": 0.3, "mid_tom": 0.2, "high_tom": 0.25, "snare": 0.25}


@dataclass(frozen=True)
class Style:
    """What the bars of a groove have in common; `n` are the steps of a beat."""

    n: int
    keeper: str
    every: tuple[int, ...]
    backs: tuple[int, ...]
    back: str
    opened: np.ndarray
    often: float
    kicks: np.ndarray
    ghosts: np.ndarray
    doubled: float
    fills: float
    pedal: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, beat: float) -> Style:
        """Draw a style for a tempo, seconds of a beat."""
        n = 3 if rng.random() < 0.15 else 4
        keeper = pick(rng, KEEPERS)
        density = int(rng.choice([1, 2, 4] if beat > 0.46 else [1, 2, 2], p=[0.15, 0.65, 0.2]))
        kicks = rng.random((2, 4 * n)) < rng.uniform(0.05, 0.25)
        kicks[:, 0] = True
        kicks[:, 2 * n] |= rng.random() < 0.6
        return cls(
            n=n,
            keeper=keeper,
            every=(0, 2) if (n, density) == (3, 2) else tuple(range(0, n, max(1, n // density))),
            backs=(2 * n,) if rng.random() < 0.1 else (n, 3 * n),
            back="sidestick" if rng.random() < 0.08 else "snare",
            opened=opened_steps(rng, n),
            often=rng.choice([0.5, 1.0]),
            kicks=kicks,
            ghosts=rng.random(4 * n) < rng.choice([0, 0, 0.1]),
            doubled=rng.choice([0, 0.3]),
            fills=rng.choice([0.08, 0.2, 0.4]),
            pedal=keeper == "ride" and rng.random() < 0.5,
        )


def opened_steps(rng: np.random.Generator, n: int) -> np.ndarray:
    """Steps of two bars at which the hi-hat opens [shape=(2, step)]."""
    opening, off = pick(rng, OPENINGS), (n + 1) // 2
    opened = np.zeros((2, 4 * n), bool)
    if opening == "at the end":
        opened[:, 3 * n + off] = True
    elif opening == "twice":
        opened[:, [n + off, 3 * n + off]] = True
    elif opening == "off the beat":
        opened[:, off::n] = True
    elif opening == "any":
        opened = rng.random((2, 4 * n)) < 0.15
    return opened


def groove(rng: np.random.Generator, seconds: float) -> list[Stroke]:
    """Return the strokes of a groove in a random style and tempo, by time."""
    beat = 60 / rng.uniform(75, 175)
    style, sloppiness = Style.draw(rng, beat), rng.uniform(0.001, 0.007)
    strokes: list[Stroke] = []
    for bar in range(int(seconds / (4 * beat)) + 1):
        fill = rng.integers(style.n, 3 * style.n) if rng.random() < style.fills else 4 * style.n
        crash = rng.random() < 0.15
        for step in range(4 * style.n):
            struck = filled(style, step, rng) if step >= fill else stepped(style, bar, step, rng)
            if crash and not step:
                struck = [("crash", 0.7, 1.0), *(s for s in struck if s[0] != style.keeper)]
            for kind, low, high in struck:
                time = (4 * bar + step / style.n) * beat + rng.normal(0.05, sloppiness)
                strokes.append((max(0.02, time), kind, rng.uniform(low, high)))
    return sorted(s for s in strokes if s[0] < seconds - 0.3)


def filled(style: Style, step: int, rng: np.random.Generator) -> list[tuple[str, float, float]]:
    """Kinds of strokes at a step of a fill, with the range of their force."""
    struck = []
    if rng.random() < 0.8:
        drums = {pick(rng, FILLS) for _ in range(1 + (rng.random() < style.doubled))}
        struck += [(drum, 0.5, 1.0) for drum in sorted(drums)]
    if step % style.n == 0 and rng.random() < 0.5:
        struck.append(("kick", 0.6, 1.0))
    return struck


def stepped(
    style: Style, bar: int, step: int, rng: np.random.Generator
) -> list[tuple[str, float, float]]:
    """Kinds of strokes at a step of the groove, with the range of their force."""
    struck = []
    if style.kicks[bar % 2, step]:
        struck.append(("kick", 0.6, 1.0))
    if step in style.backs:
        struck.append((style.back, 0.75, 1.0))
    elif style.ghosts[step]:
        struck.append(("snare", 0.12, 0.5))
    place = step % style.n
    if style.keeper and place in style.every and rng.random() < 0.97:
        opens = style.keeper == "closed_hihat" and style.opened[bar % 2, step]
        kind = "open_hihat" if opens and rng.random() < style.often else style.keeper
        struck.append((kind, 0.6, 1.0) if place == 0 else (kind, 0.3, 0.9))
    if style.pedal and step in (style.n, 3 * style.n):
        struck.append(("pedal_hihat", 0.4, 0.9))
    return struck


def perform_groove(
    kits: Sequence[Kit],
    main: Kit,
    rng: np.random.Generator,
    seconds: float,
    *,
    varied: bool = False,
) -> tuple[np.ndarray, list[Stroke]]:
    """Play a groove on a kit; what it lacks is from others.

    Parameters
    ----------
    varied
        Whether the hi-hats, and some other drums, are synthesised or altered, so that many kits
        come from few.

    Returns
    -------
    y : np.ndarray [shape=(sample,)]
    strokes : list of (time, kind, force)
    """
    spread, dynamics = (3.5 if varied else 2.5), rng.uniform(1, 1.8)
    gains = {kind: 10 ** ((level + rng.normal(0, spread)) / 20) for kind, level in LEVELS.items()}
    gains["open_hihat"] = gains["closed_hihat"] * 10 ** (rng.normal(1.5, 2.5) / 20)
    voices = altered_hihats(kits, main, rng) if varied else {}
    strokes, y, played = groove(rng, seconds), np.zeros(round(seconds * SR)), []
    for i, (time, kind, force) in enumerate(strokes):
        if kind not in voices:
            own = main if not varied or rng.random() < 0.6 else {}
            voices[kind] = voice(kind, kits, own, rng, 0.25 if varied else 0.0)
        if not voices[kind]:
            continue
        sound = min(voices[kind], key=lambda layer: abs(layer[0] - force))[1]
        if kind == "open_hihat":  # until the hi-hat closes
            ends = [t for t, other, _ in strokes[i + 1 :] if other in HIHATS]
            sound = faded(sound, max(1, round((ends[0] - time) * SR))) if ends else sound
        first = round(time * SR)
        sound = sound[: len(y) - first] * gains[kind] * force**dynamics
        y[first : first + len(sound)] += sound
        played.append((time, kind, force))
    return recorded(y, rng), played


def voice(kind: str, kits: Sequence[Kit], main: Kit, rng: np.random.Generator, share: float):
    """Layers (force, samples) of one instrument, a share of them synthesised."""
    sound = synthesise(kind, rng) if rng.random() < share else None
    having = [kit for kit in kits if kind in kit]
    if sound is not None:
        return [(1.0, levelled(sound))]
    if kind not in main and not having:
        return []
    kit = main if kind in main else having[rng.integers(len(having))]
    instrument = kit[kind][rng.integers(len(kit[kind]))][0]
    return [(v / 127, levelled(y)) for number, v, y in kit[kind] if number == instrument]


def levelled(y: np.ndarray) -> np.ndarray:
    """Scale a stroke to about the loudness of others."""
    attack = y[: SR // 10] ** 2
    return y / np.sqrt(0.5 * attack.max() + 5 * attack.mean())


def altered_hihats(kits: Sequence[Kit], main: Kit, rng: np.random.Generator) -> dict[str, list]:
    """Hi-hats of a kit that is like no other: their pitch, decay and equaliser are random."""
    hihats = {}
    for kind in HIHATS:
        own, pitch, decay = (
            main if rng.random() < 0.4 else {},
            2 ** (rng.normal(0, 2.5) / 12),
            np.inf,
        )
        layers = voice(kind, kits, own, rng, 0.55)
        if rng.random() < 0.5:
            decay = between(rng, 0.08, 1.0) if kind == "open_hihat" else between(rng, 0.015, 0.4)
        hihats[kind] = [(force, muted(y, pitch, decay)) for force, y in layers]
    if rng.random() < 0.3:  # not quite closed
        tail = muted(hihats["open_hihat"][0][1], 1.0, between(rng, 0.05, 0.3))
        tail = tail * 10 ** (rng.uniform(-26, -10) / 20)
        hihats["closed_hihat"] = [(force, mixed(y, tail)) for force, y in hihats["closed_hihat"]]
    if rng.random() < 0.5:  # the click of an electronic hi-hat
        level, last = 10 ** (rng.uniform(0, 14) / 20) - 1, between(rng, 0.001, 0.012)
        hihats = {kind: clicked(layers, level, last) for kind, layers in hihats.items()}
    points = rng.normal(0, 4, 11)
    return {
        kind: [(force, levelled(filtered(y, points))) for force, y in layers]
        for kind, layers in hihats.items()
    }


def muted(y: np.ndarray, pitch: float, decay: float) -> np.ndarray:
    """Transpose a stroke by a ratio of frequencies, and let it decay faster [s]."""
    y = np.interp(np.arange(0, len(y) - 1, pitch), np.arange(len(y)), y)
    return levelled(y * np.exp(-np.arange(len(y)) / SR / decay))


def clicked(layers: Sequence, level: float, decay: float) -> list:
    """Amplify the beginning of strokes, by a level that decays [s]."""
    return [(f, y * (1 + level * np.exp(-np.arange(len(y)) / SR / decay))) for f, y in layers]


def mixed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sum of two sounds of any lengths."""
    total = np.zeros(max(len(a), len(b)))
    total[: len(a)] += a
    total[: len(b)] += b
    return total


def recorded(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Record a groove: slight equaliser, room, compressor, distortion and noise."""
    y = equalised(y, rng, 3.5)
    if rng.random() < 0.8:
        y = reverberant(y, rng, (0.15, 0.9), (-28, -10))
    y = y / max(np.abs(y).max(), 1e-9)
    if rng.random() < 0.6:
        y = compressed(y, rng, (0.05, 0.2), (2, 5))
    if rng.random() < 0.3:
        y = np.tanh(rng.uniform(1, 2.5) * y)
    return y + rng.standard_normal(len(y)) * 10 ** (rng.uniform(-95, -65) / 20)
