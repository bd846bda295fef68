"""Train the network of note ends: ``python -m benchmarks.transcription.learn_ends OUT.npz``.

It learns from simulated performances, rendered with the pianos of three SoundFonts: as they are, or
from their isolated notes with dampers of another time constant, half of them in a room, all with
some noise and out of tune. Requires fluidsynth, scikit-learn, and Debian's packages
fluid-soundfont-gm, timgm6mb-soundfont and musescore-general-soundfont-small.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import nmfaudio as na
from benchmarks.transcription.performances import Stroke, perform
from benchmarks.transcription.simulated import PIANOS, recorded
from benchmarks.transcription.sound import SR
from nmfaudio.dictionaries.perceptron import Perceptron
from nmfaudio.transcription.dynamics import note_peaks
from nmfaudio.transcription.note_ends import decay_features

_SECONDS = 24.0  # of a performance
_TOLERANCE = 0.05  # s, between the onset of a note and the one that is found
_LAYERS = (32, 16)  # units
_EPOCHS = 12


def training_frames(seed: int, transcriber: na.Transcriber) -> tuple[np.ndarray, np.ndarray]:
    """Return features of the frames of one performance, and whether the note still sounds."""
    rng = np.random.default_rng(seed)
    strokes = perform(rng, _SECONDS).sounding()
    piano, sampled = PIANOS[seed % len(PIANOS)], seed // len(PIANOS) % 2 == 1
    y, speed = recorded(rng, piano, strokes, _SECONDS, sampled=sampled)
    salience = transcriber(y, SR).salience
    values, times, step = salience.values, salience.times, salience.times[1]
    onsets = transcriber.decoding.onsets(salience)
    peaks = note_peaks(values, times, onsets)
    features, sounding = [], []
    rows = decay_features(values, times, salience.pitches, onsets, peaks)
    for (row, frame), each in zip(onsets, rows, strict=True):
        end = _end(strokes, salience.pitches[row], times[frame] / speed)
        if end is not None:
            features.append(each[::2])  # neighbouring frames are nearly the same
            sounding.append(times[frame] + np.arange(len(each))[::2] * step < end * speed)
    return np.concatenate(features).astype(np.float32), np.concatenate(sounding)


def _end(strokes: Sequence[Stroke], pitch: float, onset: float) -> float | None:
    """End of the stroke of a pitch that is nearest to an onset, if it is near."""
    near = [s for s in strokes if s.pitch == pitch and abs(s.onset - onset) <= _TOLERANCE]
    return min(near, key=lambda s: abs(s.onset - onset)).release if near else None


def train(features: np.ndarray, sounding: np.ndarray) -> Perceptron:
    """Fit the network to frames of all performances."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features)
    network = MLPClassifier(
        _LAYERS, batch_size=1024, learning_rate_init=2e-3, max_iter=_EPOCHS, random_state=0
    ).fit(scaler.transform(features), sounding)
    rounded = [
        [each.astype(np.float32).astype(np.float64) for each in layers]
        for layers in (network.coefs_, network.intercepts_)
    ]
    return Perceptron(scaler.mean_, scaler.scale_, tuple(rounded[0]), tuple(rounded[1]))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.transcription.learn_ends",
        description="Train the network of note ends on simulated performances.",
    )
    parser.add_argument("out", type=Path, metavar="OUT.npz")
    parser.add_argument("--performances", type=int, default=180, metavar="N")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")  # of the last epoch, and of unsuitable recordings
    transcriber, parts = na.Transcriber(), []
    for seed in range(chosen.performances):
        parts.append(training_frames(seed, transcriber))
        print(".", end="", file=sys.stderr, flush=True)
    features, sounding = (np.concatenate(part) for part in zip(*parts, strict=True))
    np.savez_compressed(chosen.out, **train(features, sounding).arrays())


if __name__ == "__main__":
    main()
