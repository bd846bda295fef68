"""Curves of divergences, scores of ranks, bars of measures and trees of layers."""

import numpy as np
import pytest

import nmfaudio as na


def test_divergences_are_zero_at_the_value_and_have_the_formulas():
    axes = na.display.plot_divergences([0, "kl", na.Beta(2)], value=2.0)
    zero, one, two = axes.lines[:3]
    y = zero.get_xdata()
    assert np.allclose(zero.get_ydata(), 2 / y - np.log(2 / y) - 1)
    assert np.allclose(one.get_ydata(), 2 * np.log(2 / y) - 2 + y)
    assert np.allclose(two.get_ydata(), (2 - y) ** 2 / 2)
    assert axes.get_xlim() == (0, 8)
    assert len({line.get_linestyle() for line in axes.lines[:3]}) == 3
    with pytest.raises(na.ParameterError, match="1 names for 2"):
        na.display.plot_divergences([1, 2], names=["a"])


def selection(method, best=3):
    scores = {rank: 1.0 / rank for rank in range(1, 6)}
    return na.rank_selection.RankSelection(best, scores, "error; lower is better", method)


def test_each_method_has_a_panel_with_its_best():
    panels = na.display.plot_rank_selection([selection("cv"), selection("ard", 2)], true_rank=4)
    assert list(panels) == ["cv", "ard"]
    for axes, best in zip(panels.values(), (3, 2), strict=True):
        curve, mark = axes.lines[:2]
        assert curve.get_xdata().tolist() == [1, 2, 3, 4, 5]
        assert mark.get_xdata()[0] == best
        assert axes.get_title().endswith(f": {best} (true: 4)")
    assert list(na.display.plot_rank_selection({"a": selection("cv"), "b": selection("cv")})) == [
        "a",
        "b",
    ]
    with pytest.raises(na.ParameterError, match="same method"):
        na.display.plot_rank_selection([selection("cv")] * 2)
    with pytest.raises(na.ParameterError, match="no selection"):
        na.display.plot_rank_selection([])


def test_scores_that_were_not_reached_and_vanishing_ones_are_drawn():
    meaning = "relevance; above 0.01 it is needed"
    scores = {1: 5.0, 2: 4.0, 3: 1e-250, 4: np.nan}
    axes = na.rank_selection.RankSelection(2, scores, meaning, "ard").plot()
    axes.figure.draw_without_rendering()
    low, high = axes.get_ylim()
    assert 1e-6 < low < 0.01 < 5 < high


def evaluation(**scores):
    return na.metrics.Evaluation(
        {"kick": "a", "snare": "b"}, {k: np.array(v) for k, v in scores.items()}, None, ()
    )


def bars(axes):
    return {bar.get_label(): [patch.get_width() for patch in bar] for bar in axes.containers}


def test_bars_stand_beside_mixture_and_ideal_mask():
    found = evaluation(si_sdr=[10.0, 4.0], si_sdr_improvement=[8.0, 6.0])
    axes = found.plot(ideal=evaluation(si_sdr=[15.0, 12.0]))
    expected = {"mixture": [2.0, -2.0], "separated": [10.0, 4.0], "ideal mask": [15.0, 12.0]}
    assert bars(axes) == expected
    assert [t.get_text() for t in axes.get_yticklabels()] == ["kick", "snare"]
    assert {t.get_text() for t in axes.texts} >= {"10.0", "−2.0"}
    assert len({patch.get_hatch() for bar in axes.containers for patch in bar}) == 3


def test_methods_are_compared_and_sources_chosen():
    two = {"a": evaluation(sdr=[1.0, 2.0]), "b": evaluation(sdr=[3.0, 4.0])}
    axes = na.display.plot_evaluation(two, measure="sdr", names=["snare"])
    assert bars(axes) == {"a": [2.0], "b": [4.0]}
    assert axes.get_xlabel() == "SDR (dB)"
    axes = na.display.plot_evaluation(two, measure="sdr", max_sources=1)
    assert axes.get_xlabel() == "SDR (dB)\nsources omitted: 1"
    with pytest.raises(na.ParameterError, match="must be one of sdr"):
        na.display.plot_evaluation(two)
    with pytest.raises(na.ParameterError, match="no source is called 'drum'"):
        na.display.plot_evaluation(two, measure="sdr", names=["drum"])
    with pytest.raises(na.ParameterError, match="no evaluation"):
        na.display.plot_evaluation({})


def test_infinite_and_missing_measures_stay_in_view():
    axes = evaluation(si_sdr=[np.inf, np.nan]).plot()
    axes.figure.draw_without_rendering()
    assert {t.get_text() for t in axes.texts} == {"∞", "–"}
    assert max(max(widths) for widths in bars(axes).values()) <= axes.get_xlim()[1]


def test_lines_of_a_tree_join_what_a_component_is_composed_of():
    W1, W2 = np.eye(4), np.array([[0.5, 0], [0.5, 0], [0, 0.9], [0, 0.1]])
    deep = tree(W1, W2)
    axes = deep.plot(names=list("abcd"), threshold=0.2)
    (lines,) = (c for c in axes.collections if hasattr(c, "get_segments"))
    assert len(lines.get_segments()) == 3
    assert max(lines.get_linewidths()) == pytest.approx(0.4 + 5 * 0.9)
    first_layer = {t.get_text(): t.xy[1] for t in axes.texts if t.get_text() in "abcd"}
    ends = sorted(segment[1][1] for segment in lines.get_segments())
    assert ends == pytest.approx(sorted(first_layer[name] for name in "abc"))
    assert axes.get_xlabel() == ""
    assert deep.plot(max_components=2).get_xlabel() == "components omitted: 2"


def test_leaves_of_a_tree_are_named_by_their_pitch():
    stft = na.Stft(8000, 400)  # bins of 20 Hz
    W1 = np.zeros((201, 2))
    W1[[22, 0], [0, 1]] = 1
    axes = tree(W1, np.ones((2, 1)) / 2).plot(transform=stft)
    assert {"A4 (440 Hz)", "0 Hz"} <= {t.get_text() for t in axes.texts}


def tree(*layers):
    """Deep NMF of these templates."""
    factors = [na.Factor(W, free=False) for W in (*layers, np.ones((layers[-1].shape[1], 6)))]
    V = np.linalg.multi_dot([*layers, np.ones((layers[-1].shape[1], 6))]) + 0.1
    joint = na.decompose(V, factors, structure=na.structures.Product(), max_iter=1)
    from nmfaudio.factorisation.recipes.deep import DeepDecomposition

    return DeepDecomposition(joint, (), np.zeros((2, len(layers))))


def test_scores_of_notes_and_pieces_are_bars():
    score = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64)]
    scores = na.evaluate_transcription(score, score[:1])
    drawn = bars(scores.plot())
    assert (drawn["precision"][0], drawn["recall"][0]) == (1.0, 0.5)
    summary = na.metrics.evaluate_transcriptions(
        {"a": (score, score), "b": (score, score[:1]), "c": (score, score)}
    )
    axes = summary.plot(measure="onset_r", max_pieces=2)
    assert bars(axes)["onset_r"] == pytest.approx([1, 0.5, 2.5 / 3])
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a", "b", "mean"]
    assert axes.get_xlabel() == "onset_r\npieces omitted: 1"


def test_frames_of_a_mosaic_lie_at_their_place_in_the_sources():
    y = np.random.default_rng(0).standard_normal(4000)
    mosaic = na.mosaics.mosaic(y, y[::-1].copy(), 8000, iterations=2, polyphony=1, repeat=1)
    (dots,) = mosaic.plot().collections
    hop = mosaic.decomposition.metadata["transform"]["hop"] / 8000
    W, H = mosaic.decomposition
    strongest = np.argmax(H * W.sum(axis=0)[:, None], axis=0)
    places = {tuple(place) for place in dots.get_offsets().round(6).tolist()}
    assert {(round(hop * t, 6), round(hop * s, 6)) for t, s in enumerate(strongest)} <= places
