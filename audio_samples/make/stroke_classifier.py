"""Classifiers of drum strokes bundled with the package: ``strokes.npz``, ``live_strokes.npz``.

They are trained on performances that are put together from single strokes; this takes about four
minutes of one core and needs scikit-learn and Debian's musescore-general-soundfont,
hydrogen-drumkits, sonic-pi-samples and fluid-soundfont-gm. The same versions produce the same bytes
on the same kind of processor, for any number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from drum_performances import perform
from drum_strokes import KEYS, kits
from sklearn.neural_network import MLPClassifier
from sound import SR
from threadpoolctl import threadpool_limits

from nmfaudio.audio.masking import analyse
from nmfaudio.dictionaries.drum_detection import hit_transform
from nmfaudio.dictionaries.perceptron import Perceptron
from nmfaudio.dictionaries.stroke_features import (
    EDGES,
    SEGMENTS,
    stroke_bands,
    stroke_features,
    stroke_onsets,
)
from nmfaudio.streaming.stroke_detector import LIVE_SEGMENTS, StrokeDetector

SEED = 11
PERFORMANCES, SECONDS = 1200, 16
LIVE_ONES = 2  # every so many performances are also for the classifier of streams
NETWORKS, HIDDEN, EPOCHS, RATE = 5, 60, 12, 3e-3
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
BANDS = len(EDGES)

Onsets = tuple[np.ndarray, np.ndarray]
"""Features [shape=(onset, feature)] and what was struck [shape=(onset, label)]."""


def make(folder: Path) -> None:
    """Write ``strokes.npz`` and ``live_strokes.npz``."""
    with threadpool_limits(1):  # sums of several threads are rounded in another way
        whole, live = training_data()
        for name, data, segments in (
            ("strokes", whole, len(SEGMENTS)),
            ("live_strokes", live, len(LIVE_SEGMENTS)),
        ):
            arrays = {"labels": np.array(list(LABELS)), **trained(*data, segments).arrays()}
            np.savez_compressed(folder / name, **arrays)


def training_data() -> tuple[Onsets, Onsets]:
    """Return the onsets of all performances, and of some as a stream hears them."""
    strokes, transform = kits(), hit_transform(SR)
    hop, whole, live = transform.hop_seconds, [], []
    for number in range(PERFORMANCES):
        rng = np.random.default_rng([SEED, number])
        y, played = perform(strokes, rng, SECONDS)
        bands = stroke_bands(analyse(y[None], transform), transform)
        onsets = stroke_onsets(bands, hop)
        jittered = np.clip(onsets + rng.integers(-1, 2, len(onsets)), 0, bands.shape[1] - 1)
        whole.append((stroke_features(bands, jittered, hop), labels(onsets * hop, played)))
        if number % LIVE_ONES == 0:
            found, features = detected(bands, hop)
            live.append((features, labels(found * hop, played)))
    return joined(whole), joined(live)


def joined(parts: Sequence[Onsets]) -> Onsets:
    """Concatenate onsets."""
    X, Y = (np.concatenate(each) for each in zip(*parts, strict=True))
    return X.astype(np.float32), Y


def detected(bands: np.ndarray, hop: float) -> Onsets:
    """Onsets of a stream in frames, and their features."""
    detector = StrokeDetector(hop)
    frames = np.concatenate([bands.T, np.zeros((detector.reach, BANDS))])
    found = [detector.step(frame) for frame in frames]
    onsets = [i for i, features in enumerate(found) if features is not None]
    return np.array(onsets, int) - detector.reach, np.concatenate([found[i] for i in onsets])


def labels(onsets: np.ndarray, played: Sequence[tuple[float, str, float]]) -> np.ndarray:
    """Whether each label was struck at each onset [shape=(onset, label)]."""
    times = {kind: np.array([t for t, other, _ in played if other == kind]) for kind in KEYS}
    return np.stack([struck(onsets, times, kinds) for kinds in LABELS.values()], axis=1)


def struck(onsets: np.ndarray, times: dict[str, np.ndarray], kinds: tuple[str, ...]) -> np.ndarray:
    """Whether each onset is the nearest of a stroke of these kinds [shape=(onset,)]."""
    found = np.zeros(len(onsets), int)
    for time in np.concatenate([times[kind] for kind in kinds]) if len(onsets) else ():
        nearest = np.abs(onsets + LATE - time).argmin()
        found[nearest] |= abs(onsets[nearest] + LATE - time) < NEAR
    return found


def trained(X: np.ndarray, Y: np.ndarray, segments: int) -> Perceptron:
    """Train several networks, and return the one whose outputs are their means."""
    offset, scale = X.mean(axis=0), X.std(axis=0) + np.float32(0.01)
    nets = []
    for number in range(NETWORKS):
        rng = np.random.default_rng([SEED, PERFORMANCES + number])
        net = MLPClassifier((HIDDEN,), alpha=1e-4, batch_size=256, learning_rate_init=RATE)
        net.set_params(random_state=number)
        for epoch in range(EPOCHS):
            varied = (disturbed(X, rng, segments) - offset) / scale
            order = rng.permutation(len(X))
            net.partial_fit(varied[order], Y[order], classes=np.arange(Y.shape[1]))
            if epoch + 1 in (round(0.6 * EPOCHS), round(0.85 * EPOCHS)):
                net._optimizer.learning_rate_init /= 3
        nets.append(net)
    return averaged(nets, offset, scale)


def averaged(nets: Sequence[MLPClassifier], offset: np.ndarray, scale: np.ndarray) -> Perceptron:
    """Network whose outputs are the means of those of others, with one layer of hidden units."""
    inner = np.concatenate([net.coefs_[0] for net in nets], axis=1)
    outer = np.concatenate([net.coefs_[1] for net in nets]) / len(nets)
    bends = np.concatenate([net.intercepts_[0] for net in nets])
    ends = np.mean([net.intercepts_[1] for net in nets], axis=0)
    weights = tuple(each.astype(np.float16) for each in (inner, outer))
    biases = tuple(each.astype(np.float32) for each in (bends, ends))
    return Perceptron(offset.astype(np.float32), scale.astype(np.float32), weights, biases)


def disturbed(
    X: np.ndarray, rng: np.random.Generator, segments: int, eq: float = 0.2, noise: float = 0.2
) -> np.ndarray:
    """Features with the levels of another equaliser, and some noise [decades]."""
    X, n, places = X.copy(), len(X), np.linspace(0, 7, BANDS)
    points, low = normal(rng, eq, (n, 8)), np.minimum(places.astype(int), 6)
    between = (places - low).astype(np.float32)
    gains = points[:, low] * (1 - between) + points[:, low + 1] * between
    count = segments * BANDS
    shape = X[:, :count].reshape(n, segments, BANDS)
    lowest = X[:, :count].min()
    faint = shape <= lowest + 0.01
    shape = shape + gains[:, None] + normal(rng, noise, shape.shape)
    shape -= shape[:, 1:4].max(axis=(1, 2), keepdims=True)
    shape = np.where(faint, lowest, np.maximum(shape, lowest))
    X[:, :count] = shape.reshape(n, -1)
    X[:, count : count + BANDS] += normal(rng, 0.7 * eq, (n, 1)) + normal(rng, noise, (n, BANDS))
    X[:, count + BANDS] += normal(rng, 0.1, n)
    return X


def normal(rng: np.random.Generator, spread: float, shape) -> np.ndarray:
    """Draw normal numbers in single precision."""
    return rng.standard_normal(shape, np.float32) * np.float32(spread)
