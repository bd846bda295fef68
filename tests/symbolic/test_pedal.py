"""Sustain pedal: estimated from notes that end together, written to MIDI files and read back."""

import itertools

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nmfaudio as na
from nmfaudio.symbolic import estimate_pedal


def broken_chords(bars=4, period=2.0):
    """Four notes one after another, held by a pedal that changes with each bar."""
    return [
        na.Note(period * bar + 0.4 * n, period * (bar + 1) + 0.02 * n, 48 + 5 * n + bar)
        for bar in range(bars)
        for n in range(4)
    ]


def test_pedal_rises_where_broken_chords_end():
    pedals = estimate_pedal(broken_chords())
    assert np.allclose([up for _, up in pedals], [2.03, 4.03, 6.03, 8.03], atol=0.01)
    assert all(down < up for down, up in pedals)
    for (_, up), (down, _) in itertools.pairwise(pedals):
        assert down - up >= 0.05


@pytest.mark.parametrize(
    "notes",
    [
        [],
        [na.Note(0.0, 1.0, 60)],
        [na.Note(t, t + 0.4, 60 + n) for t in (0.0, 0.5, 1.0) for n in (0, 4, 7)],  # chords
        [na.Note(0.3 * n, 0.3 * n + 0.28, 60 + n) for n in range(8)],  # a scale
    ],
)
def test_no_pedal_where_notes_end_as_they_begin(notes):
    assert estimate_pedal(notes) == []


notes = st.builds(
    lambda onset, length, pitch: na.Note(onset, onset + length, pitch),
    st.floats(0, 20),
    st.floats(0.01, 5),
    st.integers(21, 108),
)


@given(st.lists(notes, max_size=30), st.randoms())
def test_intervals_are_in_order_and_do_not_depend_on_that_of_the_notes(played, random):
    pedals = estimate_pedal(played)
    times = np.array(pedals).reshape(-1)
    assert (np.diff(times) > 0).all()
    random.shuffle(played)
    assert np.allclose(estimate_pedal(played), pedals)


def test_pedal_reaches_the_midi_file_and_holds_notes(tmp_path):
    path = tmp_path / "held.mid"
    played = [na.Note(0.5, 0.8, 60), na.Note(1.0, 3.0, 64), na.Note(3.2, 3.4, 67)]
    na.write_notes(
        path, [*played, na.Note(0.5, 0.6, 36, channel=9, track="drums")], pedals=[(0.55, 2.0)]
    )
    events = [
        e for track in mido.MidiFile(path).tracks for e in track if e.type == "control_change"
    ]
    assert [(e.channel, e.control, e.value) for e in events] == [(0, 64, 127), (0, 64, 0)]
    ends = [round(note.offset, 3) for note in na.read_notes(path) if note.channel != 9]
    assert ends == [2.0, 3.0, 3.4]


def test_estimated_pedal_keeps_the_ends_that_it_was_estimated_from(tmp_path):
    path = tmp_path / "chords.mid"
    na.write_notes(path, broken_chords(), pedals=estimate_pedal(broken_chords()))
    heard = {note.pitch: note.offset for note in na.read_notes(path)}
    for note in broken_chords():
        assert abs(heard[note.pitch] - note.offset) < 0.06
