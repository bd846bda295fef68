"""Kinds of the errors of transcriptions, and scores by tolerance."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from mir_eval import transcription

import nmfaudio as na
from nmfaudio.metrics import tolerance_curve, transcription_errors
from nmfaudio.symbolic.note_matches import note_arrays

ALONE = na.Note(1.0, 2.0, 60, 0.3)


def music(seed, n=80):
    rng = np.random.default_rng(seed)
    onsets = np.round(rng.uniform(0, 6, n), 3)
    pitches, velocities = rng.integers(40, 80, n), rng.uniform(0.1, 1, n)
    return [
        na.Note(float(t), float(t + 0.5), int(p), float(v))
        for t, p, v in zip(onsets, pitches, velocities, strict=True)
    ]


def performed(notes, seed):
    rng = np.random.default_rng(seed)
    moves = [0, 0, 0, 0, 12, -12, 1, 24]
    return [
        replace(
            note,
            onset=max(0.0, round(note.onset + float(rng.normal(0, 0.04)), 3)),
            offset=note.offset + 0.5,
            pitch=note.pitch + int(rng.choice(moves)),
        )
        for note in notes
        if rng.random() > 0.2
    ]


def moved(**changes):
    return replace(ALONE, **changes)


@pytest.mark.parametrize(
    ("extra", "kind"),
    [
        (moved(pitch=72), "octave"),
        (moved(pitch=36), "octave"),
        (moved(onset=1.06, pitch=72), "other"),
        (moved(pitch=61), "semitone"),
        (moved(pitch=58.9), "semitone"),
        (moved(pitch=62), "other"),
        (moved(pitch=67), "other"),
        (moved(onset=1.4), "repeated"),
        (moved(onset=1.0, offset=1.1), "repeated"),
        (moved(onset=2.0, offset=3.0), "other"),
    ],
)
def test_a_note_beside_a_hit_is_named_by_what_it_repeats_and_likewise_if_it_is_missed(extra, kind):
    errors = transcription_errors([ALONE], [ALONE, extra])
    assert errors.extra[kind] == sum(errors.extra.values()) == errors.hits == 1
    assert not any(errors.missed.values())
    swapped = transcription_errors([ALONE, extra], [ALONE])
    assert swapped.missed == errors.extra
    assert swapped.extra == errors.missed


def test_a_late_note_has_an_error_of_timing_on_both_sides():
    for onset, kind in ((1.19, "timing"), (1.21, "other")):
        errors = transcription_errors([ALONE], [moved(onset=onset)])
        assert errors.missed[kind] == errors.extra[kind] == 1
    assert transcription_errors([ALONE], [moved(onset=1.19)], tolerance=0.2).hits == 1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("tolerance", [0.02, 0.05, 0.1])
def test_kinds_agree_with_the_matching_of_mir_eval(seed, tolerance):
    true = music(seed)
    made = performed(true, seed) + music(seed + 50, 10)
    errors = transcription_errors(true, made, tolerance=tolerance)
    scores = na.evaluate_transcription(true, made, tolerance=tolerance)
    assert errors.hits / len(made) == pytest.approx(scores.onset_p)
    assert errors.hits / len(true) == pytest.approx(scores.onset_r)
    assert errors.hits + sum(errors.missed.values()) == len(true)
    assert errors.hits + sum(errors.extra.values()) == len(made)
    for note, kind in errors.estimated:
        if kind in ("octave", "semitone", "other"):
            assert kind == forgiven(true, note, tolerance)


def forgiven(true, note, tolerance):
    """Steps by which a note must be moved for mir_eval to match it with any note."""
    intervals, hertz = note_arrays([note])
    for kind, steps in (("octave", (-36, -24, -12, 12, 24, 36)), ("semitone", (-1, 1))):
        for step in steps:
            moved = hertz * 2 ** (step / 12)
            if transcription.match_notes(
                *note_arrays(true), intervals, moved, onset_tolerance=tolerance, offset_ratio=None
            ):
                return kind
    return "other"


def test_groups_divide_all_errors():
    true = music(0)
    made = [*performed(true, 1), na.Note(1.0, 1.1, 36, channel=9)]
    errors = transcription_errors(true, made)
    for groups in (errors.by_pitch(), errors.by_velocity()):
        for side in ("reference", "estimated"):
            divided = Counter(x for group in groups.values() for x in getattr(group, side))
            assert divided == Counter(getattr(errors, side))
    assert list(errors.by_pitch())[1:4] == ["C2–B2", "C3–B3", "C4–B4"]
    assert list(errors.by_pitch())[-1] == "kick"
    assert next(iter(errors.by_velocity())) == "0.00–0.25"
    assert errors.to_dict()["by_pitch"]["kick"]["extra"]["other"] == 1


def test_drums_are_hit_late_or_wrong():
    true = [na.Note(t, t + 0.1, 36) for t in (0.0, 1.0, 2.0)]
    made = [na.Note(t, t + 0.1, p) for t, p in ((0.0, 35), (1.1, 36), (2.0, 48))]
    errors = transcription_errors(true, made, drums=True)
    assert [judged.kind for judged in errors.estimated] == ["hit", "timing", "other"]
    table = errors.to_dataframe()
    assert table.groupby("side").kind.value_counts()["estimated", "hit"] == 1


def test_nothing_has_no_errors():
    errors = transcription_errors([], [])
    assert errors.hits == 0
    assert errors.by_pitch() == {}
    assert "beside 0 hits" in str(errors)
    assert np.isnan(tolerance_curve([], []).f).all()
    assert tolerance_curve([ALONE], []).f.tolist() == [0.0] * 9


def test_the_curve_rises_and_has_the_measures_of_each_tolerance():
    true = music(3)
    made = performed(true, 4)
    curve = tolerance_curve(true, made, [0.1, 0.01, 0.03])
    assert curve.tolerances.tolist() == [0.01, 0.03, 0.1]
    assert (np.diff(curve.f) > 0).all()
    for i, tolerance in enumerate(curve.tolerances):
        scores = na.evaluate_transcription(true, made, tolerance=float(tolerance))
        expected = scores.onset_p, scores.onset_r, scores.onset_f
        assert (curve.precision[i], curve.recall[i], curve.f[i]) == pytest.approx(expected)
    assert curve.to_dataframe().f.tolist() == curve.to_dict()["f"]


@pytest.mark.parametrize(
    ("tolerances", "message"),
    [([], "no tolerances"), ([50], "did you mean 0.05"), ([0], "above 0")],
)
def test_wrong_tolerances_are_refused(tolerances, message):
    with pytest.raises(na.ParameterError, match=message):
        tolerance_curve([ALONE], [ALONE], tolerances)
