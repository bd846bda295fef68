"""Laws of paired comparisons of systems."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import nmfaudio as na
from nmfaudio.metrics.comparison import holm

SCORE = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64)]


def systems(count=3, n=12, seed=0):
    values = np.random.default_rng(seed).uniform(0.2, 0.9, (count, n))
    return {
        f"system_{i}": {f"piece {k}": x for k, x in enumerate(row)} for i, row in enumerate(values)
    }


def test_it_agrees_with_scipy():
    found = na.compare(systems(2))
    a, b = found.scores.values()
    test = found.tests[0]
    assert test.difference.mean == pytest.approx(a.mean() - b.mean())
    assert test.wilcoxon == pytest.approx(stats.wilcoxon(a, b, method="exact").pvalue)
    # all 2^12 changes of signs
    signs = 1 - 2 * ((np.arange(2**12)[:, None] >> np.arange(12)) & 1)
    means = (signs * (a - b)).mean(axis=1)
    tail = min(np.mean(means >= test.difference.mean - 1e-12), 0.5)
    tail = min(tail, np.mean(means <= test.difference.mean + 1e-12))
    assert test.permutation == pytest.approx(2 * tail)


def test_ties_and_equal_pieces_are_exact_in_small_samples():
    """Three of four pieces differ by one amount: of their eight signs two are as extreme."""
    scores = {"a": dict.fromkeys("wxyz", 0.5), "b": {"w": 0.25, "x": 0.25, "y": 0.25, "z": 0.5}}
    test = na.compare(scores).tests[0]
    assert (test.wilcoxon, test.permutation) == (0.25, 0.25)


@pytest.mark.parametrize("n", [14, 60])
def test_it_agrees_with_scipy_in_large_samples(n):
    found = na.compare(systems(2, n=n))
    a, b = found.scores.values()
    assert found.tests[0].wilcoxon == pytest.approx(stats.wilcoxon(a, b).pvalue)


def test_exchanged_systems_change_the_sign_alone():
    scores = systems(2)
    first, second = scores
    forth = na.compare(scores).tests[0]
    back = na.compare({second: scores[second], first: scores[first]}).tests[0]
    assert back.difference.mean == pytest.approx(-forth.difference.mean)
    assert (back.wilcoxon, back.permutation) == (forth.wilcoxon, forth.permutation)


def test_pieces_are_matched_by_name():
    scores = systems(2)
    turned = {name: dict(reversed(pieces.items())) for name, pieces in scores.items()}
    turned["system_0"] = scores["system_0"]
    assert na.compare(turned) == na.compare(scores)


def test_all_pairs_are_tested_and_corrected():
    scores = systems(3)
    found = na.compare(scores)
    assert [test[:2] for test in found.tests] == [
        ("system_0", "system_1"),
        ("system_0", "system_2"),
        ("system_1", "system_2"),
    ]
    alone = [
        na.compare({name: scores[name] for name in test[:2]}).tests[0].wilcoxon
        for test in found.tests
    ]
    assert [test.wilcoxon for test in found.tests] == pytest.approx(holm(alone))


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_corrected_values_keep_their_order_and_do_not_fall(p):
    corrected = np.array(holm(p))
    assert (corrected >= np.minimum(p, 1) - 1e-15).all()
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()
    assert corrected.max() <= 1


def test_the_same_seed_gives_the_same_result_and_equal_systems_do_not_differ():
    scores = systems(2, n=30)
    assert na.compare(scores, rng=5) == na.compare(scores, rng=5)
    equal = na.compare({"a": scores["system_0"], "b": scores["system_0"]}).tests[0]
    assert equal.difference == (0, 0, 0)
    assert (equal.wilcoxon, equal.permutation) == (1, 1)


def test_level_under_the_null_is_kept():
    """5 % of tests of equal systems reject them at 5 %."""
    rng = np.random.default_rng(0)
    rejected = []
    for _ in range(100):
        a, b = rng.standard_normal((2, 8))
        test = na.compare({"a": dict(enumerate(a)), "b": dict(enumerate(b))}).tests[0]
        rejected.append([test.wilcoxon <= 0.05, test.permutation <= 0.05])
    assert (np.mean(rejected, axis=0) < 0.12).all()


def test_one_piece_has_no_interval():
    test = na.compare({"a": {"x": 0.5}, "b": {"x": 0.25}}).tests[0]
    assert test.difference.mean == 0.25
    assert np.isnan(test.difference[1:]).all()
    assert "–" in str(na.compare({"a": {"x": 0.5}, "b": {"x": 0.25}}))


def test_results_of_transcriptions_and_separations_are_taken():
    pairs = {"waltz": (SCORE, SCORE), "march": (SCORE, SCORE[:1])}
    good = na.metrics.evaluate_transcriptions(dict.fromkeys(pairs, (SCORE, SCORE)))
    found = na.compare({"good": good, "poor": na.metrics.evaluate_transcriptions(pairs)})
    assert found.measure == "onset_f"
    np.testing.assert_allclose(found.scores["poor"], [1, 2 / 3])
    recall = na.compare({"good": good.pieces, "other": good}, measure="onset_r")
    assert recall.tests[0].difference.mean == 0
    y = np.random.default_rng(0).standard_normal((2, 4000))
    near, far = (na.evaluate(y, y + noise * y[::-1]) for noise in (0.1, 0.5))
    found = na.compare({"near": {"song": near}, "far": {"song": far}})
    assert found.measure == "si_sdr"
    assert found.tests[0].difference.mean == pytest.approx(near.mean["si_sdr"] - far.mean["si_sdr"])


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({"a": {"x": 1.0}}, "two or more systems"),
        ([1, 2], "two or more systems"),
        ({"a": {"x": 1.0}, "b": {"y": 1.0}}, r"other pieces than the first system \(x, y\)"),
        ({"a": {"x": 1.0}, "b": {"x": float("nan")}}, "the score of 'b' for 'x' must be a finite"),
        ({"a": {}, "b": {}}, "'a' has no scores"),
        ({"a": 3, "b": {"x": 1}}, "the scores of 'a' are a int"),
        ({"a": {"x": "1"}, "b": {"x": 1}}, "the score of 'a' for 'x' must be a finite number"),
    ],
)
def test_wrong_results_are_refused(results, message):
    with pytest.raises(na.ParameterError, match=message):
        na.compare(results)


def test_unknown_measures_are_refused():
    good = na.metrics.evaluate_transcriptions({"waltz": (SCORE, SCORE)})
    with pytest.raises(na.ParameterError, match="measure is 'si_sdr'; it must be one of onset_p"):
        na.compare({"a": good, "b": good}, measure="si_sdr")


def test_tables_have_the_same_numbers():
    found = na.compare(systems(3))
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [float(row["difference"]) for row in rows] == [t.difference.mean for t in found.tests]
    markdown = found.to_markdown().splitlines()
    latex = found.to_latex().splitlines()
    assert len(markdown) == 2 + len(rows)
    assert latex[0].startswith(r"\begin{tabular}{lrrr")
    assert r"system\_0 & system\_1" in latex[4]
    for row, line, text in zip(rows, markdown[2:], str(found).splitlines()[2:], strict=True):
        shown = f"{float(row['difference']):+.3f}".replace("-", "−")
        assert shown in line
        assert shown in text
    frame = pytest.importorskip("pandas") and found.to_dataframe()
    assert frame["wilcoxon"].tolist() == [test.wilcoxon for test in found.tests]
    assert found.to_dict()["scores"]["system_1"]["piece 3"] == found.scores["system_1"][3]
