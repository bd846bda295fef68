"""Strokes of drums and percussion synthesised at random, so that no kit is like another.

Resonances and filtered noise with exponential decays; tambourines and shakers are the particle
models of P. R. Cook, "Physically informed sonic modeling (PhISM)", Computer Music Journal 21(3),
1997.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, lfilter, sosfilt
from sound import SR

HIHATS = {"closed_hihat": (0.012, 0.08), "pedal_hihat": (0.015, 0.08), "open_hihat": (0.12, 0.7)}
TOMS = {"low_tom": (60, 110), "mid_tom": (90, 160), "high_tom": (130, 260)}  # Hz


def synthesise(kind: str, rng: np.random.Generator) -> np.ndarray | None:
    """Return a random stroke with a peak of 1 [shape=(sample,)], None of a kind with no model."""
    if kind in HIHATS:
        y = hihat(kind, rng)
    elif kind in TOMS:
        y = skin(rng, TOMS[kind], (0.08, 0.5), 1.5, noise=(0.05, 0.4))
    elif kind == "kick":
        y = skin(rng, (38, 85), (0.05, 0.3), 0.7, noise=(0.02, 0.5))
    elif kind in MODELS:
        y = MODELS[kind](rng)
    else:
        return None
    return y / np.abs(y).max()


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def resonances(rng, n, band, count, decays, tilt=0.0):
    """Sum of decaying sinusoids at random frequencies of a band [Hz]."""
    t, y = np.arange(n) / SR, np.zeros(n)
    for _ in range(count):
        f = between(rng, *band)
        shape = np.exp(-t / between(rng, *decays)) * np.sin(2 * np.pi * f * t + rng.uniform(0, 6))
        y += rng.uniform(0.2, 1) * (f / band[0]) ** tilt * shape
    return y / np.abs(y).max()


def noise(rng, n, low, high, order=1):
    """Band-passed white noise with a standard deviation of 1."""
    sos = butter(order, [low, min(high, 21000)], "bandpass", fs=SR, output="sos")
    y = sosfilt(sos, rng.standard_normal(n))
    return y / y.std()


def envelope(n, attack, decay, later=1.0, share=0.0):
    """Rise and exponential decay, a share of it slower."""
    t = np.arange(n) / SR
    fall = (1 - share) * np.exp(-t / decay) + share * np.exp(-t / later)
    return fall * (1 - np.exp(-t / max(attack, 1e-4)))


def hihat(kind, rng):
    """Noise and high resonances; closed, pedalled or open."""
    decay = between(rng, *HIHATS[kind])
    n = int(SR * min(1.6, 7 * decay + 0.05))
    y = noise(rng, n, between(rng, 1500, 8000), between(rng, 12000, 20000), rng.integers(1, 3))
    band = between(rng, 600, 4000), 16000
    ringing = resonances(rng, n, band, 20, (decay / 2, 3 * decay), rng.uniform(-0.3, 0.5))
    attack = rng.uniform(0.0002, 0.004 if kind == "pedal_hihat" else 0.0015)
    shape = envelope(n, attack, decay, 3 * decay, rng.uniform(0, 0.3))
    return (y * rng.uniform(0.3, 1) + ringing * rng.uniform(0, 3)) * shape


def ride(rng, band=(300, 14000), count=25):
    """Long resonances, a wash of noise and the tip of the stick."""
    n = int(1.6 * SR)
    body = resonances(rng, n, (band[0] * between(rng, 1, 3), band[1]), count, (0.2, 1.5))
    y = body * envelope(n, 0.0005, between(rng, 0.2, 1), 1.5, 0.3)
    wash = noise(rng, n, between(rng, 1000, 4000), 18000)
    y += (
        wash
        * envelope(n, rng.uniform(0.001, 0.01), between(rng, 0.3, 1.2))
        * between(rng, 0.03, 0.3)
    )
    return y + tip(rng, n, (2000, 12000), (0.004, 0.015), (0.1, 0.7))


def crash(rng, decays=(0.5, 1.8)):
    """Broad noise that decays slowly."""
    n, decay = int(1.6 * SR), between(rng, *decays)
    attack = rng.uniform(0.001, 0.02)
    shape = envelope(n, attack, 0.4 * decay, decay, rng.uniform(0.2, 0.8))
    ringing = resonances(rng, n, (300, 9000), 15, (0.3 * decay, decay), -0.2) * rng.uniform(0, 1)
    return noise(rng, n, between(rng, 250, 1800), 20000) * shape + ringing


def snare(rng):
    """Skin and wires, some with a gated room."""
    n = int(0.8 * SR)
    y = skin(rng, (140, 330), (0.03, 0.15), 0.8, noise=(0, 0.1)) * rng.uniform(0.2, 1)
    wires = noise(rng, n, between(rng, 500, 2500), between(rng, 6000, 18000))
    shape = envelope(n, rng.uniform(0.0003, 0.004), between(rng, 0.03, 0.2))
    y = y + wires * shape * rng.uniform(0.15, 0.8)
    if rng.random() < 0.2:
        gate = np.arange(n) < between(rng, 0.1, 0.3) * SR
        y += noise(rng, n, 300, 9000) * gate * rng.uniform(0.1, 0.4)
    return y


def sidestick(rng):
    """A few short resonances and a click."""
    n = int(0.25 * SR)
    band = between(rng, 250, 700), 3500
    y = resonances(rng, n, band, rng.integers(2, 6), (0.004, 0.035), rng.uniform(-0.3, 0.3))
    return y + tip(rng, n, (500, 20000), (0.001, 0.002), (0.1, 0.7))


def clap(rng):
    """Three bursts and a tail."""
    n = int(0.4 * SR)
    t = np.arange(n) / SR
    shape = np.exp(-t / between(rng, 0.03, 0.12)) * (t > 0.025)
    for start in np.cumsum(rng.uniform(0.006, 0.013, 3)):
        shape += np.exp(-np.maximum(t - start, 0) / 0.006) * (t >= start)
    return noise(rng, n, between(rng, 500, 1000), between(rng, 2500, 9000)) * shape


def skin(rng, pitches, decays, seconds, *, noise):
    """Drum whose pitch falls, with an overtone and the noise of the stick."""
    t = np.arange(int(seconds * SR)) / SR
    f, decay, fall = between(rng, *pitches), between(rng, *decays), rng.uniform(0, 0.4)
    phase = 2 * np.pi * f * (t + fall * 0.03 * (1 - np.exp(-t / 0.03)))
    overtone = rng.uniform(0, 0.6) * np.sin(rng.uniform(1.5, 2) * phase) * np.exp(-2 * t / decay)
    y = np.sin(phase) * np.exp(-t / decay) + overtone
    return y + tip(rng, len(t), (400, 7000), (0.002, 0.02), noise)


def tip(rng, n, band, decays, levels):
    """Short noise of the stick or beater."""
    burst = noise(rng, n, *band) * np.exp(-np.arange(n) / SR / between(rng, *decays))
    return burst * rng.uniform(*levels)


def tambourine(rng, n=int(0.6 * SR)):
    """Random collisions of jingles, each of which rings."""
    y = np.zeros(n)
    x = collisions(rng, n, (0.002, 0.05))
    for _ in range(rng.integers(3, 9)):
        f, decay = between(rng, 3500, 14000), between(rng, 0.004, 0.08)
        r = np.exp(-1 / (SR * decay))
        poles = [1, -2 * r * np.cos(2 * np.pi * f / SR), r * r]
        y += lfilter([1, 0, -1], poles, x) * (1 - r) * rng.uniform(0.3, 1)
    return y


def shaker(rng, n=int(0.6 * SR)):
    """Random collisions of grains in a small box."""
    f = between(rng, 3000, 9000)
    sos = butter(2, [0.7 * f, min(1.6 * f, 20000)], "bandpass", fs=SR, output="sos")
    return sosfilt(sos, collisions(rng, n, (0.02, 0.3)))


def collisions(rng, n, rates):
    """Random impulses that become weaker, some after a slow rise."""
    shape = np.exp(-np.arange(n) / SR / between(rng, 0.02, 0.15))
    if rng.random() < 0.6:
        shape *= 1 - np.exp(-np.arange(n) / SR / rng.uniform(0.001, 0.012))
    return (rng.random(n) < rng.uniform(*rates)) * rng.standard_normal(n) * shape


MODELS = {
    "ride": ride,
    "ride_bell": lambda rng: ride(rng, (500, 7000), 12),
    "crash": crash,
    "splash": lambda rng: crash(rng, (0.15, 0.6)),
    "snare": snare,
    "sidestick": sidestick,
    "clap": clap,
    "tambourine": tambourine,
    "shaker": shaker,
}
