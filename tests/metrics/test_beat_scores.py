"""Measures of beats."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.metrics import evaluate_beats
from nmfaudio.symbolic import Beats


def test_scores_of_beats_that_are_right_late_or_halved():
    true = Beats(np.arange(60) / 2, 4)
    assert set(evaluate_beats(true, true).values()) == {1.0}
    late = evaluate_beats(true, Beats(true.times + 0.05, 4))
    assert (late["f"], late["downbeat_f"], late["cmlt"]) == (1, 1, 1)
    assert late["cemgil"] < 0.5
    assert evaluate_beats(true, Beats(true.times + 0.05, 4), tolerance=0.04)["f"] == 0
    shifted = evaluate_beats(true, Beats(true.times, 4, 1))
    assert (shifted["f"], shifted["downbeat_f"]) == (1, 0)
    half = evaluate_beats(true, Beats(true.times[::2], 4))
    assert (half["cmlt"], half["amlt"], half["tempo_ratio"]) == (0, 1, 0.5)


def test_bars_that_are_unknown_are_not_scored():
    true = Beats(np.arange(60) / 2, 4)
    assert "downbeat_f" not in evaluate_beats(true, Beats(true.times, 1))


def test_refusals():
    true = Beats(np.arange(6) / 2)
    with pytest.raises(na.ContentError, match="reference: 0 of 6 beats are after 5 s; need 2"):
        evaluate_beats(true, true)
    with pytest.raises(na.ParameterError, match="estimated is a list; need Beats or the path"):
        evaluate_beats(true, [1, 2])
