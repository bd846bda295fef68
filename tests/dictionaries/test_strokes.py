"""What was struck at each onset: onsets, features, and the joint decision."""

import numpy as np
import pytest

from nmfaudio.audio.masking import analyse
from nmfaudio.dictionaries import stroke_decisions
from nmfaudio.dictionaries.drum_detection import hit_transform
from nmfaudio.dictionaries.perceptron import Perceptron
from nmfaudio.dictionaries.stroke_classifier import StrokeClassifier, bundled_classifier
from nmfaudio.dictionaries.stroke_decisions import decided_levels
from nmfaudio.dictionaries.stroke_features import (
    EDGES,
    stroke_bands,
    stroke_features,
    stroke_onsets,
)

HOP = 0.006
TIMES = np.arange(1000) * HOP
FRAMES = np.arange(50, 950, 50)  # in which something was struck


def bursts(sr, times, seconds=2.0):
    y = 1e-4 * np.random.default_rng(1).standard_normal((1, round(seconds * sr)))
    for t in times:
        tail = y[:, round(t * sr) :]
        tail += np.random.default_rng(0).standard_normal(tail.shape) * np.exp(
            -np.arange(tail.shape[1]) / sr / 0.03
        )
    return y


@pytest.mark.parametrize("sr", [8000, 16000, 44100, 96000])
def test_onsets_are_found_at_any_rate_and_loudness(sr):
    times, transform = [0.2, 0.7, 1.5], hit_transform(sr)
    V = analyse(bursts(sr, times), transform)
    bands = stroke_bands(V, transform)
    assert bands.shape == (len(EDGES), V.shape[1])
    onsets = stroke_onsets(bands, transform.hop_seconds)
    found = onsets * transform.hop_seconds
    assert all(np.abs(found - t).min() < 0.02 for t in times)
    features = stroke_features(bands, onsets, transform.hop_seconds)
    assert features.shape == (len(onsets), len(bundled_classifier().network.mean))
    assert np.isfinite(features).all()
    quiet = stroke_features(bands * 2.0**-20, onsets, transform.hop_seconds)
    assert np.allclose(features, quiet)


@pytest.mark.parametrize("frames", [0, 1, 2, 50])
def test_silence_has_no_onsets(frames):
    assert not len(stroke_onsets(np.zeros((len(EDGES), frames)), HOP))


def test_probabilities_of_a_network():
    one = np.ones(1)
    network = Perceptron(0 * one, one, (one[:, None],) * 2, (0 * one, -one))
    net = StrokeClassifier(("kick",), network)
    struck = net.probabilities(np.array([[-5.0], [1.0], [1e9]]))["kick"]
    assert np.allclose(struck, [1 / (1 + np.e), 0.5, 1])


def decided(monkeypatch, parts, heights=None, **struck):
    """Levels where the classifier says what was struck at each of `FRAMES`."""
    labels = bundled_classifier().labels
    said = {label: np.broadcast_to(struck.get(label, 0.0), FRAMES.shape) for label in labels}

    class Known:
        def probabilities(self, features):
            return said

    monkeypatch.setattr(stroke_decisions, "bundled_classifier", Known)
    monkeypatch.setattr(stroke_decisions, "stroke_onsets", lambda bands, hop: FRAMES)
    levels = {part: np.zeros(len(TIMES)) for part in ("kick", "snare", "hihat")}
    for part, height in (heights or dict.fromkeys(levels, 1.0)).items():
        levels[part][FRAMES] = height
    bands = np.ones((len(EDGES), len(TIMES)))
    return [np.flatnonzero(row) for row in decided_levels(levels, bands, TIMES, parts)]


def test_only_possible_hits_stay(monkeypatch):
    possible = np.where(np.arange(len(FRAMES)) % 2, 0.9, 0.1)
    (kicks,) = decided(monkeypatch, ["kick"], kick=possible)
    assert kicks.tolist() == FRAMES[1::2].tolist()


def test_strokes_on_the_rim_are_no_snare(monkeypatch):
    assert len(decided(monkeypatch, ["snare"], snare=0.6)[0])
    assert not len(decided(monkeypatch, ["snare"], snare=0.6, sidestick=0.9)[0])
    assert not len(decided(monkeypatch, ["snare"], snare=0.4)[0])


def test_a_hihat_that_is_never_heard_by_itself_is_noise_of_the_snare(monkeypatch):
    together = {"hihat": 0.8, "snare": 0.9}
    assert not len(decided(monkeypatch, ["hihat"], **together)[0])
    assert len(decided(monkeypatch, ["hihat"], {"hihat": 1.0, "snare": 0.0}, **together)[0])
    some = np.where(np.arange(len(FRAMES)) < 4, 0.1, 0.9)  # without a snare
    assert len(decided(monkeypatch, ["hihat"], hihat=0.8, snare=some)[0])


def test_crash_and_ride_need_no_activations(monkeypatch):
    some = np.where(np.arange(len(FRAMES)) < 4, 0.8, 0.1)
    rows = decided(monkeypatch, ["cymbals", "crash", "ride"], kick=0.9, crash=some, ride=some[::-1])
    strokes = [len(np.unique(np.searchsorted(FRAMES - 6, row, "right"))) for row in rows]
    assert strokes == [8, 4, 4]
    once = np.where(np.arange(len(FRAMES)) < 1, 0.8, 0.1)
    assert not len(decided(monkeypatch, ["ride"], kick=0.9, ride=once)[0])
    assert not len(decided(monkeypatch, ["toms"], kick=0.9, toms=once)[0])
