"""Whole separations: names, permutations, means, and what is refused."""

from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.metrics import BssEval

SR = 1000
NOISE = np.random.default_rng(0).standard_normal((4, 1, 3 * SR))
TRUE = {"a": NOISE[0], "b": NOISE[1]}
MADE = {"a": NOISE[0] + NOISE[2] / 8, "b": NOISE[1] + NOISE[3] / 4}
REFERENCES, ESTIMATES = np.stack(list(TRUE.values())), np.stack(list(MADE.values()))


def test_it_has_every_measure_and_their_means():
    found = na.evaluate(TRUE, MADE)
    scores = BssEval(REFERENCES).scores(ESTIMATES)
    for measure, values in scores._asdict().items():
        np.testing.assert_allclose(found.scores[measure], values)
        assert found.mean[measure] == pytest.approx(values.mean())
    assert found["b"]["si_sdr"] == na.metrics.si_sdr(TRUE["b"], MADE["b"])
    assert found.notes == ()


def test_improvement_is_over_the_mixture():
    mixture = REFERENCES.sum(0)
    found = na.evaluate(TRUE, MADE)
    as_it_was = na.evaluate(TRUE, dict.fromkeys(TRUE, mixture))
    for measure in ("sdr", "si_sdr"):
        gain = found.scores[measure] - as_it_was.scores[measure]
        np.testing.assert_allclose(found.scores[f"{measure}_improvement"], gain)
    other = na.evaluate(TRUE, MADE, mixture=mixture + NOISE[2])
    assert (other.scores["sdr_improvement"] > found.scores["sdr_improvement"]).all()


def test_arrays_are_matched_by_position_and_one_channel_may_go_without_an_axis():
    found = na.evaluate(REFERENCES[:, 0], ESTIMATES[:, 0])
    assert found.matches == {"source-1": "source-1", "source-2": "source-2"}
    with_axis = na.evaluate(REFERENCES[:, :1], list(ESTIMATES[:, :1]))
    assert found.scores["sdr"].tolist() == with_axis.scores["sdr"].tolist()


@pytest.mark.parametrize(
    ("estimate", "permute"),
    [
        ({"x": MADE["b"], "y": MADE["a"]}, None),
        (ESTIMATES[::-1], None),
        ({"a": MADE["b"], "b": MADE["a"], "c": NOISE[3]}, True),
    ],
)
def test_the_best_permutation_is_found_where_names_do_not_say(estimate, permute):
    found = na.evaluate(TRUE, estimate, permute=permute)
    for measure, values in na.evaluate(TRUE, MADE).scores.items():
        np.testing.assert_allclose(found.scores[measure], values)
    assert "matched for the best mean SIR" in found.notes[0]
    assert list(found.matches) == ["a", "b"]


def test_names_count_even_where_another_order_were_better():
    found = na.evaluate(TRUE, {"a": MADE["b"], "b": MADE["a"], "rest": NOISE[2]})
    assert found.mean["sdr"] < 0
    assert found.notes == ("ignored estimates without a reference: rest",)


def test_stems_work_as_they_are():
    y = np.random.default_rng(1).standard_normal(4000).astype(np.float32) / 4
    stems = na.separate(y, 2000, n_sources=2, n_components=4, max_iter=5, n_fft=256)
    truth = dict(zip(("low", "high"), stems.values(), strict=True))
    found = na.evaluate(truth, stems, framewise=True)
    assert sorted(found.matches.values()) == sorted(stems)
    assert found.frames["sdr"].shape == (2, 2)


def test_a_silent_reference_is_left_out_of_means():
    truth = TRUE | {"c": np.zeros((1, 3 * SR))}
    found = na.evaluate(truth, MADE | {"c": NOISE[2]}, SR, framewise=True)
    for measure, value in na.evaluate(TRUE, MADE).mean.items():
        assert found.mean[measure] == pytest.approx(value)
    assert all(math.isnan(x) for x in found["c"].values())
    assert "not in the means: c" in found.notes[0]
    assert np.isfinite(found.medians["sdr"][:2]).all()
    with pytest.raises(na.ContentError, match="all references are silent"):
        na.evaluate({"c": truth["c"]}, MADE, permute=True)


def test_a_silent_estimate_is_as_bad_as_can_be():
    found = na.evaluate(TRUE, MADE | {"b": np.zeros((1, 3 * SR))})
    for measure in ("si_sdr", "sdr", "sir", "sar", "sdr_improvement"):
        assert found["b"][measure] == found.mean[measure] == -math.inf


def test_one_source():
    found = na.evaluate(REFERENCES[:1], ESTIMATES[:1])
    assert found.mean["sir"] == math.inf
    assert "sdr_improvement" not in found.scores
    assert "no improvement" in found.notes[0]
    assert "sdr_improvement" in na.evaluate(REFERENCES[:1], ESTIMATES[:1], mixture=NOISE[2]).scores


def test_medians_are_over_frames_that_have_scores():
    made = {name: y.copy() for name, y in MADE.items()}
    made["a"][:, :SR] = 0
    found = na.evaluate(TRUE, made, SR, framewise=True)
    expected = BssEval(REFERENCES).frames(np.stack(list(made.values())), window=SR, hop=SR)
    np.testing.assert_allclose(found.frames["sdr"], expected.image_sdr)
    np.testing.assert_allclose(found.medians["sdr"], np.median(expected.image_sdr[:, 1:], axis=1))


def test_a_dictionary_of_it_is_json():
    found = na.evaluate(TRUE, MADE | {"b": np.zeros((1, 3 * SR))}, SR, framewise=True)
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["sources"]["a"]["sdr"] == found["a"]["sdr"]
    assert told["sources"]["b"]["sdr"] == "-inf"
    assert told["sources"]["b"]["frames"]["sdr"] == [None] * 3
    assert told["mean"]["isr"] == found.mean["isr"]


def test_the_table_is_aligned():
    found = na.evaluate(TRUE, {"longer name": MADE["a"], "y": MADE["b"]}, SR, framewise=True)
    first, second, notes = str(found).split("\n\n")
    head, *rows = first.splitlines()
    assert [row.split()[0] for row in rows] == ["a", "b", "mean"]
    assert len({len(row) for row in (head, *rows)}) == 1
    assert "longer name" in rows[0]
    assert f"{found['a']['sdr']:.1f}" in rows[0]
    assert second.startswith("median of frames of a second")
    assert "matched" in notes


@pytest.mark.parametrize(
    ("reference", "estimate", "more", "error", "words"),
    [
        (
            TRUE,
            {"a": MADE["a"][:, :-1], "b": MADE["b"]},
            {},
            na.errors.ShapeError,
            "estimate a has",
        ),
        (
            TRUE,
            {"a": MADE["a"].repeat(2, 0), "b": MADE["b"]},
            {},
            na.errors.ShapeError,
            "must be the same",
        ),
        (TRUE, MADE, {"mixture": NOISE[0, 0, 1:]}, na.errors.ShapeError, "the mixture has"),
        (TRUE, {"a": MADE["a"]}, {}, na.ParameterError, "no estimate for b; found: a"),
        (TRUE, {"a": MADE["a"], "x": MADE["b"]}, {"permute": False}, na.ParameterError, "named b"),
        (TRUE, MADE, {"framewise": True}, na.ParameterError, "sr is missing"),
        ({}, MADE, {}, na.ParameterError, "no reference"),
        (TRUE, MADE | {"b": MADE["b"] * np.nan}, {}, na.ContentError, "estimate b has 3000 NaN"),
    ],
)
def test_what_cannot_be_judged_is_refused(reference, estimate, more, error, words):
    with pytest.raises(error, match=words):
        na.evaluate(reference, estimate, **more)


def test_arrays_are_matched_as_mir_eval_does():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, not replaced
        from mir_eval import separation
    true = NOISE[:3, 0]
    leak, noise = 0.3 * true[[2, 0, 1]], np.random.default_rng(1).standard_normal(true.shape)
    made = (true + leak + 0.1 * noise)[[2, 0, 1]]
    found = na.evaluate(true, made)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        *ratios, order = separation.bss_eval_sources(true, made, compute_permutation=True)
    assert list(found.matches.values()) == [f"source-{k + 1}" for k in order]
    for measure, expected in zip(("sdr", "sir", "sar"), ratios, strict=True):
        np.testing.assert_allclose(found.scores[measure], expected, atol=1e-4)
    assert "arrays have no names" in found.notes[0]
    in_order = na.evaluate(true, made[order], permute=False)
    assert in_order.notes == ()
    np.testing.assert_allclose(in_order.scores["sdr"], found.scores["sdr"])
    assert na.evaluate(true, made, permute=False).mean["sdr"] < 0


def test_paths_are_read(tmp_path):
    for folder, sources in (("true", TRUE), ("made", MADE)):
        (tmp_path / folder).mkdir()
        for name, y in sources.items():
            na.write(tmp_path / folder / f"{name}.wav", y, SR, subtype="DOUBLE")
    true, made = tmp_path / "true", tmp_path / "made"
    expected = na.evaluate(TRUE, MADE, SR)
    for reference, estimate in ((true, made), (str(true), MADE), (TRUE, made)):
        assert str(na.evaluate(reference, estimate)) == str(expected)
    assert na.evaluate(true, made, framewise=True).sr == SR
    one = na.evaluate(true / "a.wav", made / "b.wav", mixture=true / "b.wav")
    assert one.matches == {"a": "b"}
    assert str(one) == str(na.evaluate({"a": TRUE["a"]}, {"b": MADE["b"]}, mixture=TRUE["b"]))


@pytest.mark.parametrize(
    ("y", "sr", "words"),
    [
        (NOISE[0], 2 * SR, r"x\.wav: has a sample rate of .* Hz, and .* resample one"),
        (
            NOISE[0, :, :-5],
            SR,
            r"x\.wav: has .* samples in 1 channel, .* same recording, cut or",
        ),
        (NOISE[0].repeat(2, 0), SR, r"x\.wav: has .* in 2 channels, .* mix one down"),
    ],
)
def test_files_that_differ_are_refused_with_the_cure(tmp_path, y, sr, words):
    na.write(tmp_path / "true.wav", NOISE[0], SR)
    na.write(tmp_path / "x.wav", y, sr)
    with pytest.raises(na.ContentError, match=words):
        na.evaluate(tmp_path / "true.wav", tmp_path / "x.wav")


@pytest.mark.parametrize("sr", [44.1, 0, "44100", 22050.5])
def test_a_sample_rate_that_is_none_is_refused(sr):
    for framewise in (False, True):
        with pytest.raises(na.ParameterError, match=r"sr is .*whole number of Hz"):
            na.evaluate(NOISE[:1], NOISE[:1], sr, framewise=framewise)


def test_a_sample_rate_beside_stems_of_another_is_refused():
    y = np.random.default_rng(0).standard_normal(4000)
    stems = na.separate(y, 2000, n_sources=2, n_components=4, max_iter=5, n_fft=256)
    assert na.evaluate(stems, stems, 2000).sr == na.evaluate(stems, stems).sr == 2000
    with pytest.raises(na.ParameterError, match=r"sr is 4,000, but the .* have 2,000 Hz"):
        na.evaluate(stems, stems, 4000)


def test_arrays_of_one_axis_are_one_source_each():
    one, same = na.evaluate(NOISE[0], NOISE[1]), na.evaluate(NOISE[:1], NOISE[1:2])
    assert one == same


def test_the_sources_are_named_for_one_that_does_not_exist():
    with pytest.raises(KeyError, match="no source 'nosuch'; there are source-1"):
        na.evaluate(NOISE[0], NOISE[0])["nosuch"]
