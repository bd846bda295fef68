"""Notes come back as they were written; what is no score is refused in one line."""

import io
from contextlib import suppress

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nmfaudio as na
from nmfaudio.errors import AudioFileError
from nmfaudio.symbolic.midi import unique_names

TIMES = st.floats(0, 3600, allow_subnormal=False)
NAMES = st.text(st.characters(exclude_categories=("C", "Z")), max_size=8)


@st.composite
def notes(draw):
    onset, length = draw(TIMES), draw(TIMES)
    velocity = draw(st.floats(0, 1, allow_subnormal=False))
    rest = draw(NAMES), draw(st.integers(0, 127)), draw(st.integers(0, 15))
    return na.Note(onset, onset + length, draw(st.floats(0, 127)), velocity, *rest)


def in_order(several):
    return sorted(several, key=lambda note: (note.onset, note.pitch))


def midi(*tracks, ticks=100, end=100):
    """A MIDI file of tracks of (tick, message), at 100 ticks or half a second a beat."""
    file = mido.MidiFile(ticks_per_beat=ticks)
    for events in tracks:
        last, track = 0, mido.MidiTrack()
        for tick, message in [*events, (max(end, events[-1][0]), mido.MetaMessage("end_of_track"))]:
            track.append(message.copy(time=tick - last))
            last = tick
        file.tracks.append(track)
    content = io.BytesIO()
    file.save(file=content)
    return content.getvalue()


def on(key=60, velocity=127, **rest):
    return mido.Message("note_on", note=key, velocity=velocity, **rest)


def off(key=60, **rest):
    return mido.Message("note_off", note=key, **rest)


def pedal(value):
    return mido.Message("control_change", control=64, value=value)


def read(content):
    return na.read_notes(io.BytesIO(content))


@settings(max_examples=40, deadline=None)
@given(st.lists(notes(), max_size=6))
def test_a_table_keeps_notes_exactly(tmp_path_factory, several):
    path = tmp_path_factory.mktemp("table") / "score.csv"
    na.write_notes(path, several)
    assert na.read_notes(path) == in_order(several)


@settings(max_examples=40, deadline=None)
@given(st.lists(notes(), max_size=6, unique_by=lambda note: note.track))
def test_midi_keeps_notes_up_to_its_steps(tmp_path_factory, several):
    path = tmp_path_factory.mktemp("midi") / "score.mid"
    na.write_notes(path, several)
    found = na.read_notes(path)
    tracks = dict.fromkeys(note.track for note in in_order(several))
    names = {name: name or f"track {number}" for number, name in enumerate(tracks, 1)}
    assert len(found) == len(several)
    for note in several:
        (match,) = [
            one
            for one in found
            if abs(one.onset - note.onset) < 1e-4 and one.track == names[note.track]
        ]
        assert abs(match.offset - max(note.offset, note.onset + 1e-4)) < 2e-4
        assert abs(match.pitch - note.pitch) <= (0.5 if note.channel == 9 else 0.01)
        assert match.channel == note.channel or note.pitch % 1
        assert abs(match.velocity - note.velocity) <= 1 / 127
        assert match.program == note.program


def test_notes_that_touch_stay_apart(tmp_path):
    several = [na.Note(0, 1, 60, 1.0, "x"), na.Note(1, 2, 60, 1.0, "x")]
    na.write_notes(tmp_path / "x.mid", several)
    assert [(note.onset, note.offset) for note in na.read_notes(tmp_path / "x.mid")] == [
        (0, 1),
        (1, 2),
    ]


def test_tempo_changes_of_any_track_count():
    tempo = [(100, mido.MetaMessage("set_tempo", tempo=1_000_000))]
    (note,) = read(midi(tempo, [(50, on()), (150, off())]))
    assert (note.onset, note.offset) == (0.25, 1.0)


def test_the_pedal_holds_until_it_goes_up_or_the_key_is_struck_again():
    events = [(0, pedal(127)), (0, on()), (20, off()), (40, on()), (60, off()), (80, pedal(0))]
    spans = [(note.onset, note.offset) for note in read(midi(events))]
    assert spans == [(0, 0.2), (0.2, 0.4)]


def test_what_is_never_let_go_lasts_until_the_end_of_the_track():
    assert [note.offset for note in read(midi([(0, on())]))] == [0.5]
    assert [n.offset for n in read(midi([(0, pedal(127)), (0, on()), (9, off())]))] == [0.5]


def test_tracks_get_names_of_their_own():
    name = mido.MetaMessage("track_name", name="Piano")
    sound = [(0, on()), (1, off())]
    names = [
        n.track for n in read(midi([(0, name), *sound], sound, [(0, name), *sound], [(0, name)]))
    ]
    assert names == ["Piano", "track 2", "Piano 2"]


def test_a_program_may_be_set_in_another_track():
    setup = [(0, mido.Message("program_change", channel=3, program=40))]
    (note,) = read(midi(setup, [(0, on(channel=3)), (1, off(channel=3))]))
    assert (note.program, note.channel) == (40, 3)


def test_velocities_of_a_table_may_go_up_to_127():
    header = "start_time_s,end_time_s,pitch_midi,velocity,pitch_bend\n"
    found = read(f"{header}0,1,60,127,1,2\n0,1,61,1,0\n\n".encode())
    assert [note.velocity for note in found] == [1, 1 / 127]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "neither"),
        (b"\x00\xff", "neither"),
        (b"a,b\n1,2\n", "start_time_s,end_time_s,pitch_midi"),
        (b"start_time_s,end_time_s,pitch_midi\n0,1,60\n0,x,60\n", "line 3: a number is missing"),
        (b"start_time_s,end_time_s,pitch_midi\n0,1\n", "line 2: a number is missing"),
        (b"start_time_s,end_time_s,pitch_midi\n2,1,60\n", "line 2: a note lasts from 2.0 to 1.0"),
        (b"start_time_s,end_time_s,pitch_midi\n0,1,200\n", "line 2: a note's pitch is 200.0"),
        (b"start_time_s,end_time_s,pitch_midi\nnan,1,60\n", "line 2"),
        (b"start_time_s,end_time_s,pitch_midi\n0,inf,60\n", "line 2"),
        (b"MThd", "damaged"),
        (midi([(0, on())], ticks=-100), "not counted in beats"),
        (bytes(5 * 2**20), "at most 4194304 are read; cut the score"),
    ],
)
def test_what_is_no_score_is_refused_in_one_line(content, message):
    with pytest.raises(na.AudioFileError, match=message) as caught:
        read(content)
    assert "\n" not in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_midi_file_is_read_or_refused(data):
    content = bytearray(
        midi([(0, pedal(127)), (0, on()), (20, off()), (30, on(70)), (40, off(70))])
    )
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = bytes(content[: data.draw(st.integers(4, len(content)))])
    with suppress(na.AudioFileError):  # and nothing else
        read(content)


def test_a_missing_file_and_a_wrong_suffix(tmp_path):
    with pytest.raises(na.AudioFileError, match="No such file"):
        na.read_notes(tmp_path / "none.mid")
    with pytest.raises(na.errors.OutputError, match=r"\.mid, \.midi, \.csv or \.jams"):
        na.write_notes(tmp_path / "x.txt", [])
    na.write_notes(tmp_path / "x.csv", [])
    with pytest.raises(na.errors.OutputError, match="exists"):
        na.write_notes(tmp_path / "x.csv", [])
    assert na.read_notes(tmp_path / "x.csv") == []


def test_many_tracks_of_one_name_take_linear_time():
    names = unique_names(["oboe"] * 20_000 + ["oboe 3", "", ""])
    assert len(set(names)) == len(names)
    assert names[:3] == ["oboe", "oboe 2", "oboe 3"]
    assert names[-2:] == ["track 20002", "track 20003"]


def test_a_damaged_first_hit_is_no_header():
    with pytest.raises(AudioFileError, match="line 1"):
        na.read_notes(io.BytesIO(b"0.5\n1.0,kick\n"))
    assert len(na.read_notes(io.BytesIO(b"time,drum\n1.0,kick\n"))) == 1
