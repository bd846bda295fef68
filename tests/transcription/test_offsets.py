"""How long notes last: hysteresis, the hidden Markov model, offsets."""

import itertools

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.transcription.offsets import find_offsets, hysteresis, smooth_activity

RNG = np.random.default_rng(0)
TIMES = np.arange(60) * 0.02
VALUES = RNG.random((4, 60)) ** 2


def test_hysteresis_keeps_whole_stretches_of_a_row():
    values = np.array([[2, 5, 2, 0, 2, 2], [2, 2, 2, 2, 0, 5]], float)
    expected = [[1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 1]]
    assert hysteresis(values, high=4, low=1).astype(int).tolist() == expected


def test_hysteresis_lies_between_its_thresholds():
    active = hysteresis(VALUES, high=0.6, low=0.2)
    assert (active[VALUES > 0.6]).all()
    assert not active[VALUES <= 0.2].any()
    assert (hysteresis(VALUES, high=0.4, low=0.4) == (VALUES > 0.4)).all()


def test_the_path_is_the_likeliest_of_all():
    values, times = RNG.random((1, 10)) * 2, np.arange(10) * 0.1
    change, threshold, slope = 0.1 / 0.35, 0.7, 1.3
    odds = slope * np.log(values[0] / threshold)

    def likelihood(path):
        turns = np.count_nonzero(np.diff(path))
        return (
            odds[np.array(path, bool)].sum()
            + turns * np.log(change)
            + (len(path) - 1 - turns) * np.log(1 - change)
        )

    best = max(itertools.product([0, 1], repeat=10), key=likelihood)
    found = smooth_activity(values, times, threshold, length=0.35, slope=slope)
    assert found[0].astype(int).tolist() == list(best)


def test_without_memory_the_model_is_the_threshold():
    active = smooth_activity(VALUES, TIMES, 0.3, length=0.02)
    assert (active == (VALUES > 0.3)).all()


def test_longer_notes_change_less_often():
    turns = [
        np.count_nonzero(np.diff(smooth_activity(VALUES, TIMES, 0.3, length=length), axis=1))
        for length in (0.03, 0.1, 0.5)
    ]
    assert turns[0] > turns[1] > turns[2]


def test_activity_does_not_depend_on_the_unit():
    once, again = (smooth_activity(c * VALUES, TIMES, c * 0.3) for c in (1.0, 1024.0))
    assert (once == again).all()


def test_silence_is_silent():
    assert not smooth_activity(np.zeros((3, 60)), TIMES, 0.1).any()
    assert not hysteresis(np.zeros((3, 60)), high=0.1, low=0.0).any()


def test_offsets_are_where_silence_or_the_next_onset_begins():
    active = np.zeros((2, 60), bool)
    active[0, 5:20], active[1, 30:60] = True, True
    onsets = [(0, 5), (0, 12), (1, 30), (1, 50)]
    found = find_offsets(active, TIMES, onsets)
    assert np.allclose(found, np.array([12, 20, 50, 60]) * 0.02)


def test_every_note_lasts_a_frame_at_least():
    found = find_offsets(np.zeros((1, 60), bool), TIMES, [(0, 7), (0, 59)])
    assert np.allclose(found, np.array([8, 60]) * 0.02)


def test_what_cannot_be_is_refused():
    with pytest.raises(na.ParameterError, match="low"):
        hysteresis(VALUES, high=0.1, low=0.2)
    with pytest.raises(na.ParameterError, match="threshold"):
        smooth_activity(VALUES, TIMES, 0.0)
    with pytest.raises(na.ParameterError, match="length"):
        smooth_activity(VALUES, TIMES, 0.1, length=0.0)
