"""Onsets: what rises is found where it rises, whatever its unit, time and order."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.validation import frame_step
from nmfaudio.transcription.onsets import (
    adaptive_threshold,
    find_onsets,
    onset_strength,
    rise_frames,
    steepest_frame,
    suppress_ghosts,
)

STEP = 0.02
RNG = np.random.default_rng(0)
VALUES = RNG.random((6, 80))
TIMES = np.arange(80) * STEP


def test_strength_is_the_rise_over_the_lag():
    ramp = np.arange(80.0)[None] ** 2
    strength = onset_strength(ramp, TIMES, rise=4 * STEP)
    t = np.arange(2, 78)
    assert np.allclose(strength[0, 2:78], (t + 2.0) ** 2 - np.maximum(t - 2.0, 0) ** 2)


def test_what_only_falls_has_no_strength_after_its_start():
    falling = np.exp(-TIMES)[None]
    assert (onset_strength(falling, TIMES, rise=0.06)[0, 4:] == 0).all()


@pytest.mark.parametrize("lag", [1, 2, 3, 5])
def test_strength_does_not_depend_on_what_comes_later(lag):
    rise = lag * STEP
    whole = onset_strength(VALUES, TIMES, rise=rise)
    part = onset_strength(VALUES[:, :40], TIMES[:40], rise=rise)
    safe = 40 - lag // 2
    assert (whole[:, :safe] == part[:, :safe]).all()


def test_strength_of_a_shifted_salience_is_shifted():
    later = np.pad(VALUES, ((0, 0), (10, 0)))
    shifted = onset_strength(later, np.arange(90) * STEP)
    assert (shifted[:, 10:] == onset_strength(VALUES, TIMES)).all()


def test_ghosts_are_taken_from_partials_only():
    strength = np.zeros((3, 9))
    strength[0, 4] = 10.0
    strength[1:, 4] = 1.5  # an octave above, and a semitone above that
    left = suppress_ghosts(strength, [60, 72, 73], TIMES[:9], share=0.2)
    assert left[:, 4].tolist() == [10.0, 0.0, 1.5]


@pytest.mark.parametrize("low", [60.1, 52.4, 60.2])
def test_ghosts_of_pitches_between_keys_are_found_too(low):
    strength = np.array([[5.0], [1.0]])
    assert suppress_ghosts(strength, [low, low + 12.0], [0.0])[1, 0] == 0


def test_ghosts_never_add_and_a_share_of_zero_takes_nothing():
    pitches = [48, 60, 67, 72, 76, 84]
    assert (suppress_ghosts(VALUES, pitches, TIMES, share=0.0) == VALUES).all()
    taken = suppress_ghosts(VALUES, pitches, TIMES)
    assert (taken <= VALUES).all()
    assert (taken >= 0).all()
    assert (taken[0] == VALUES[0]).all()
    assert (taken[1] < VALUES[1]).any()


def test_ghosts_do_not_depend_on_the_order_of_pitches():
    pitches, order = np.array([48, 60, 67, 72, 76, 84]), RNG.permutation(6)
    shuffled = suppress_ghosts(VALUES[order], pitches[order], TIMES)
    assert (shuffled == suppress_ghosts(VALUES, pitches, TIMES)[order]).all()


def test_threshold_has_the_unit_of_strength():
    once, twice = (adaptive_threshold(c * VALUES, TIMES, 0.2) for c in (1.0, 8.0))
    assert np.allclose(twice, 8 * once)


def test_no_onset_reaches_a_threshold_beyond_all_numbers():
    strength = np.full((1, 80), 1e10)
    assert np.isinf(adaptive_threshold(strength, TIMES, 1e308)).all()


def test_threshold_between_local_and_global():
    strength = np.full((1, 80), 0.01)
    strength[0, 5] = 1.0
    everywhere = adaptive_threshold(strength, TIMES, 0.5, balance=1)
    nearby = adaptive_threshold(strength, TIMES, 0.5, balance=0)
    between = adaptive_threshold(strength, TIMES, 0.5, balance=0.5)
    assert np.allclose(everywhere, 0.5)
    assert np.isclose(nearby[5], 0.5)
    assert np.isclose(nearby[60], 0.005)
    assert np.isclose(between[60], 0.5 * 0.1)


def test_onsets_are_the_peaks_above_the_threshold():
    strength = np.zeros((2, 80))
    planted = [(0, 10), (0, 30), (1, 12)]
    for row, frame in planted:
        strength[row, frame - 1 : frame + 2] = [1, 2, 1]
    assert find_onsets(strength, TIMES, 1.5) == planted
    assert find_onsets(strength, TIMES, np.array([[1.5], [2.5]])) == planted[:2]
    assert find_onsets(strength, TIMES, 2.5) == []


@pytest.mark.parametrize("gap", [0.02, 0.1, 0.4])
def test_onsets_of_a_pitch_are_a_gap_apart(gap):
    onsets = find_onsets(VALUES, TIMES, 0.1, gap=gap)
    assert len(onsets) > 6
    for row in range(6):
        frames = [frame for own, frame in onsets if own == row]
        assert (np.diff(frames) * STEP >= gap - 1e-9).all()


def test_a_plateau_is_one_onset():
    assert find_onsets(np.array([[0.0, 2, 2, 2, 0]]), TIMES[:5], 1.0, gap=0.0) == [(0, 1)]


def test_the_steepest_frame_is_that_of_a_step():
    steps = np.zeros((1, 80))
    steps[0, 23:] = 1.0
    strength = onset_strength(steps, TIMES)
    for frame in np.flatnonzero(strength[0]):
        assert steepest_frame(steps[0], int(frame), rise_frames(0.07, STEP)) == 23


@pytest.mark.parametrize(
    ("values", "times"),
    [
        (VALUES, TIMES[:-1]),
        (VALUES[0], TIMES),
        (-VALUES, TIMES),
        (VALUES * np.nan, TIMES),
        (VALUES, TIMES[::-1]),
        (VALUES, TIMES**2),
    ],
)
def test_what_cannot_be_is_refused(values, times):
    with pytest.raises(na.ParameterError):
        frame_step(values, times)


@pytest.mark.parametrize(
    "call",
    [
        lambda: onset_strength(VALUES, TIMES, rise=0),
        lambda: suppress_ghosts(VALUES, [60, 61], TIMES),
        lambda: suppress_ghosts(VALUES, range(6), TIMES, share=-1),
        lambda: adaptive_threshold(VALUES, TIMES, 0.0),
        lambda: adaptive_threshold(VALUES, TIMES, 0.1, balance=1.5),
        lambda: find_onsets(VALUES, TIMES, np.ones(7)),
    ],
)
def test_settings_out_of_range_are_refused(call):
    with pytest.raises(na.ParameterError):
        call()
