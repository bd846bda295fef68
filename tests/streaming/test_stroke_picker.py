"""Strokes of a stream: their detector without the future, and the decision so far."""

import numpy as np
import pytest

from nmfaudio.dictionaries.stroke_classifier import bundled_classifier
from nmfaudio.dictionaries.stroke_features import (
    EDGES,
    ReferenceLevels,
    stroke_features,
    stroke_onsets,
)
from nmfaudio.streaming import stroke_picker
from nmfaudio.streaming.stroke_detector import LIVE_SEGMENTS, LevelCounter, StrokeDetector
from nmfaudio.streaming.stroke_picker import StrokePicker

HOP = 256 / 44100
FRAMES = np.arange(30, 600, 60)  # in which something is struck


def strokes():
    """Bands of noise that begins anew at each of `FRAMES` [shape=(band, time)]."""
    since = (np.arange(700) - np.repeat([30, *FRAMES], np.diff([0, *FRAMES, 700]))) * HOP
    noise = np.random.default_rng(0).random((len(EDGES), 700))
    return np.where(since < 0, 0, (0.5 + noise) * np.exp(-since / 0.05))


def test_quantiles_of_the_levels_so_far():
    levels = np.random.default_rng(1).lognormal(0, 3, (2, 999))
    counter = LevelCounter(2)
    for frame in levels.T:
        counter.add(frame)
    exact = np.quantile(levels, 0.97, axis=1, method="inverted_cdf")
    assert np.abs(20 * np.log10(counter.quantile(0.97) / exact)).max() <= 0.26


def test_the_detector_finds_the_strokes_of_a_whole_recording():
    bands, detector, counter = strokes(), StrokeDetector(HOP), LevelCounter(len(EDGES) + 1)
    found = []
    for newest, frame in enumerate(bands.T):
        counter.add(np.append(frame, frame.max()))
        features = detector.step(frame)
        if features is not None:
            found.append(newest - detector.reach)
            typical = counter.quantile(0.97)
            # What comes later has no influence.
            known = np.where(np.arange(700) <= newest, bands, 0)
            reference = ReferenceLevels(typical[:-1], typical[-1])
            same = stroke_features(
                known, np.array(found[-1:]), HOP, reference=reference, segments=LIVE_SEGMENTS
            )
            assert np.allclose(features, same)
            assert features.shape[1] == len(bundled_classifier(live=True).network.mean)
    assert found == stroke_onsets(bands, HOP).tolist()
    assert StrokeDetector(HOP).step(np.zeros(len(EDGES))) is None


@pytest.mark.parametrize("late", [0, 2, 12])
def test_a_part_is_there_once_two_of_its_hits_are_probable(monkeypatch, late):
    labels = bundled_classifier(live=True).labels
    probable = {"kick": 0.9, "snare": 0.9, "toms": 0.9}

    class Known:
        def __init__(self):
            self.labels = labels

        def probabilities(self, features):
            return {label: np.array([probable.get(label, 0.0)]) for label in labels}

    monkeypatch.setattr(stroke_picker, "bundled_classifier", lambda live: Known())
    picker = StrokePicker(["kick", "snare", "hihat", "toms"], HOP, 0.06, late)
    levels = np.zeros((700 + late, 3))
    levels[FRAMES + late] = 1.0, 0.8, 0.6
    hits = []
    for newest, (frame, level) in enumerate(zip(strokes().T, levels[:700], strict=True)):
        for hit in picker.step(frame, level):
            hits.append(hit)
            assert newest - picker.reach <= hit.time / HOP <= newest
    times = {part: [h.time for h in hits if h.track == part] for part in ("kick", "snare", "toms")}
    assert np.allclose(times["kick"], FRAMES * HOP)
    assert np.allclose(times["snare"], FRAMES[1:] * HOP)
    assert len(times["toms"]) == len(FRAMES) - 1
    assert not any(h.track == "hihat" for h in hits)
