"""Beats, tempo and bars of performed notes."""

import io

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.symbolic import Beats, track_beats


def piece(bars, per_bar, period, *, halves=True, seed=0):
    """Bass and chord on downbeats, chords on beats, single notes between them; played unevenly."""
    rng = np.random.default_rng(seed)
    notes, beats, now = [], [], 0.3
    for beat in range(bars * per_bar):
        beats.append(now)
        step = period * (1 + 0.1 * np.sin(beat / 5))
        root = (0, 5, 7, 0)[beat // per_bar % 4]
        pitches = (48, 64, 67) if beat % per_bar else (36, 60, 64, 67)
        for pitch in pitches:
            onset = now + abs(rng.normal(0, 0.008))
            notes.append(na.Note(onset, onset + 0.9 * step, pitch + root, 0.7))
        if halves:
            notes.append(na.Note(now + step / 2, now + 0.8 * step, 72 + root, 0.5))
        now += step
    return sorted(notes, key=lambda note: note.onset), np.array(beats)


@pytest.mark.parametrize("per_bar", [3, 4])
@pytest.mark.parametrize("period", [0.45, 0.75])
def test_beats_and_bars_of_a_performance(per_bar, period):
    notes, true = piece(10, per_bar, period)
    beats = track_beats(notes)
    assert np.abs(beats.times[:, None] - true).min(axis=0).max() < 0.05
    assert abs(beats.tempo * np.median(np.diff(true)) / 60 - 1) < 0.04
    assert beats.time_signature == (per_bar, 4)
    assert np.abs(beats.downbeats[:, None] - true[::per_bar]).min(axis=0).max() < 0.05


def test_bars_that_are_alike_with_sixteenths_have_two_beats():
    notes = []
    for stroke in range(128):
        onset = stroke * 0.15
        notes.append(na.Note(onset, onset + 0.14, 72 + stroke % 4))
        if stroke % 4 == 0:
            notes.append(na.Note(onset, onset + 0.5, 40 if stroke % 8 == 0 else 48))
    beats = track_beats(notes, tempo=100)
    assert beats.time_signature == (2, 4)
    assert np.abs(beats.downbeats[:, None] - np.arange(16) * 1.2).min(axis=0).max() < 0.01


def test_false_notes_do_not_stop_the_beats():
    notes, true = piece(12, 4, 0.6)
    rng = np.random.default_rng(4)
    false = [na.Note(t, t + 0.5, int(rng.integers(40, 90))) for t in rng.uniform(1, 27, 40)]
    beats = track_beats([*notes, *false])
    assert np.mean(np.abs(beats.times[:, None] - true).min(axis=0) < 0.07) > 0.9
    assert np.std(np.diff(beats.times)) / np.mean(np.diff(beats.times)) < 0.12


def test_thirds_of_beats_are_a_compound_time():
    notes = [
        na.Note(i * 0.25, i * 0.25 + 0.2, 40 if i % 6 == 0 else (52 if i % 3 == 0 else 67 + i % 3))
        for i in range(72)
    ]
    beats = track_beats(notes, tempo=80)
    assert (beats.compound, round(beats.tempo)) == (True, 80)


def test_a_tempo_chooses_the_beats():
    notes, true = piece(10, 4, 0.6)
    halves = track_beats(notes, tempo=200)
    assert abs(halves.tempo / (2 * 60 / np.median(np.diff(true))) - 1) < 0.06


def test_later_notes_have_later_beats():
    notes, _ = piece(8, 3, 0.5)
    later = [na.Note(n.onset + 7.5, n.offset + 7.5, n.pitch, n.velocity) for n in notes]
    shifted, beats = track_beats(later), track_beats(notes)
    np.testing.assert_allclose(shifted.times, beats.times + 7.5, atol=0.021)
    assert shifted.time_signature == beats.time_signature


def test_beats_are_transposition_invariant():
    notes, _ = piece(8, 3, 0.5)
    higher = [na.Note(n.onset, n.offset, n.pitch + 5, n.velocity) for n in notes]
    assert track_beats(higher) == track_beats(notes)


def test_position_and_seconds_are_inverse():
    beats = Beats(np.array([0.5, 1.0, 1.7, 2.1]), per_bar=2, first_downbeat=1)
    times = np.linspace(0, 3, 31)
    np.testing.assert_allclose(beats.seconds(beats.position(times)), times, atol=1e-12)
    np.testing.assert_allclose(beats.position(beats.times), np.arange(4), atol=1e-12)


@pytest.mark.parametrize(
    ("text", "per_bar", "first"),
    [
        ("0.5\n1.0\n1.5\n", 1, 0),
        ("time,beat\n0.5,3\n1,1\n1.5,2\n2,3\n", 3, 1),
        ("# of a person\n0.5\t2\n1.0\t1\n1.5\t2\n", 2, 1),
        ("0 4\n1 1\n2 2\n3 3\n", 4, 1),
    ],
)
def test_tables_of_beats(text, per_bar, first):
    beats = na.symbolic.read_beats(io.BytesIO(text.encode()))
    assert (beats.per_bar, beats.first_downbeat) == (per_bar, first)


def test_bars_of_several_lengths_are_told():
    rows = "".join(f"{time} {number}\n" for time, number in enumerate([1, 2, 3, 1, 2, 3, 1, 2, 1]))
    with pytest.warns(na.errors.AudioWarning, match="1 of 9 beats have other"):
        beats = na.symbolic.read_beats(io.BytesIO(rows.encode()))
    assert beats.downbeats.tolist() == [0, 3, 6]


def test_refusals():
    for text, problem in (
        ("1 1\nx\n", "line 2: 'x' is no beat"),
        ("1 1\n2 1.5\n", "line 2: '2 1.5' is no beat"),
        ("2\n1\n", "that increase; correct it"),
        ("", "has no beats"),
    ):
        with pytest.raises(na.AudioFileError, match=problem):
            na.symbolic.read_beats(io.BytesIO(text.encode()))
    with pytest.raises(na.ContentError, match="got 1 onsets; beats need 4 or more"):
        track_beats([na.Note(0, 1, 60)])
    with pytest.raises(na.ParameterError, match=r"the tempo is 500 .* from 40 to 214"):
        track_beats(piece(2, 4, 0.5)[0], tempo=500)
    with pytest.raises(na.ParameterError, match="times in seconds that increase"):
        Beats(np.array([1.0, 1.0]))
    with pytest.raises(na.ParameterError, match="from 0 to per_bar - 1"):
        Beats(np.array([1.0, 2.0]), per_bar=2, first_downbeat=2)
