"""Notes in the forms of other packages."""

import io
from types import SimpleNamespace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.symbolic import as_notes
from nmfaudio.symbolic.midi import to_pretty_midi

pretty_midi = pytest.importorskip("pretty_midi")

NOTES = [
    na.Note(0.0, 1.0, 60, 0.5, "oboe", program=68),
    na.Note(0.5, 0.75, 36, 1.0, "kit", channel=9),
]
SHORT = [(note.onset, note.offset, note.pitch) for note in NOTES]


def short(notes):
    return [(note.onset, note.offset, note.pitch) for note in notes]


def foreign():
    score = to_pretty_midi(NOTES)
    intervals = np.array([note[:2] for note in SHORT])
    midi = np.array([note[2] for note in SHORT], float)
    return {
        "PrettyMIDI": score,
        "its notes": [*score.instruments[0].notes, *score.instruments[1].notes],
        "mir_eval": (intervals, 440 * 2 ** ((midi - 69) / 12)),
        "lists": (intervals.tolist(), (440 * 2 ** ((midi - 69) / 12)).tolist()),
        "mirdata": SimpleNamespace(
            intervals=intervals,
            interval_unit="s",
            pitches=midi,
            pitch_unit="midi",
            confidence=None,
            confidence_unit=None,
        ),
        "a result": SimpleNamespace(notes=NOTES),
        "an iterator": iter(NOTES),
    }


@pytest.mark.parametrize("form", foreign())
def test_every_form_is_taken_wherever_notes_are(form, tmp_path):
    np.testing.assert_allclose(short(as_notes(foreign()[form])), SHORT, rtol=1e-12)
    path = na.write_notes(tmp_path / "notes.csv", foreign()[form])
    np.testing.assert_allclose(short(na.read_notes(path)), SHORT, rtol=1e-12)
    assert len(na.ScoreSeparator(score=foreign()[form]).notes) == 2
    assert na.evaluate_transcription(foreign()[form], foreign()[form]).n_reference == 2


def test_pretty_midi_keeps_tracks_programs_and_drums():
    score = to_pretty_midi(NOTES)
    for found in (as_notes(score), [n for i in score.instruments for n in as_notes(i)]):
        assert [(n.track, n.program, n.channel) for n in found] == [("oboe", 68, 0), ("kit", 0, 9)]
    score.instruments[1].name = "oboe"
    score.instruments.append(pretty_midi.Instrument(0))
    score.instruments[2].notes = score.instruments[0].notes
    names = {note.track for note in as_notes(score)}
    assert names == {"oboe", "oboe 2", "track 3"}


@pytest.mark.parametrize(
    "pair",
    [
        (np.zeros((2, 2)), np.ones(3)),
        (np.zeros((2, 3)), np.ones(2)),
        (np.zeros((1, 2)), np.zeros(1)),
    ],
)
def test_pairs_of_other_shapes_are_refused(pair):
    with pytest.raises(na.ParameterError, match=r"score has arrays of shapes .* Hz"):
        as_notes(pair, "score")


def test_tables_of_hits_are_read_as_drums():
    for table in (b"0.5,KD\n1,hihat,x\n", b"seconds,part\n0.5,36\n1.0,HH\n"):
        notes = na.read_notes(io.BytesIO(table))
        assert [(n.onset, n.pitch, n.track, n.channel) for n in notes] == [
            (0.5, 36, "kick", 9),
            (1.0, 42, "hihat", 9),
        ]
