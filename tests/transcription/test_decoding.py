"""Decoding: planted notes are found, whatever the unit, the time and the order of pitches."""

from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.transcription.decoding import Decoding
from nmfaudio.transcription.dynamics import key_gains, note_levels, note_peaks, velocities
from nmfaudio.transcription.salience import Salience

STEP = 0.02
EXACT = Decoding(damping=0)  # strings that fall silent at once
PITCHES = np.array([48.0, 55.0, 60.0, 64.0, 72.0])
PLANTED = [  # row, frame, frames, level
    (0, 10, 30, 1.0),
    (2, 10, 20, 0.8),
    (3, 40, 10, 0.5),
    (2, 60, 25, 0.6),
    (2, 85, 20, 0.7),
    (4, 100, 30, 0.9),
    (1, 120, 25, 0.4),
]


def planted(count=160, later=0):
    """Saliences that begin at once, fade, and end at once."""
    values = np.zeros((len(PITCHES), count + later))
    for row, frame, length, level in PLANTED:
        values[row, later + frame : later + frame + length] = level * 0.99 ** np.arange(length)
    return Salience(values, PITCHES, np.arange(count + later) * STEP)


def facts(notes):
    return [(n.pitch, round(n.onset / STEP), round(n.offset / STEP)) for n in notes]


EXPECTED = sorted(
    ((PITCHES[row], frame, frame + length) for row, frame, length, _ in PLANTED),
    key=lambda note: (note[1], note[0]),
)


@pytest.mark.parametrize("smoothing", ["hmm", "hysteresis"])
def test_planted_notes_are_found_exactly(smoothing):
    decoding = replace(EXACT, smoothing=smoothing)
    assert facts(decoding(planted())) == EXPECTED


def test_velocities_go_with_the_root_of_levels():
    notes = Decoding(loudest=0.9, ensemble=0)(planted())
    found = {(n.pitch, round(n.onset / STEP)): n.velocity for n in notes}
    for row, frame, _, level in PLANTED:
        assert np.isclose(found[PITCHES[row], frame], 0.9 * np.sqrt(level))


def test_notes_share_the_level_of_all_pitches():
    """Levels of a chord come closer to one another; those of notes that sound alone stay."""
    values, times = np.zeros((2, 60)), np.arange(60) * STEP
    decay = 0.99 ** np.arange(20)
    values[0, 5:25], values[1, 5:25], values[0, 35:55] = 8 * decay, 2 * decay, 4 * decay
    onsets = [(0, 5), (0, 35), (1, 5)]
    alone = note_levels(values, times, onsets, [5, 35, 5], ensemble=0)
    assert np.allclose(alone, [8, 4, 2])
    shared = note_levels(values, times, onsets, [5, 35, 5], ensemble=0.5)
    assert np.isclose(shared[0] / shared[2], np.sqrt(alone[0] / alone[2]))
    assert np.isclose(shared[1], alone[1] * np.sqrt(0.99 ** round(0.045 / STEP)))
    with pytest.raises(na.ParameterError, match=r"ensemble is 1.5; it must be at most 1"):
        Decoding(ensemble=1.5)


@pytest.mark.parametrize("scale", [1e-12, 3.0, 1e9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_depends_on_the_unit(scale, dtype):
    one = planted()
    values = (one.values * scale).astype(dtype)
    assert facts(EXACT(replace(one, values=values))) == EXPECTED


def test_later_salience_makes_later_notes():
    assert facts(EXACT(planted(later=25))) == [(p, a + 25, b + 25) for p, a, b in EXPECTED]


def test_the_order_of_pitches_does_not_matter():
    one, order = planted(), np.random.default_rng(0).permutation(len(PITCHES))
    shuffled = Salience(one.values[order], PITCHES[order], one.times)
    assert Decoding()(shuffled) == Decoding()(one)


@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_silence_has_no_notes(count):
    silence = Salience(np.zeros((5, count)), PITCHES, np.arange(count) * STEP)
    assert Decoding()(silence) == []


def test_no_pitches_have_no_notes():
    assert Decoding()(Salience(np.zeros((0, 9)), np.zeros(0), np.arange(9) * STEP)) == []


def test_notes_out_of_range_are_left_out_and_the_others_stay():
    some = replace(EXACT, lowest=55, highest=64)(planted())
    assert facts(some) == [note for note in EXPECTED if 55 <= note[0] <= 64]
    assert max(note.velocity for note in some) == 1  # of those that are left
    with pytest.raises(na.ParameterError, match="lowest is 60 and highest 50"):
        Decoding(lowest=60, highest=50)


def test_a_higher_threshold_finds_fewer_notes():
    rng = np.random.default_rng(1)
    noise = Salience(rng.random((5, 400)) ** 4, PITCHES, np.arange(400) * STEP)
    counts = [len(Decoding(threshold=t)(noise)) for t in (0.05, 0.2, 0.5, 1.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_short_notes_are_dropped():
    found = facts(replace(EXACT, shortest=0.45)(planted()))
    assert found == [note for note in EXPECTED if note[2] - note[1] >= 23]


def test_an_octave_ghost_is_no_note_but_an_octave_is():
    times = np.arange(100) * STEP
    low = np.where(times >= 0.5, np.exp(0.5 - times), 0.0)
    for share, heard in ((0.15, 1), (0.6, 2)):
        both = Salience(np.stack([low, share * low]), np.array([60, 72]), times)
        assert len(Decoding(threshold=0.1)(both)) == heard


def test_the_salience_is_not_written_to():
    one = planted()
    before = one.values.copy()
    one.values.flags.writeable = False
    Decoding()(one)
    assert (one.values == before).all()


def test_peaks_reach_no_further_than_the_next_onset():
    values = np.array([[1.0, 2, 9, 3, 1, 1, 1, 1, 10]])
    assert note_peaks(values, np.arange(9) * 0.1, [(0, 0), (0, 2)]) == [1, 2]


def test_a_note_that_rises_slowly_lasts_until_it_has_faded():
    rising = [0.3, 0.6, 0.8, 0.9, 0.96, 0.99]
    level = np.concatenate([np.zeros(20), rising, np.ones(20), np.zeros(20)])
    one = Salience(level[None], PITCHES[:1], np.arange(66) * STEP)
    assert facts(replace(EXACT, rise=0.06)(one)) == [(48.0, 20, 46)]


@pytest.mark.parametrize("smoothing", ["hmm", "hysteresis"])
@pytest.mark.parametrize("ringing", [0.5, 2.0, 8.0])
def test_a_string_that_rings_is_held_until_it_is_damped(smoothing, ringing):
    times = np.arange(200) * STEP
    held = np.where(times >= 0.5, np.exp((0.5 - times) / ringing), 0)
    level = held * np.where(times < 2, 1, np.exp((2 - times) / 0.05))
    (note,) = Decoding(smoothing=smoothing)(Salience(level[None], PITCHES[:1], times))
    assert abs(note.offset - 2) <= 2 * STEP


def test_what_is_taken_off_leaves_the_shortest_note():
    level = np.zeros((1, 20))
    level[0, 5:8] = 1
    (note,) = Decoding(damping=1)(Salience(level, PITCHES[:1], np.arange(20) * STEP))
    assert np.isclose(note.offset - note.onset, Decoding().shortest)


def test_no_levels_have_no_velocities():
    assert velocities(np.zeros(0)).tolist() == []
    assert velocities(np.zeros(2)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "settings",
    [
        {"threshold": 0.0},
        {"balance": 1.1},
        {"loudest": 1.5},
        {"release": 2.0},
        {"gap": -0.1},
        {"hold": 0.0},
        {"sustain": 0.0},
        {"damping": -0.1},
        {"smoothing": "median"},
    ],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(na.ParameterError, match=next(iter(settings))):
        Decoding(**settings)


def test_uneven_keys_are_told_from_louder_music():
    rng = np.random.default_rng(0)
    pitches, onsets = rng.integers(48, 72, 600), np.arange(600) * 0.1
    music = 2.0 ** (np.sin(onsets / 4) + (pitches - 60) / 24)  # swells, and is louder above
    keys = 2 ** rng.normal(0, 0.5, 128)
    gains = key_gains(music * keys[pitches], pitches, onsets)
    assert np.corrcoef(np.log(gains), np.log(keys[pitches]))[0, 1] > 0.9
    even = key_gains(music, pitches, onsets)
    assert np.ptp(np.log2(even)) < 0.5 * np.ptp(np.log2(gains))
    order = rng.permutation(600)
    shuffled = key_gains((music * keys[pitches])[order], pitches[order], onsets[order])
    np.testing.assert_allclose(shuffled, gains[order])
