"""Results as pandas data frames."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import nmfaudio as na

SCORE = [na.Note(0.5 * i, 0.5 * i + 0.4, 60 + i) for i in range(4)]
RNG = np.random.default_rng(0)
SOURCES = dict(zip(("kick", "snare"), RNG.standard_normal((2, 4000)), strict=True))
ESTIMATES = {"snare": SOURCES["snare"] + 0.1, "kick": 0.5 * SOURCES["kick"] - 0.1}


def ranks():
    return na.rank_selection.select_rank(RNG.random((12, 15)), (1, 2), method="error", rng=0)


RESULTS = {
    "evaluation": lambda: na.evaluate(SOURCES, ESTIMATES),
    "scores": lambda: na.evaluate_transcription(SCORE, SCORE[:3]),
    "summary": lambda: na.metrics.evaluate_transcriptions({"all": (SCORE, SCORE)}),
    "ranks": ranks,
}


@pytest.mark.parametrize("name", RESULTS)
def test_without_pandas_the_extra_is_named(name, monkeypatch):
    result = RESULTS[name]()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(na.MissingExtraError, match=r"data frames need pandas.* install"):
        result.to_dataframe()


def test_evaluation_has_a_row_per_source():
    pytest.importorskip("pandas")
    evaluation = na.evaluate(SOURCES, ESTIMATES, permute=True)
    frame = evaluation.to_dataframe()
    assert frame.index.tolist() == ["kick", "snare"]
    assert frame.columns.tolist() == ["estimate", *evaluation.scores]
    assert frame["estimate"].to_dict() == evaluation.matches
    assert frame.loc["snare", "si_sdr"] == evaluation["snare"]["si_sdr"]


def test_transcription_scores_have_a_row_per_measure():
    pytest.importorskip("pandas")
    hits = [na.Note(1.0, 1.1, 36, channel=9)]
    scores = na.evaluate_transcription(SCORE + hits, SCORE[:3] + hits)
    frame = scores.to_dataframe()
    assert frame.columns.tolist() == ["precision", "recall", "f"]
    assert {"onset", "offset_velocity", "frame", "drum", "kick"} < set(frame.index)
    assert frame.loc["onset"].tolist() == [scores.onset_p, scores.onset_r, scores.onset_f]
    assert frame.loc["kick", "f"] == 1


def test_summary_has_a_row_per_piece():
    pytest.importorskip("pandas")
    summary = na.metrics.evaluate_transcriptions({"a": (SCORE, SCORE), "b": (SCORE, SCORE[:2])})
    frame = summary.to_dataframe()
    assert frame.index.tolist() == ["a", "b"]
    np.testing.assert_array_equal(frame["onset_r"], summary.values("onset_r"))


def test_rank_selection_has_a_row_per_rank():
    pytest.importorskip("pandas")
    selection = ranks()
    frame = selection.to_dataframe()
    assert frame.index.tolist() == list(selection.scores)
    assert frame["score"].tolist() == list(selection.scores.values())
