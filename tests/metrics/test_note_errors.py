"""Laws of the kinds of errors of transcribed notes, and of tolerance curves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nmfaudio as na
from nmfaudio.metrics import note_errors, tolerance_curve
from nmfaudio.metrics.note_errors import KINDS

notes = st.lists(
    st.builds(
        lambda onset, length, pitch, velocity: na.Note(onset, onset + length, pitch, velocity),
        st.floats(0, 5).map(lambda x: round(x, 2)),
        st.floats(0.05, 2).map(lambda x: round(x, 2)),
        st.integers(50, 75),
        st.sampled_from([0.2, 0.6, 0.9]),
    ),
    max_size=12,
)


def kinds(reference, estimated):
    counts = note_errors(reference, estimated).counts
    return {kind: count for kind, count in counts.items() if count}


@pytest.mark.parametrize(
    ("estimated", "expected"),
    [
        ([(0.02, 1, 60)], {"correct": 1}),
        ([(0.2, 1, 60)], {"timing": 1}),
        ([(0.3, 1.2, 60)], {"missed": 1, "repeated": 1}),
        ([(1.3, 2, 60)], {"missed": 1, "extra": 1}),
        ([(0, 1, 72)], {"octave": 1}),
        ([(0, 1, 36)], {"octave": 1}),
        ([(0, 1, 61)], {"semitone": 1}),
        ([(0, 1, 67)], {"pitch": 1}),
        ([], {"missed": 1}),
        ([(0, 1, 60), (0.5, 1, 60)], {"correct": 1, "repeated": 1}),
        ([(0, 1, 60), (0, 1, 72)], {"correct": 1, "extra": 1}),
        ([(0, 1, 67), (0, 1, 72)], {"octave": 1, "extra": 1}),
    ],
)
def test_kinds_by_hand(estimated, expected):
    assert kinds([na.Note(0, 1, 60)], [na.Note(*each) for each in estimated]) == expected


def test_two_notes_that_became_one_are_merged():
    reference = [na.Note(0, 1, 60), na.Note(1, 2, 60)]
    assert kinds(reference, [na.Note(0, 2, 60)]) == {"correct": 1, "merged": 1}


@settings(max_examples=60)
@given(notes, notes)
def test_each_note_has_one_kind_and_correct_ones_are_those_of_mir_eval(reference, estimated):
    errors = note_errors(reference, estimated)
    sides = ([n.reference for n in errors.notes], [n.estimated for n in errors.notes])
    key = lambda note: (note.onset, note.offset, note.pitch, note.velocity)  # noqa: E731
    for found, true in zip(sides, (reference, estimated), strict=True):
        assert sorted(map(key, filter(None, found))) == sorted(map(key, true))
    scores = na.evaluate_transcription(reference, estimated)
    if reference and estimated:
        assert errors.counts["correct"] == round(scores.onset_r * len(reference))
    assert errors == note_errors(reference[::-1], estimated[::-1])
    for attribute in ("pitch", "velocity"):
        table = errors.by(attribute)
        assert {kind: sum(c[kind] for c in table.values()) for kind in KINDS} == errors.counts


@given(notes, notes)
def test_curves_rise_and_agree_with_the_scores(reference, estimated):
    curve = tolerance_curve(reference, estimated, [0.02, 0.05, 0.2])
    scores = na.evaluate_transcription(reference, estimated)
    np.testing.assert_equal(
        (curve.precision[1], curve.recall[1], curve.f[1]),
        (scores.onset_p, scores.onset_r, scores.onset_f),
    )
    if reference or estimated:
        assert (np.diff(curve.recall) >= 0).all()


def test_drums_are_left_out():
    hit = na.Note(0, 0.1, 36, channel=9)
    assert kinds([na.Note(0, 1, 60), hit], [na.Note(0, 1, 60)]) == {"correct": 1}


def test_wrong_arguments_are_refused():
    with pytest.raises(na.ParameterError, match=r"did you mean 0\.05"):
        note_errors([], [], tolerance=50)
    with pytest.raises(na.ParameterError, match="'pitch' or 'velocity'"):
        note_errors([], []).by("track")
    with pytest.raises(na.ParameterError, match="in ascending order"):
        note_errors([], []).by("pitch", [60, 50])


def test_tables_and_data_have_the_counts():
    errors = note_errors([na.Note(0, 1, 60), na.Note(2, 3, 80, 0.2)], [na.Note(0, 1, 60)])
    lines = str(errors).splitlines()
    assert "missed         1" in lines
    assert "72 to 83           1        0                 1" in lines
    assert errors.to_dict()["counts"]["missed"] == 1
    assert [row["from"] for row in errors.to_dict()["by_pitch"]] == [60, 72]
    frame = pytest.importorskip("pandas") and errors.to_dataframe()
    assert frame["kind"].tolist() == ["correct", "missed"]
