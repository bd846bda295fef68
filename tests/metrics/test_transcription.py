"""Scores of transcriptions: those of mir_eval, and laws that hold whatever the notes."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from mir_eval import multipitch, onset, transcription, transcription_velocity

import nmfaudio as na

F = ("onset_f", "offset_f", "velocity_f", "offset_velocity_f", "frame_f", "frame_accuracy")


def music(seed, n=60, channel=0):
    """Notes that overlap, some of the same pitch at once."""
    rng = np.random.default_rng(seed)
    onsets, lengths = rng.uniform(0, 8, n), rng.uniform(0.05, 1.5, n)
    pitches, velocities = rng.integers(40, 90, n), rng.uniform(0.2, 1, n)
    return [
        na.Note(float(t), float(t + d), float(p), float(v), channel=channel)
        for t, d, p, v in zip(onsets, lengths, pitches, velocities, strict=True)
    ]


def performed(notes, seed, spread=0.04):
    """The same music, played less well: moved, with wrong, missing and louder notes."""
    rng = np.random.default_rng(seed)
    made = [
        replace(
            note,
            onset=max(0.0, note.onset + float(rng.normal(0, spread))),
            offset=note.offset + float(rng.choice([0.05, 0.4])),
            pitch=note.pitch + float(rng.choice([0, 0, 0, 0, 0.3, 12])),
            velocity=float(np.clip(note.velocity + rng.normal(0, 0.1), 0, 1)),
        )
        for note in notes
        if rng.random() > 0.2
    ]
    return made + music(seed + 1, 10)


def arrays(notes):
    notes = sorted(notes, key=lambda n: (n.onset, n.pitch, n.offset, n.velocity))
    intervals = np.array([(n.onset, n.offset) for n in notes])
    hertz = 440 * 2 ** ((np.array([n.pitch for n in notes]) - 69) / 12)
    return intervals, hertz, np.array([127 * n.velocity for n in notes])


def frames(notes, times):
    return [
        440 * 2 ** ((np.unique([n.pitch for n in notes if n.onset <= t < n.offset]) - 69) / 12)
        for t in times
    ]


SCORE = music(0)
PLAYED = performed(SCORE, 1)


@pytest.mark.parametrize("tolerance", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("seed", [0, 5])
def test_note_scores_equal_mir_eval(seed, tolerance):
    score = music(seed)
    played = performed(score, seed + 1)
    scores = na.evaluate_transcription(score, played, tolerance=tolerance)
    rules = {"onset_tolerance": tolerance, "offset_min_tolerance": tolerance}
    a, b = arrays(score), arrays(played)
    for name, loud, ratio in [
        ("onset", False, None),
        ("offset", False, 0.2),
        ("velocity", True, None),
        ("offset_velocity", True, 0.2),
    ]:
        if loud:
            judge = transcription_velocity.precision_recall_f1_overlap
            expected = judge(*a, *b, offset_ratio=ratio, **rules)
        else:
            judge = transcription.precision_recall_f1_overlap
            expected = judge(*a[:2], *b[:2], offset_ratio=ratio, **rules)
        found = [getattr(scores, f"{name}_{which}") for which in "prf"]
        assert found == list(expected[:3])
        assert 0 < found[2] < 1
    assert (scores.n_reference, scores.n_estimated) == (len(score), len(played))


@pytest.mark.parametrize("seed", [0, 5])
def test_frame_scores_equal_mir_eval(seed):
    score = music(seed)
    played = performed(score, seed + 1)
    scores = na.evaluate_transcription(score, played)
    times = np.arange(1200) / 100
    expected = multipitch.metrics(times, frames(score, times), times, frames(played, times))
    found = (scores.frame_p, scores.frame_r, scores.frame_accuracy)
    np.testing.assert_allclose(found, expected[:3], rtol=1e-12)
    p, r = expected[:2]
    assert scores.frame_f == pytest.approx(2 * p * r / (p + r))


def test_drum_scores_equal_mir_eval():
    score = [replace(n, channel=9, pitch=(36, 38, 42)[i % 3]) for i, n in enumerate(SCORE)]
    played = [replace(n, onset=n.onset + 0.03 * (i % 3)) for i, n in enumerate(score)][::2]
    scores = na.evaluate_transcription(score, played)
    assert set(scores.drums) == {"kick", "snare", "hihat"}
    for part, key in {"kick": 36, "snare": 38, "hihat": 42}.items():
        a, b = (np.sort([n.onset for n in side if n.pitch == key]) for side in (score, played))
        f, p, r = onset.f_measure(a, b)
        assert scores.drums[part] == (p, r, f)
        assert scores.measures[f"{part}_f"] == f
    assert scores.drum_f == pytest.approx(np.mean([f for *_, f in scores.drums.values()]))
    assert np.isnan([scores.measures[name] for name in F]).all()


def test_itself_is_right_in_everything():
    scores = na.evaluate_transcription(SCORE + music(2, channel=9), SCORE + music(2, channel=9))
    assert all(value == 1 for value in scores.measures.values())


@pytest.mark.parametrize("shift", [0.049, 0.051])
def test_onsets_count_up_to_the_tolerance_and_no_further(shift):
    score = [na.Note(0.5 * i, 0.5 * i + 0.4, 60 + i) for i in range(20)]
    score += [na.Note(0.5 * i, 0.5 * i + 0.4, 36, channel=9) for i in range(20)]
    late = [replace(n, onset=n.onset + shift, offset=n.offset + shift) for n in score]
    scores = na.evaluate_transcription(score, late)
    expected = 1.0 if shift < 0.05 else 0.0
    assert scores.onset_f == scores.velocity_f == scores.drums["kick"][2] == expected
    assert na.evaluate_transcription(score, late, tolerance=0.1).onset_f == 1


def test_order_makes_no_difference():
    rng = np.random.default_rng(3)
    expected = na.evaluate_transcription(SCORE, PLAYED).measures
    for _ in range(5):
        a, b = ([notes[i] for i in rng.permutation(len(notes))] for notes in (SCORE, PLAYED))
        np.testing.assert_equal(na.evaluate_transcription(a, b).measures, expected)


def test_swapping_the_sides_swaps_precision_and_recall():
    there, back = (
        na.evaluate_transcription(*sides) for sides in ((SCORE, PLAYED), (PLAYED, SCORE))
    )
    for name in ("onset", "frame"):
        assert getattr(there, f"{name}_p") == getattr(back, f"{name}_r")
        assert getattr(there, f"{name}_f") == pytest.approx(getattr(back, f"{name}_f"))


def test_the_scale_of_velocities_makes_no_difference():
    quiet = [replace(n, velocity=0.1 + n.velocity / 3) for n in PLAYED]
    a, b = (na.evaluate_transcription(SCORE, side).velocity_f for side in (PLAYED, quiet))
    assert a == b > 0


def test_empty_sides():
    for sides in (([], SCORE), (SCORE, [])):
        scores = na.evaluate_transcription(*sides)
        assert [scores.measures[name] for name in F] == [0] * len(F)
        assert np.isnan(scores.drum_f)
    neither = na.evaluate_transcription([], [])
    assert np.isnan(list(neither.measures.values())).all()
    assert neither.to_dict()["onset_f"] is None
    assert "0 notes" in str(neither)
    drums = na.evaluate_transcription([], music(0, channel=9)[:1])
    assert drums.drum_f == 0


def test_a_note_of_no_length_counts():
    moment = [na.Note(0.5, 0.5, 60)]
    scores = na.evaluate_transcription(moment, moment)
    assert scores.onset_f == scores.offset_f == 1
    assert scores.frame_f == 0  # it sounds in no frame


def test_sides_may_be_files_and_what_has_notes(tmp_path):
    na.write_notes(tmp_path / "score.mid", SCORE)
    na.write_notes(tmp_path / "played.csv", PLAYED)
    held = SimpleNamespace(notes=tuple(PLAYED))
    expected = na.evaluate_transcription(na.read_notes(tmp_path / "score.mid"), PLAYED)
    for played in (tmp_path / "played.csv", str(tmp_path / "played.csv"), held):
        found = na.evaluate_transcription(tmp_path / "score.mid", played)
        np.testing.assert_equal(found.measures, expected.measures)


@pytest.mark.parametrize("unit", ["midi", "hz"])
def test_sides_may_be_annotations_of_mirdata_and_tracks_that_have_them(unit):
    intervals, hertz, velocities = arrays(SCORE)
    data = SimpleNamespace(
        intervals=intervals,
        interval_unit="s",
        pitches=hertz if unit == "hz" else 69 + 12 * np.log2(hertz / 440),
        pitch_unit=unit,
        confidence=velocities,
        confidence_unit="velocity",
    )
    expected = na.evaluate_transcription(SCORE, PLAYED)
    for reference in (data, SimpleNamespace(notes=data)):
        found = na.evaluate_transcription(reference, PLAYED)
        np.testing.assert_allclose(
            list(found.measures.values()), list(expected.measures.values()), rtol=1e-12
        )
    data.confidence, data.confidence_unit = None, None
    assert na.evaluate_transcription(data, PLAYED).onset_f == expected.onset_f
    data.pitch_unit = "pc"
    with pytest.raises(na.ParameterError, match=r"reference is in units of s and pc"):
        na.evaluate_transcription(data, PLAYED)


@pytest.mark.parametrize("wrong", [None, 3, [(0.0, 1.0, 60)], SimpleNamespace(notes=[60])])
def test_what_has_no_notes_is_refused(wrong):
    with pytest.raises(na.ParameterError, match=r"estimated (is|has) a .*na\.Note"):
        na.evaluate_transcription(SCORE, wrong)


def test_drums_may_be_tables_of_hits(tmp_path):
    path = tmp_path / "hits.csv"
    path.write_text("onset_s,class\n0.5,KD\n1.0,SD\n1.5,KD\n")
    kick = [na.Note(0.51, 0.6, 36), na.Note(1.51, 1.6, 35)]
    scores = na.evaluate_transcription(path, kick, drums=True)
    assert scores.drums == {"kick": (1, 1, 1), "snare": (0, 0, 0)}
    assert scores.drum_f == 0.5
    assert na.evaluate_transcription(path, kick).drums == scores.drums  # one side has a channel
    with pytest.raises(na.ContentError, match=r"estimated: 60 at 1 s is not a part of a drum kit"):
        na.evaluate_transcription(path, [*kick, na.Note(1, 2, 60)])
    assert na.evaluate_transcription(path, []).drum_f == 0


def test_a_drum_without_a_name_goes_by_its_number():
    triangle = [na.Note(0.5, 0.6, 81, channel=9)]
    assert na.evaluate_transcription(triangle, triangle).drums == {"81": (1, 1, 1)}


@pytest.mark.parametrize(
    "name", ["tolerance", "pitch_tolerance", "offset_ratio", "velocity_tolerance"]
)
@pytest.mark.parametrize("value", [0, -1, float("nan"), "x"])
def test_tolerances_out_of_range_are_refused(name, value):
    with pytest.raises(na.ParameterError, match=name):
        na.evaluate_transcription(SCORE, PLAYED, **{name: value})


def test_the_table_has_every_measure():
    hits = [na.Note(t, t + 0.1, 36, channel=9) for t in (0.5, 1.0, 1.5)]
    scores = na.evaluate_transcription(SCORE + hits, PLAYED + hits[:2])
    lines = str(scores).splitlines()
    assert lines[1].split() == ["onset", *(f"{scores.measures[f'onset_{x}']:.3f}" for x in "prf")]
    for label in ("onset", "onset, offset, velocity", "frames of 10 ms", "mean of drums", "kick"):
        assert any(line.startswith(label) for line in lines)
    told = scores.to_dict()
    assert told["kick_f"] == scores.drums["kick"][2]


def test_a_tolerance_in_milliseconds_is_refused():
    with pytest.raises(na.ParameterError, match=r"50 seconds; .*did you mean 0\.05\?"):
        na.evaluate_transcription([], [], tolerance=50)


def test_notes_that_are_there_thousands_of_times_are_refused():
    many = [na.Note(1.0, 2.0, 60)] * 2001
    with pytest.raises(na.ContentError, match="4004001 pairs of notes begin"):
        na.evaluate_transcription(many, many)
