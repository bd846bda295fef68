"""Pitches between the keys survive MIDI, tables and JAMS, and no note is bent by another."""

import io
import warnings

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nmfaudio as na
from nmfaudio.errors import AudioWarning, ParameterError

CENT = 0.01
STEP = 1e-4  # s between ticks


@st.composite
def bent_notes(draw, name=""):
    """A note of 0.1 s or more whose pitch moves by up to an octave, slowly enough for ticks."""
    onset, length = draw(st.floats(0, 3)), draw(st.floats(0.1, 3))
    pitch = draw(st.floats(24, 100))
    count = draw(st.integers(0, 4))
    gaps = draw(st.lists(st.floats(0.03, 1), min_size=count, max_size=count))
    bends = draw(st.lists(st.floats(-12, 12), min_size=count, max_size=count))
    contour = tuple(zip(np.cumsum(gaps).tolist(), bends, strict=True))
    return na.Note(onset, onset + length, pitch, track=name, contour=contour)


@st.composite
def chords(draw):
    return [draw(bent_notes(f"voice {n}")) for n in range(draw(st.integers(1, 8)))]


def written(notes, folder):
    path = folder / "score.mid"
    na.write_notes(path, notes, overwrite=True)
    return path


def assert_sounds_alike(note, found):
    times = np.linspace(note.onset, note.offset - 0.011, 200)  # bends are 10 ms apart
    expected = note.pitch_at(times)
    slope = np.abs(np.diff(note.pitch_at(np.linspace(note.onset, note.offset, 5000)))).max()
    slope *= 5000 / (note.offset - note.onset)  # semitones per s, for times are rounded
    assert np.abs(found.pitch_at(times) - expected).max() < CENT + slope * 2 * STEP


@settings(max_examples=60, deadline=None)
@given(chords())
def test_midi_keeps_pitches_within_a_cent(tmp_path_factory, notes):
    found = {
        note.track: note for note in na.read_notes(written(notes, tmp_path_factory.mktemp("m")))
    }
    assert len(found) == len(notes)
    for note in notes:
        assert_sounds_alike(note, found[note.track])


@settings(max_examples=30, deadline=None)
@given(chords())
def test_pretty_midi_reads_the_same_pitches(tmp_path_factory, notes):
    pretty_midi = pytest.importorskip("pretty_midi")
    path = written(notes, tmp_path_factory.mktemp("p"))
    score = pretty_midi.PrettyMIDI(str(path))
    reads = [
        na.symbolic.as_notes(score),
        na.symbolic.as_notes(
            na.symbolic.midi.to_pretty_midi(sorted(notes, key=lambda note: note.onset))
        ),
    ]
    for found in reads:
        assert len(found) == len(notes)
        for note in notes:
            same = [n for n in found if n.track.startswith(note.track)]
            assert_sounds_alike(note, min(same, key=lambda n: abs(n.onset - note.onset)))


@settings(max_examples=40, deadline=None)
@given(chords())
def test_tables_and_jams_keep_contours_exactly(tmp_path_factory, notes):
    folder = tmp_path_factory.mktemp("t")
    for suffix in (".csv", ".jams"):
        path = na.write_notes(folder / f"score{suffix}", notes, overwrite=True)
        read = sorted(na.read_notes(path), key=lambda note: note.track)
        for note, same in zip(notes, read, strict=True):
            assert same.contour == note.contour
            assert same.pitch == note.pitch


def test_notes_on_keys_need_no_bends_and_keep_their_channels(tmp_path):
    notes = [na.Note(n / 4, n / 4 + 2, 60 + n, channel=n) for n in range(12)]
    path = written(notes, tmp_path)
    kinds = {event.type for track in mido.MidiFile(path).tracks for event in track}
    assert not {"pitchwheel", "control_change"} & kinds
    assert [note.channel for note in na.read_notes(path)] == list(range(12))


def test_a_quarter_tone_scale_needs_two_channels(tmp_path):
    notes = [na.Note(n / 4, n / 4 + 0.5, 60 + n / 2) for n in range(24)]
    found = na.read_notes(written(notes, tmp_path))
    assert [note.pitch for note in found] == [note.pitch for note in notes]
    assert len({note.channel for note in found}) == 2


def test_drums_are_not_bent(tmp_path):
    notes = [na.Note(0, 1, 36.4, channel=9), na.Note(0, 1, 60.5)]
    assert [note.pitch for note in na.read_notes(written(notes, tmp_path))] == [36, 60.5]


def test_more_than_fifteen_bends_at_a_time_are_reported(tmp_path):
    notes = [na.Note(0, 1, 40 + 2 * n + n / 20) for n in range(1, 16)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        written(notes, tmp_path)
    with pytest.warns(AudioWarning, match="1 of 16 notes"):
        path = written([*notes, na.Note(0.5, 1, 90.52)], tmp_path)
    found = na.read_notes(path)
    assert found[-1].pitch == pytest.approx(90.5, abs=CENT)
    assert [note.pitch for note in found[:-1]] == pytest.approx([n.pitch for n in notes], abs=CENT)


def test_a_bend_is_within_the_range_that_the_channel_sets():
    def message(kind, **values):
        return mido.Message(kind, **values)

    events = [
        *(message("control_change", control=c, value=v) for c, v in ((101, 0), (100, 0), (6, 12))),
        message("pitchwheel", pitch=4096),
        message("note_on", note=60),
        message("note_off", note=60, time=480),
    ]
    file = mido.MidiFile()
    file.tracks.append(mido.MidiTrack(events))
    content = io.BytesIO()
    file.save(file=content)
    assert na.read_notes(io.BytesIO(content.getvalue()))[0].pitch == 66


def test_a_bend_in_one_step_is_read_as_a_step():
    events = [
        mido.Message("note_on", note=60),
        mido.Message("pitchwheel", pitch=4096, time=480),
        mido.Message("note_off", note=60, time=240),
    ]
    file = mido.MidiFile()
    file.tracks.append(mido.MidiTrack(events))
    content = io.BytesIO()
    file.save(file=content)
    (note,) = na.read_notes(io.BytesIO(content.getvalue()))
    assert note.pitch == 60
    assert note.pitch_at([0.0, 0.48, 0.51, 0.7]).tolist() == [60, 60, 61, 61]


def test_bends_of_basic_pitch_are_thirds_of_a_semitone():
    table = b"start_time_s,end_time_s,pitch_midi,velocity,pitch_bend\n1,2,60,127,0,3,-3\n1,2,61,9\n"
    bent, plain = na.read_notes(io.BytesIO(table))
    assert bent.contour == ((0, 0), (0.5, 1), (1, -1))
    assert plain.contour == ()


@pytest.mark.parametrize(
    ("contour", "message"),
    [
        (((0, float("nan")),), "not finite"),
        (((0, 1), (0, 2)), "do not ascend"),
        (((-1, 0),), "negative"),
        (((0, 100),), "from 0 to 127"),
    ],
)
def test_impossible_contours_are_refused(contour, message):
    with pytest.raises(ParameterError, match=message):
        na.Note(0, 1, 60, contour=contour)
