"""What a transcription can be turned into, and back."""

import io
import json
import sys

import numpy as np
import pytest
from transcription.scenes import NOTES, SR, transcription

import nmfaudio as na

SCORE = tuple(na.Note(n.onset, n.offset, n.pitch, n.velocity) for n in NOTES)


def alike(note, other, tolerance=0.0):
    return (
        abs(note.onset - other.onset) <= tolerance
        and abs(note.offset - other.offset) <= tolerance
        and note.pitch == other.pitch
        and abs(note.velocity - other.velocity) <= 0.5 / 127 + 1e-9
    )


def test_csv_is_read_back(tmp_path):
    found = transcription(SCORE)
    text = found.to_csv(tmp_path / "notes.csv")
    header = "start_time_s,end_time_s,pitch_midi,velocity,track,program,channel"
    assert text.splitlines()[0] == header
    assert (tmp_path / "notes.csv").read_text() == text == found.to_csv()
    back = na.read_notes(tmp_path / "notes.csv")
    assert back == list(found.notes)


def test_soft_notes_stay_soft_in_csv(tmp_path):
    """Velocities of 0 and 1 of 127 are not taken for those of 0 to 1."""
    found = transcription([na.Note(0, 1, 60, 0.0), na.Note(0.5, 1, 72, 1 / 127)], y=np.ones(SR))
    found.to_csv(tmp_path / "soft.csv")
    assert [n.velocity for n in na.read_notes(tmp_path / "soft.csv")] == [0, 1 / 127]


def test_csv_of_numpy_numbers_is_plain(tmp_path):
    pitch, onset = np.float64(60), np.float32(0.25)
    found = transcription([na.Note(onset, np.float64(0.5), pitch)], y=np.ones(SR))
    assert found.to_csv().splitlines()[1] == "0.25,0.5,60.0,0.8,,0,0"


def test_an_existing_table_is_kept_unless_asked(tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text("mine")
    with pytest.raises(na.errors.OutputError, match="exists"):
        transcription().to_csv(path)
    assert path.read_text() == "mine"
    assert transcription().to_csv(path, overwrite=True) == path.read_text()


def test_midi_is_read_back(tmp_path):
    pytest.importorskip("pretty_midi")
    drum = na.Note(0.2, 0.3, 38, track="snare", channel=9)
    score = transcription([*NOTES, drum]).to_midi()
    assert [(i.name, i.is_drum, len(i.notes)) for i in score.instruments] == [
        ("low", False, 2),
        ("high", False, 1),
        ("snare", True, 1),
    ]
    score.write(str(tmp_path / "notes.mid"))
    back = sorted(na.read_notes(tmp_path / "notes.mid"), key=lambda n: (n.onset, n.pitch))
    given = sorted([*NOTES, drum], key=lambda n: (n.onset, n.pitch))
    assert all(alike(*pair, tolerance=1e-4) for pair in zip(back, given, strict=True))
    assert [n.track for n in back] == [n.track for n in given]


def test_a_data_frame_has_a_row_for_each_note():
    pytest.importorskip("pandas")
    frame = transcription().to_dataframe()
    assert [na.Note(**row) for row in frame.to_dict("records")] == list(NOTES)
    empty = transcription((), y=np.zeros(SR)).to_dataframe()
    assert list(empty.columns) == list(frame.columns)
    assert len(empty) == 0


def test_without_pandas_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(na.MissingExtraError, match=r"data frames need pandas.* install"):
        transcription().to_dataframe()


def test_without_pretty_midi_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pretty_midi", None)
    with pytest.raises(na.MissingExtraError, match=r"PrettyMIDI objects need pretty_midi"):
        transcription().to_midi()


@pytest.mark.filterwarnings("ignore:Passing a schema:DeprecationWarning")  # of jams itself
def test_jams_is_plain_and_valid():
    document = transcription().to_jams()
    text = json.dumps(document, allow_nan=False)
    (annotation,) = document["annotations"]
    assert [one["value"] for one in annotation["data"]] == [60, 72, 60]
    assert document["file_metadata"]["duration"] == pytest.approx(1.2)
    jams = pytest.importorskip("jams")
    read = jams.load(io.StringIO(text), validate=True, strict=True)
    times, pitches = read.annotations[0].to_interval_values()
    np.testing.assert_allclose(times, [(n.onset, n.offset) for n in NOTES])
    assert pitches == [60, 72, 60]


def test_no_notes_are_no_error(tmp_path):
    empty = transcription((), y=np.zeros(SR))
    assert len(empty.to_csv().splitlines()) == 1
    assert empty.to_jams()["annotations"][0]["data"] == []
    assert not empty.sonify().any()
    for path in empty.save(tmp_path, "empty"):
        assert na.read_notes(path) == []


def test_save_writes_table_and_midi(tmp_path):
    paths = transcription(SCORE).save(tmp_path / "new", "a/b")
    assert [path.name for path in paths] == ["a_b.mid", "a_b.csv"]
    for path in paths:
        back = na.read_notes(path)
        assert all(alike(*pair, tolerance=1e-4) for pair in zip(back, SCORE, strict=True))


def test_save_writes_nothing_where_one_file_exists(tmp_path):
    (tmp_path / "x.mid").write_bytes(b"mine")
    with pytest.raises(na.errors.OutputError, match=r"x\.mid: exists"):
        transcription().save(tmp_path, "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x.mid"]
    assert (tmp_path / "x.mid").read_bytes() == b"mine"


def test_salience_is_saved_without_pickle(tmp_path):
    found = transcription()
    found.save_salience(tmp_path / "s.npz")
    with np.load(tmp_path / "s.npz", allow_pickle=False) as arrays:
        for name in ("values", "pitches", "times"):
            assert np.array_equal(arrays[name], getattr(found.salience, name))


def test_tones_sound_while_notes_do():
    found = transcription([na.Note(0.4, 0.6, 69), na.Note(0.9, 0.95, 36, channel=9)])
    y = found.sonify()
    assert y.shape == found.mixture.shape[1:]
    assert y.dtype == found.mixture.dtype
    assert not y[: round(0.4 * SR)].any()
    spectrum = np.abs(np.fft.rfft(y[round(0.42 * SR) : round(0.58 * SR)]))
    assert abs(spectrum.argmax() / 0.16 - 440) < 7
    assert np.abs(y).max() == pytest.approx(np.abs(found.mixture).max(), rel=1e-5)
    assert y[round(0.9 * SR) : round(0.93 * SR)].any()
    left, right = found.sonify(beside=True)
    assert np.array_equal(left, found.mixture[0])
    assert np.array_equal(right, y)


def test_a_note_that_outlasts_the_recording_is_cut():
    found = transcription([na.Note(1.1, 5.0, 60), na.Note(3.0, 4.0, 60)])
    assert found.sonify().shape == found.mixture.shape[1:]
    assert np.abs(found.stems(by="note").residual()).max() <= 4e-7


def test_the_picture_has_an_outline_for_each_note():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    axes = transcription().plot()
    salience, outlines = axes.collections
    assert salience.get_array().shape[1] == len(transcription().salience.times)
    assert len(outlines.get_paths()) == 3
    assert {"C4", "C5"} <= {text.get_text() for text in axes.get_yticklabels()}
    assert axes.get_xlabel() == "time (s)"
    transcription((), y=np.zeros(1)).plot().figure.canvas.draw()
    hits = [na.Note(note.onset, note.offset, note.pitch, channel=9) for note in NOTES]
    drawn = transcription(hits).plot().collections[-1]
    assert drawn.get_offsets()[:, 0].tolist() == [note.onset for note in NOTES]


def test_it_says_what_it_is():
    assert repr(transcription()).startswith("Transcription(3 notes: 1 × 9600 samples at 8000 Hz")
