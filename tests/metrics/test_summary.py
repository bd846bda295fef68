"""Means over pieces, and how sure they are."""

from __future__ import annotations

import numpy as np
import pytest

import nmfaudio as na

SCORE = [na.Note(0.5 * i, 0.5 * i + 0.4, 60 + i) for i in range(10)]
PAIRS = {"all": (SCORE, SCORE), "half": (SCORE, SCORE[:5]), "none": (SCORE, SCORE[:0])}


def test_the_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    found = [
        na.metrics.bootstrap(rng.normal(0.8, 0.1, 40), resamples=400, rng=rng) for _ in range(200)
    ]
    covered = np.mean([low <= 0.8 <= high for _, low, high in found])
    assert 0.89 < covered < 0.99


def test_the_interval_is_that_of_the_normal_law_for_many_values():
    x = np.random.default_rng(1).normal(0, 1, 2000)
    mean, low, high = na.metrics.bootstrap(x, level=0.9)
    assert mean == x.mean()
    np.testing.assert_allclose(
        [low - mean, high - mean], np.array([-1, 1]) * 1.645 / 2000**0.5, rtol=0.1
    )


def test_same_seed_same_interval_and_nan_left_out():
    x = [0.9, 0.5, 0.7, 0.8]
    assert (
        na.metrics.bootstrap(x)
        == na.metrics.bootstrap([*x, float("nan")])
        == na.metrics.bootstrap(iter(x))
    )
    many = np.random.default_rng(0).random(50)
    assert (
        na.metrics.bootstrap(many, rng=1)
        == na.metrics.bootstrap(many, rng=1)
        != na.metrics.bootstrap(many, rng=2)
    )
    assert na.metrics.bootstrap(np.array([0.3] * 5)) == pytest.approx((0.3, 0.3, 0.3))


def test_too_few_values_have_no_interval():
    mean, low, high = na.metrics.bootstrap([0.5])
    assert (mean, np.isnan(low), np.isnan(high)) == (0.5, True, True)
    assert np.isnan(na.metrics.bootstrap([])).all()


@pytest.mark.parametrize(
    "settings", [{"level": 0}, {"level": 1}, {"level": "x"}, {"resamples": 0}, {"rng": "x"}]
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(na.ParameterError, match=next(iter(settings))):
        na.metrics.bootstrap([0.1, 0.2], **settings)


def test_a_summary_has_the_scores_of_each_piece():
    summary = na.metrics.evaluate_transcriptions(PAIRS)
    for name, pair in PAIRS.items():
        np.testing.assert_equal(summary[name].measures, na.evaluate_transcription(*pair).measures)
    np.testing.assert_allclose(summary.values("onset_f"), [1, 2 / 3, 0])
    assert summary.interval("onset_f") == na.metrics.bootstrap([1, 2 / 3, 0])
    told = summary.to_dict()
    assert told["mean"]["onset_f"]["mean"] == pytest.approx(5 / 9)
    assert told["mean"]["drum_f"]["mean"] is None
    rows = str(summary).splitlines()
    assert [row.split()[0] for row in rows] == ["F", *PAIRS, "mean", "95", "to"]
    assert "drums" not in rows[0]


def test_pairs_are_taken_one_by_one():
    taken = []

    def pieces():
        for n in (10, 5):
            taken.append(n)
            yield SCORE, SCORE[:n]

    summary = na.metrics.evaluate_transcriptions(pieces(), tolerance=0.01)
    assert list(summary.pieces) == ["1", "2"]
    assert taken == [10, 5]


def test_drums_have_columns_of_their_own_where_there_are_any():
    kick, snare = (na.Note(1.0, 1.1, key, channel=9) for key in (36, 38))
    pairs = {"a": ([kick], [kick]), "b": ([kick, snare], [snare])}
    summary = na.metrics.evaluate_transcriptions(pairs)
    np.testing.assert_equal(summary.values("kick_f"), [1, 0])
    np.testing.assert_equal(summary.values("snare_f"), [np.nan, 1])
    assert str(summary).splitlines()[0].split() == ["F", "kick", "snare", "drums"]
    assert str(summary).splitlines()[1].split() == ["a", "1.000", "–", "1.000"]


def test_nothing_to_judge_and_unknown_measures_are_refused():
    with pytest.raises(na.ParameterError, match="no pairs"):
        na.metrics.evaluate_transcriptions([])
    with pytest.raises(na.ParameterError, match="onset_f"):
        na.metrics.evaluate_transcriptions(PAIRS).values("nonsense")


def test_a_single_pair_is_refused():
    score = [na.Note(t, t + 1, 60) for t in range(3)]
    with pytest.raises(na.ParameterError, match=r"pairs .*\[\(reference, estimated\)\]"):
        na.metrics.evaluate_transcriptions((score, score))
