"""Train the networks of note starts: ``python -m benchmarks.transcription.learn_starts FOLDER``.

They learn from simulated performances on pianos whose keys are uneven, with repeated notes,
transcribed with the shipped templates or those of another piano. The recordings and what they
require are those of `learn_ends`.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import nmfaudio as na
from benchmarks.transcription.ours import learned
from benchmarks.transcription.performances import Performance, Stroke, perform
from benchmarks.transcription.simulated import PIANOS, recorded
from benchmarks.transcription.sound import SR
from nmfaudio.dictionaries.perceptron import Perceptron
from nmfaudio.transcription.note_starts import start_candidates, start_features
from nmfaudio.transcription.onset_blocks import OnsetPeaks

_SECONDS = 20.0  # of a performance
_FIRST = 90_000  # seed, so that performances are not those of the note ends
_TILT, _BEND, _KEY = 0.5, 0.15, 0.1  # octaves of velocity: over 30 semitones, and of each key
_SHARE, _SHORTEST, _LONGEST = 0.15, 0.11, 6  # of notes that are repeated: s of each, number
_EARLIEST, _TOLERANCE = 0.008, 0.08  # s, usual error of a peak, and largest one
_STRONGER = 0.02  # s that a peak of twice the strength may be further away
_UNIT = 0.02  # s, of delays in training
_LAYERS, _EPOCHS = {"starts": (32, 16), "delays": (16,)}, {"starts": 12, "delays": 25}

Examples = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Features of peaks, whether they are notes, and the time from each to its onset."""


def training_peaks(seed: int, transcribers: dict[str, na.Transcriber]) -> Examples:
    """Return the peaks of one performance."""
    rng = np.random.default_rng(_FIRST + seed)
    performance = perform(rng, _SECONDS)
    repeated = _with_repetitions(rng, performance.strokes)
    strokes = Performance(tuple(repeated), performance.pedals).sounding()
    piano, sampled = PIANOS[seed % len(PIANOS)], seed // len(PIANOS) % 2 == 1
    y, speed = recorded(rng, piano, _uneven(rng, strokes), _SECONDS, sampled=sampled)
    others = [name for name in transcribers if name not in ("", piano.name)]
    names = ["", "", *others]
    salience = transcribers[names[int(rng.integers(len(names)))]].analyse(y, SR).salience
    place = salience.values, salience.times, salience.pitches
    peaks = start_candidates(*place)
    parts = list(start_features(*place, peaks))
    times, pitches = salience.times[peaks.frames], salience.pitches[peaks.rows]
    return np.concatenate(parts), *_labels(peaks, times, pitches, strokes, speed)


def _with_repetitions(rng: np.random.Generator, strokes: Sequence[Stroke]) -> list[Stroke]:
    """Strokes of which some are divided into several of the same key."""
    result = []
    for stroke in strokes:
        duration = stroke.release - stroke.onset
        most = int(duration / _SHORTEST)
        if most < 2 or rng.random() >= _SHARE:
            result.append(stroke)
            continue
        count = int(rng.integers(2, min(most, _LONGEST) + 1))
        for n in range(count):
            onset, length = stroke.onset + n * duration / count, duration / count
            end = onset + length * rng.uniform(0.6, 1) if rng.random() < 0.5 else onset + length
            velocity = int(np.clip(stroke.velocity + rng.normal(0, 6), 12, 126))
            result.append(Stroke(onset, end, stroke.pitch, velocity))
    return sorted(result, key=lambda stroke: stroke.onset)


def _uneven(rng: np.random.Generator, strokes: Sequence[Stroke]) -> list[Stroke]:
    """Strokes as loud as on a piano with uneven registers and keys."""
    tilt, bend = rng.uniform(-_TILT, _TILT), rng.normal(0, _BEND)
    keys = rng.normal(0, _KEY, 128)

    def louder(stroke: Stroke) -> float:
        x = (stroke.pitch - 62) / 30
        gain = 2 ** (tilt * x + bend * (x**2 - 0.4) + keys[stroke.pitch])
        return float(127 * np.clip(gain * stroke.velocity / 127, 0.04, 1))

    return [replace(stroke, velocity=louder(stroke)) for stroke in strokes]


def _labels(
    peaks: OnsetPeaks,
    times: np.ndarray,
    pitches: np.ndarray,
    strokes: Sequence[Stroke],
    speed: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each peak is a note, and the time from it to the onset.

    Loud strokes come first. Of the peaks near a stroke, a strong one counts as nearer.
    """
    notes, delays = np.zeros(len(times), int), np.zeros(len(times))
    for stroke in sorted(strokes, key=lambda each: -each.velocity):
        late = times - speed * stroke.onset
        distance = abs(late - _EARLIEST)
        near = np.flatnonzero((pitches == stroke.pitch) & (distance <= _TOLERANCE) & (notes == 0))
        if len(near):
            nearest = np.argmin(distance[near] - _STRONGER * np.log2(peaks.strengths[near]))
            notes[near[nearest]], delays[near[nearest]] = 1, -late[near[nearest]]
    return notes, delays


def train(features: np.ndarray, notes: np.ndarray, delays: np.ndarray) -> dict[str, Perceptron]:
    """Fit both networks to the peaks of all performances."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    options: dict[str, Any] = {"learning_rate_init": 2e-3, "random_state": 0}
    struck = notes == 1
    inputs = {"starts": features, "delays": features[struck]}
    targets = {"starts": notes, "delays": delays[struck] / _UNIT}
    networks = {
        "starts": MLPClassifier(batch_size=512, alpha=0.5, **options),
        "delays": MLPRegressor(batch_size=256, alpha=0.01, **options),
    }
    result = {}
    for name, network in networks.items():
        network.set_params(hidden_layer_sizes=_LAYERS[name], max_iter=_EPOCHS[name])
        scaler = StandardScaler().fit(inputs[name])
        network.fit(scaler.transform(inputs[name]), targets[name])
        weights, biases = list(network.coefs_), list(network.intercepts_)
        if name == "delays":  # in seconds
            weights[-1], biases[-1] = _UNIT * weights[-1], _UNIT * biases[-1]
        layers = [tuple(w.astype(np.float32) for w in each) for each in (weights, biases)]
        result[name] = Perceptron(scaler.mean_, scaler.scale_, *layers)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.transcription.learn_starts",
        description="Train the networks of note starts on simulated performances.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--performances", type=int, default=300, metavar="N")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")  # of the last epoch, and of unsuitable recordings
    fonts = {piano.name: piano for piano in PIANOS if piano.program == 0}
    transcribers = {"": na.Transcriber()}
    transcribers |= {name: na.Transcriber(learned(piano, {})) for name, piano in fonts.items()}
    parts = []
    for seed in range(chosen.performances):
        parts.append(training_peaks(seed, transcribers))
        print(".", end="", file=sys.stderr, flush=True)
    features, notes, delays = (np.concatenate(part) for part in zip(*parts, strict=True))
    for name, network in train(features, notes, delays).items():
        np.savez_compressed(chosen.folder / f"note_{name}.npz", **network.arrays())


if __name__ == "__main__":
    main()
