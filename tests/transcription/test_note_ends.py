"""Ends of piano notes: features are those that are documented, and planted ends are found."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.transcription.decoding import Decoding
from nmfaudio.transcription.note_ends import (
    decay_features,
    note_ends,
    sounding_frames,
)
from nmfaudio.transcription.salience import Salience

STEP = 512 / 22050
ENDS = {0: 0.25, 3: 0.7, 7: 1.6, 9: 2.4}  # seconds after the onset, by row


def struck(ends=ENDS, decay=2.0, damping=40.0, floor=1e-4, seed=0):
    """Salience of strings that ring, and are damped at different times."""
    times = np.arange(200) * STEP
    values = floor * np.random.default_rng(seed).random((10, 200))
    for row, end in ends.items():
        age = times - 10 * STEP
        level = np.exp(-decay * age - damping * (age - end).clip(0))
        values[row] += np.where(age >= 0, level, 0)
    onsets = [(row, 10) for row in ends]
    return values, times, 50.0 + 2 * np.arange(10), onsets, [11] * len(onsets)


@pytest.mark.parametrize("row", ENDS)
@pytest.mark.parametrize("decay", [1.0, 2.0])
@pytest.mark.parametrize("damping", [20.0, 60.0])
def test_planted_ends_are_found(row, decay, damping):
    values, times, *notes = struck({row: ENDS[row]}, decay, damping)
    (found,) = note_ends(values, times, *notes)
    assert abs(found - 10 * STEP - ENDS[row]) <= max(0.06, 0.2 * ENDS[row])


@pytest.mark.parametrize("scale", [1e-9, 1e6])
def test_ends_do_not_depend_on_the_unit(scale):
    values, *rest = struck()
    assert note_ends(scale * values, *rest) == note_ends(values, *rest)


def test_a_note_ends_where_the_next_of_its_pitch_begins():
    values, times, pitches, *_ = struck(damping=0.0)
    ends = note_ends(values, times, pitches, [(3, 10), (3, 40)], [11, 41])
    assert ends[0] <= 40 * STEP


def test_features_are_those_of_the_documentation():
    values, times, pitches, onsets, peaks = struck()
    level = 20 * np.log10(np.maximum(values / values.max(), 1e-5))
    for (row, frame), peak, found in zip(
        onsets, peaks, decay_features(values, times, pitches, onsets, peaks), strict=True
    ):
        here = level[row]
        for t in (frame, frame + 5, 150):
            column = found[t - frame]
            so_far = here[frame : t + 1]
            changes = [here[t + n] - here[t] for n in (1, 3, 5)]
            changes += [here[t] - here[t - n] for n in (1, 3, 5)]
            expected = [here[t] - so_far.max(), here[t] - here[peak], *changes, pitches[row]]
            expected += [here[peak], level[:, t].max() - here[t]]
            assert np.allclose(column[: len(expected)], expected)
            assert np.isclose(column[14], so_far.min() - so_far.max())
            audible = level[:, t] > level[:, t].max() - 35
            moves = (level[:, t + 3] - level[:, t])[audible]
            assert np.allclose(column[12:14], [moves.clip(-30, 5).mean(), (moves < -6).mean()])
        assert found[0, 11] == len(onsets)
        assert found[5, 11] == 0


@pytest.mark.parametrize(
    ("odds", "frames"),
    [([], 0), ([-1.0], 0), ([1.0], 1), ([3, -9, 9, 9], 1), ([1, -1, 2, -1], 3), ([9, 9, -4, 9], 4)],
)
def test_the_likeliest_end(odds, frames):
    assert sounding_frames(np.array(odds, float)) == frames


def test_decoding_uses_the_ends_that_are_chosen():
    values, times, pitches, *_ = struck()
    salience = Salience(values, pitches, times)
    by_activity, by_decay = Decoding()(salience), Decoding(ends="piano")(salience)
    assert [n.onset for n in by_activity] == [n.onset for n in by_decay]
    assert [n.offset for n in by_activity] != [n.offset for n in by_decay]
    with pytest.raises(na.ParameterError, match="ends is 'soon'"):
        Decoding(ends="soon")
