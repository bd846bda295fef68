"""Features of the decay of hi-hats."""

import numpy as np
import pytest

from nmfaudio.dictionaries.hihat_decay import decay_features, open_strokes
from nmfaudio.dictionaries.stroke_features import EDGES

ONSETS = np.arange(20, 960, 40)


def strokes(hop, seconds):
    """Bands of strokes that decay in so many seconds each [shape=(band, time)]."""
    since = (np.arange(1000) - 20) % 40 * hop
    noise = 0.5 + np.random.default_rng(0).random((len(EDGES), 1000))
    return noise * np.exp(-since / np.repeat(seconds, 1000 // len(seconds)))


@pytest.mark.parametrize("hop", [0.003, 0.006])
def test_features_are_of_the_decay_and_not_of_the_loudness(hop):
    bands = strokes(hop, np.array([0.02, 0.2]))
    struck = {label: np.full(len(ONSETS), 0.5) for label in ("hihat", "open_hihat")}
    features = decay_features(bands, ONSETS, hop, struck)
    assert np.isfinite(features).all()
    assert np.allclose(features, decay_features(bands * 2.0**-20, ONSETS, hop, struck))
    later = features[:, 3::7][:, :3]  # a segment in each zone, relative to the attack
    assert (later[len(ONSETS) // 2 + 1 :] > later[: len(ONSETS) // 2 - 1].max()).all()


def test_a_track_without_hihats_has_no_open_ones():
    struck = {label: np.ones(len(ONSETS)) for label in ("hihat", "open_hihat")}
    none = open_strokes(strokes(0.006, np.ones(1)), ONSETS, 0.006, struck, np.zeros(len(ONSETS)))
    assert none.shape == ONSETS.shape
    assert not none.any()
