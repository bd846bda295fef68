"""Notes and beats as JAMS documents."""

import io
import json

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.symbolic import Beats

NOTES = [na.Note(0.5, 1.25, 60.25, 0.4, "left", 19, 2), na.Note(1 / 3, 0.7, 72.0, 0.9)]


def test_a_document_keeps_all_values(tmp_path):
    path = na.write_notes(tmp_path / "song.jams", NOTES)
    read = na.read_notes(path)
    assert sorted(read, key=lambda n: n.pitch) == sorted(
        (na.Note(n.onset, n.onset + (n.offset - n.onset), *_rest(n)) for n in NOTES),
        key=lambda n: n.pitch,
    )


def _rest(note):
    return note.pitch, note.velocity, note.track, note.program, note.channel


@pytest.mark.filterwarnings("ignore:Passing a schema:DeprecationWarning")  # of jams itself
def test_beats_are_valid_and_count_from_one(tmp_path):
    beats = Beats(np.arange(-1, 5) * 0.5, per_bar=3, first_downbeat=2)
    path = na.write_notes(tmp_path / "song.jams", NOTES, beats=beats)
    annotation = json.loads(path.read_text())["annotations"][1]
    assert annotation["namespace"] == "beat"
    found = [(row["time"], row["value"]) for row in annotation["data"]]
    assert found == [(0.0, 3.0), (0.5, 1.0), (1.0, 2.0), (1.5, 3.0), (2.0, 1.0)]
    jams = pytest.importorskip("jams")
    jams.load(io.StringIO(path.read_text()), validate=True, strict=True)


@pytest.mark.parametrize("bars", [(3, 2, False), (2, 0, True), (4, 1, False)])
def test_beats_are_read_as_they_were_written(tmp_path, bars):
    beats = Beats(np.arange(1, 9) / 3, *bars)
    path = na.write_notes(tmp_path / "song.jams", NOTES, beats=beats)
    assert na.symbolic.read_beats(path) == beats


def document(namespace, data, **fields):
    annotation = {"namespace": namespace, "data": data, **fields}
    return io.BytesIO(json.dumps({"annotations": [annotation]}).encode())


def test_documents_of_others():
    rows = [{"time": 1, "duration": 0.5, "value": 440.0, "confidence": None}]
    assert na.read_notes(document("note_hz", rows)) == [na.Note(1.0, 1.5, 69.0)]
    columns = {"time": [1], "duration": [0.5], "value": [69], "confidence": [None]}
    assert na.read_notes(document("note_midi", columns)) == [na.Note(1.0, 1.5, 69.0)]


def test_refusals():
    with pytest.raises(na.AudioFileError, match="has no beats, but annotations of chord; need a"):
        na.symbolic.read_beats(document("chord", []))
    with pytest.raises(na.AudioFileError, match="has no notes, but annotations of chord; need a"):
        na.read_notes(document("chord", []))
    with pytest.raises(na.AudioFileError, match="a damaged JAMS file"):
        na.read_notes(io.BytesIO(b'{"annotations": [{"namespace": "note_midi"}]}'))
    with pytest.raises(na.AudioFileError, match="a damaged JAMS file"):
        na.read_notes(io.BytesIO(b'{"annotations'))
