"""Random performances on random kits, in random rooms, with the time of every stroke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from drum_strokes import Kit
from drum_synthesis import between, synthesise
from scipy.signal import butter, lfilter, oaconvolve, sosfilt
from sound import SR

LEVELS = {  # dB, typical ones
    "kick": 0, "snare": -1, "sidestick": -6, "clap": -5, "closed_hihat": -11, "pedal_hihat": -14,
    "open_hihat": -9, "low_tom": -2, "mid_tom": -2, "high_tom": -3, "ride": -11, "ride_bell": -10,
    "crash": -6, "splash": -9, "tambourine": -11, "cowbell": -9, "shaker": -16,
}  # fmt: skip
KEEPERS = {  # what keeps the time, and how often
    "closed_hihat": 0.34, "open_hihat": 0.1, "ride": 0.13, "ride_bell": 0.03, "crash": 0.1,
    "tambourine": 0.12, "shaker": 0.05, "low_tom": 0.05, "mid_tom": 0.02, "": 0.06,
}  # fmt: skip
EXTRAS = {"tambourine": 0.08, "cowbell": 0.05, "clap": 0.05, "sidestick": 0.1, "": 0.72}
FILLS = {"low_tom": 0.25, "mid_tom": 0.2, "high_tom": 0.25, "snare": 0.3}
LIKE_OTHERS = ("tambourine", "shaker")  # of which few recordings are free
LONG = ("open_hihat", "ride", "ride_bell", "crash", "low_tom", "mid_tom", "high_tom")
PARTIAL = 4096  # samples of the equaliser

Stroke = tuple[float, str, float]
"""Time in seconds, kind, force."""


def perform(
    kits: Sequence[Kit], rng: np.random.Generator, seconds: float
) -> tuple[np.ndarray, list[Stroke]]:
    """Return a performance [shape=(sample,)] and its strokes by time."""
    strokes = sorted(s for s in groove(rng, seconds) if s[0] < seconds - 0.3)
    y = np.zeros(round(seconds * SR))
    main, dynamics = kits[rng.integers(len(kits))], rng.uniform(1, 1.8)
    gains = {kind: 10 ** ((level + rng.normal(0, 4.5)) / 20) for kind, level in LEVELS.items()}
    voices: dict[str, list] = {}
    played = []
    for i, (time, kind, force) in enumerate(strokes):
        if kind not in voices:
            voices[kind] = voice(kind, kits, main, rng)
        if not voices[kind]:
            continue
        sound = min(voices[kind], key=lambda layer: abs(layer[0] - force))[1]
        if kind == "open_hihat":  # until the hi-hat closes
            ends = [t for t, other, _ in strokes[i + 1 :] if other.endswith("hihat")]
            sound = faded(sound, round((ends[0] - time) * SR)) if ends else sound
        first = round(time * SR)
        sound = sound[: len(y) - first] * gains[kind] * force**dynamics
        y[first : first + len(sound)] += sound
        played.append((time, kind, force))
    return recorded(y, rng), played


def pick(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    """Draw a name with probabilities in proportion to its share."""
    p = np.array(list(shares.values()))
    return str(rng.choice(list(shares), p=p / p.sum()))


@dataclass(frozen=True)
class Style:
    """What the strokes of a groove have in common; `n` are the steps of a beat."""

    n: int
    keeper: str
    density: int
    back: str
    extra: str
    pedal: bool
    opened: float
    doubled: float
    ghosts: np.ndarray
    kicks: np.ndarray
    extras: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Style:
        """Draw a style."""
        n = 3 if rng.random() < 0.25 else 4
        keeper = pick(rng, KEEPERS)
        backs = {"snare": 0.78, "clap": 0.07, "sidestick": 0.1, "": 0.05}
        kicks = rng.random((2, 4 * n)) < rng.uniform(0.05, 0.35)
        kicks[:, 0] = rng.random() < 0.9
        if rng.random() < 0.15:
            kicks[:, ::n] = True
        return cls(
            n=n,
            keeper=keeper,
            density=int(rng.choice([1, 2, 4], p=[0.2, 0.5, 0.3])),
            back=pick(rng, backs),
            extra=pick(rng, EXTRAS),
            pedal=rng.random() < (0.5 if keeper in ("ride", "ride_bell", "crash") else 0.05),
            opened=rng.choice([0, 0.05, 0.15, 0.3]) if keeper == "closed_hihat" else 0.0,
            doubled=rng.choice([0, 0.2, 0.8]),
            ghosts=rng.random(4 * n) < rng.choice([0, 0.05, 0.15]),
            kicks=kicks,
            extras=rng.random(4 * n) < 0.12,
        )

    def keeps(self, step: int) -> bool:
        """Whether the time is kept at a step."""
        return step % max(1, self.n // self.density) == 0


def groove(rng: np.random.Generator, seconds: float) -> list[Stroke]:
    """Return the strokes of bars in a random style and tempo, with fills and crashes."""
    style, beat = Style.draw(rng), 60 / rng.uniform(65, 190)
    fills = rng.choice([0.1, 0.25, 0.5])
    sloppiness = rng.uniform(0, 0.008)
    strokes: list[Stroke] = []
    for bar in range(int(seconds / (4 * beat)) + 1):
        fill = rng.integers(0, 3 * style.n) if rng.random() < fills else 4 * style.n
        for step in range(4 * style.n):
            time = (4 * bar + step / style.n) * beat
            for kind, low, high in stepped(style, bar, step, step >= fill, rng):
                strokes.append((time, kind, rng.uniform(low, high)))
        if rng.random() < 0.25:
            strokes.append((4 * bar * beat, "crash" if rng.random() < 0.8 else "splash", 0.8))
    late = rng.normal(0.05, sloppiness, len(strokes)) if strokes else []
    return [(max(0.02, t + d), kind, f) for (t, kind, f), d in zip(strokes, late, strict=True)]


def stepped(style, bar, step, is_fill, rng):
    """Kinds of strokes at a step, with the range of their force."""
    on_beat, is_back = step % style.n == 0, step in (style.n, 3 * style.n)
    if is_fill:
        if rng.random() < 0.75:
            drums = {pick(rng, FILLS) for _ in range(1 + (rng.random() < style.doubled))}
            for drum in sorted(drums):
                yield drum, 0.5, 1.0
        if on_beat and rng.random() < 0.5:
            yield "kick", 0.6, 1.0
        return
    if style.kicks[bar % 2, step]:
        yield "kick", 0.55, 1.0
    if style.back and is_back:
        yield style.back, 0.75, 1.0
    elif style.ghosts[step] and style.back == "snare":
        yield "snare", 0.12, 0.6
    if style.keeper and style.keeps(step) and rng.random() < 0.95:
        kind = "open_hihat" if rng.random() < style.opened else style.keeper
        yield (kind, 0.6, 1.0) if on_beat else (kind, 0.25, 0.9)
    if style.pedal and is_back:
        yield "pedal_hihat", 0.3, 0.9
    if style.extra and style.extras[step]:
        yield style.extra, 0.4, 1.0


def voice(kind: str, kits: Sequence[Kit], main: Kit, rng: np.random.Generator) -> list:
    """Layers (force, samples) of one instrument, from a kit or synthesised, and varied."""
    sound = synthesise(kind, rng) if rng.random() < (0.65 if kind in LIKE_OTHERS else 0.3) else None
    having = [kit for kit in kits if kind in kit]
    if sound is not None:
        layers = [(1.0, sound)]
    elif having:
        kit = main if kind in main and rng.random() < 0.5 else having[rng.integers(len(having))]
        instrument = kit[kind][rng.integers(len(kit[kind]))][0]
        layers = [(v / 127, y) for number, v, y in kit[kind] if number == instrument]
    else:
        return []
    pitch = 2 ** (rng.normal(0, 2) / 12) if rng.random() < 0.65 else 1.0
    decay = np.inf
    if rng.random() < 0.3:  # muted, but not so much that it becomes another kind
        decay = between(rng, 0.25 if kind in LONG else 0.05, 0.7 if kind in LONG else 0.5)
    varied = []
    for force, y in layers:
        y = np.interp(np.arange(0, len(y) - 1, pitch), np.arange(len(y)), y)
        attack = y[: SR // 10] ** 2
        y = y / np.sqrt(0.5 * attack.max() + 5 * attack.mean())  # about equally loud
        varied.append((force, y * np.exp(-np.arange(len(y)) / SR / decay)))
    return varied


def faded(y: np.ndarray, length: int) -> np.ndarray:
    """Cut a sound with a fade of 9 ms."""
    y = y[:length]
    return y * np.minimum(1, (length - np.arange(len(y))) / 400)


def recorded(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Record a performance: equaliser, low-pass, room, compressor, distortion and noise."""
    y = equalised(y, rng)
    if rng.random() < 0.7:
        y = reverberant(y, rng, (0.1, 1.2), (-30, -8), gated=0.2)
    y = y / max(np.abs(y).max(), 1e-9)
    if rng.random() < 0.5:
        y = compressed(y, rng, (0.02, 0.2), (2, 8))
    if rng.random() < 0.3:
        y = np.tanh(rng.uniform(1, 5) * y)
    return y + rng.standard_normal(len(y)) * 10 ** (rng.uniform(-95, -55) / 20)


def reverberant(
    y: np.ndarray,
    rng: np.random.Generator,
    times: tuple[float, float],
    levels: tuple[float, float],
    gated: float = 0.0,
) -> np.ndarray:
    """Add a room with a reverberation time [s] and a level [dB] in ranges, some of them gated."""
    n = round(between(rng, *times) * SR)
    response = rng.standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    if gated and rng.random() < gated:
        response = rng.standard_normal(SR // 5)
    response = sosfilt(butter(1, rng.uniform(2000, 9000), fs=SR, output="sos"), response)
    response *= 10 ** (rng.uniform(*levels) / 20) / np.linalg.norm(response)
    return y + oaconvolve(y, response)[: len(y)]


def compressed(
    y: np.ndarray,
    rng: np.random.Generator,
    limits: tuple[float, float],
    ratios: tuple[float, float],
) -> np.ndarray:
    """Compress a signal with a peak of 1 above a limit and by a ratio in ranges."""
    level = np.maximum(lfilter([0.004], [1, -0.996], np.abs(y)), 1e-9)
    limit, ratio = rng.uniform(*limits), rng.uniform(*ratios)
    y = y * np.minimum(1, (level / limit) ** (1 / ratio - 1))
    return y / max(np.abs(y).max(), 1e-9)


def equalised(y: np.ndarray, rng: np.random.Generator, spread: float = 5.2) -> np.ndarray:
    """Filter with a smooth random response [dB], and some as compressed files with a low-pass."""
    points, cutoff = rng.normal(0, spread, 11), np.inf
    if rng.random() < 0.3:
        cutoff = rng.choice([7500, 9000, 10000, 12000, 14000, 16000])
    return filtered(y, points, cutoff)


def filtered(y: np.ndarray, points: np.ndarray, cutoff: float = np.inf) -> np.ndarray:
    """Filter with a response [dB] at points 0.95 octaves apart from 30 Hz, and a low-pass [Hz]."""
    f = np.fft.rfftfreq(PARTIAL, 1 / SR)
    octaves = np.log2(np.maximum(f, 30) / 30)
    points = np.convolve(np.pad(points, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
    gain = np.interp(octaves, 0.95 * np.arange(11), points) - 90 * np.clip((f - cutoff) / 200, 0, 1)
    response = np.fft.fftshift(np.fft.irfft(10 ** (gain / 20))) * np.hanning(PARTIAL)
    return oaconvolve(y, response)[PARTIAL // 2 : PARTIAL // 2 + len(y)]
