"""Classifier of drum strokes bundled with the package: ``nmfaudio/data/strokes.npz``.

It is trained on performances that are put together from single strokes; this takes half an hour and
needs scikit-learn and Debian's musescore-general-soundfont, hydrogen-drumkits, sonic-pi-samples and
fluid-soundfont-gm. The shipped classifier is the best of five on kits that it was not trained on;
they were trained on 950 such performances in three batches, in which 0, 0 and 50 % of the
instruments were synthesised. Another run gives another network.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from drum_performances import perform
from drum_strokes import KEYS, kits
from sklearn.neural_network import MLPClassifier
from sound import SR

from nmfaudio.audio.masking import analyse
from nmfaudio.dictionaries.drum_detection import hit_transform
from nmfaudio.dictionaries.perceptron import Perceptron
from nmfaudio.dictionaries.stroke_features import (
    EDGES,
    stroke_bands,
    stroke_features,
    stroke_onsets,
)

PERFORMANCES, SECONDS = 1150, 16
HIDDEN, EPOCHS, RATE = 80, 16, 3e-3
LATE, NEAR = 0.003, 0.03  # s of an onset, before its stroke; within which they belong together
LABELS = {  # kinds of each output
    "kick": ("kick",),
    "snare": ("snare",),
    "hihat": ("closed_hihat", "pedal_hihat", "open_hihat"),
    "toms": ("low_tom", "mid_tom", "high_tom"),
    "ride": ("ride", "ride_bell"),
    "crash": ("crash", "splash"),
    "sidestick": ("sidestick",),
    "clap": ("clap",),
    "tambourine": ("tambourine",),
    "cowbell": ("cowbell",),
    "shaker": ("shaker",),
    "open_hihat": ("open_hihat",),
}
SEGMENTS, BANDS = 6, len(EDGES)


def make(folder: Path) -> None:
    """Write ``strokes.npz``."""
    rng = np.random.default_rng(11)
    X, Y = training_data(rng)
    offset, scale = X.mean(axis=0), X.std(axis=0) + 0.01
    net = MLPClassifier((HIDDEN,), alpha=1e-4, batch_size=256, learning_rate_init=RATE)
    net.set_params(random_state=11)
    for epoch in range(EPOCHS):
        varied = (disturbed(X, rng) - offset) / scale
        order = rng.permutation(len(X))
        net.partial_fit(varied[order], Y[order], classes=np.arange(Y.shape[1]))
        if epoch + 1 in (round(0.6 * EPOCHS), round(0.85 * EPOCHS)):
            net._optimizer.learning_rate_init /= 3
    weights = tuple(each.astype(np.float16) for each in net.coefs_)
    biases = tuple(each.astype(np.float32) for each in net.intercepts_)
    network = Perceptron(offset.astype(np.float32), scale.astype(np.float32), weights, biases)
    np.savez_compressed(folder / "strokes.npz", labels=np.array(list(LABELS)), **network.arrays())


def training_data(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Features of onsets [shape=(onset, feature)] and what was struck [shape=(onset, label)]."""
    strokes, transform = kits(), hit_transform(SR)
    hop, X, Y = transform.hop_seconds, [], []
    for _ in range(PERFORMANCES):
        y, played = perform(strokes, rng, SECONDS)
        bands = stroke_bands(analyse(y[None], transform), transform)
        onsets = stroke_onsets(bands, hop)
        times = {kind: np.array([t for t, other, _ in played if other == kind]) for kind in KEYS}
        Y.append(np.stack([struck(onsets * hop, times, k) for k in LABELS.values()], axis=1))
        jitter = rng.integers(-1, 2, len(onsets))
        X.append(stroke_features(bands, np.clip(onsets + jitter, 0, bands.shape[1] - 1), hop))
    return np.concatenate(X), np.concatenate(Y)


def struck(onsets: np.ndarray, times: dict[str, np.ndarray], kinds: tuple[str, ...]) -> np.ndarray:
    """Whether each onset is the nearest of a stroke of these kinds [shape=(onset,)]."""
    found = np.zeros(len(onsets), int)
    for time in np.concatenate([times[kind] for kind in kinds]) if len(onsets) else ():
        nearest = np.abs(onsets + LATE - time).argmin()
        found[nearest] |= abs(onsets[nearest] + LATE - time) < NEAR
    return found


def disturbed(X: np.ndarray, rng: np.random.Generator, eq: float = 0.2, noise: float = 0.1):
    """Features with the levels of another equaliser, and a little noise [decades]."""
    X, n = X.copy(), len(X)
    points, places = rng.normal(0, eq, (n, 8)), np.linspace(0, 7, BANDS)
    low = np.minimum(places.astype(int), 6)
    gains = points[:, low] * (1 - places + low) + points[:, low + 1] * (places - low)
    shape = X[:, : SEGMENTS * BANDS].reshape(n, SEGMENTS, BANDS)
    faint = shape <= shape.min() + 0.01
    shape = shape + gains[:, None] + rng.normal(0, noise, shape.shape)
    shape -= shape[:, 1:4].max(axis=(1, 2), keepdims=True)
    shape = np.where(faint, X.min(), np.maximum(shape, X.min()))
    X[:, : SEGMENTS * BANDS] = shape.reshape(n, -1)
    relative = X[:, SEGMENTS * BANDS : (SEGMENTS + 1) * BANDS]
    relative += rng.normal(0, 0.7 * eq, (n, 1)) + rng.normal(0, noise, relative.shape)
    X[:, (SEGMENTS + 1) * BANDS] += rng.normal(0, 0.1, n)
    return X
