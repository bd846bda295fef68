"""Laws of every figure: where it is drawn, what it leaves behind, and that it can be read."""

import numpy as np
import pytest
from matplotlib import pyplot, rcParams
from matplotlib.colors import to_rgb

import nmfaudio as na

NOTES = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64.5), na.Note(1.5, 2.5, 72)]
HITS = [na.Note(t, t + 0.1, pitch, channel=9) for t, pitch in ((0.1, 36), (0.5, 38), (0.9, 36))]
LONG = "a name as long as those of instruments"


def selection(method):
    scores = {rank: 8.0 / rank for rank in range(1, 9)}
    return na.rank_selection.RankSelection(3, scores, "divergence per bin; lower is better", method)


def evaluation():
    scores = {
        "si_sdr": np.array([12.0, -3.0, np.inf]),
        "si_sdr_improvement": np.array([9.0, 1, np.nan]),
    }
    return na.metrics.Evaluation({"kick": "a", "snare": "b", LONG: "c"}, scores, None, ())


def deep():
    return na.recipes.deep_nmf(np.random.default_rng(0).random((12, 20)), [6, 3], max_iter=3, rng=0)


def dictionary():
    W = np.random.default_rng(0).random((3, 33, 6))
    labels = ["kick", "snare", LONG] * 2
    return na.Dictionary(W, labels, na.Stft(8000, 64), kind="convolutive")


def nmfd():
    V, W = np.random.default_rng(0).random((33, 20)), dictionary().templates
    factors = [na.Factor(W), na.Factor(np.ones((6, 20)))]
    return na.decompose(V, factors, structure=na.structures.Convolutive(), max_iter=1)


def mosaic():
    y = np.random.default_rng(0).standard_normal(8000)
    return na.mosaics.mosaic(y, y[::-1].copy(), 8000, iterations=2)


def salience():
    values = np.random.default_rng(0).random((3, 40))
    return na.transcription.Salience(values, np.array([60.0, 64.5, 72]), np.arange(40) / 16)


def tuning(*settings):
    rows = [{**dict(row), "onset_f": 0.5 + 0.1 * i} for i, row in enumerate(settings)]
    return na.transcription.Tuning(na.DrumTranscriber(), "onset_f", rows[-1], tuple(rows))


def pieces():
    pairs = {f"{LONG} {i}": (NOTES, NOTES[: 1 + i % 3]) for i in range(30)}
    return na.metrics.evaluate_transcriptions(pairs)


def weighted():
    V = np.random.default_rng(0).random((33, 20))
    return na.recipes.feature_weighted_nmf(V, 2, max_iter=2, rng=0)


ONE_PANEL = {
    "losses": lambda x, **o: na.display.plot_losses(x["history"], **o),
    "seconds": lambda x, **o: na.display.plot_losses({"a": x["history"]}, over="seconds", **o),
    "divergences": lambda x, **o: na.display.plot_divergences([0, 0.5, 1, 2, 3], **o),
    "rank": lambda x, **o: selection("cv").plot(**o),
    "layers": lambda x, **o: deep().plot(**o),
    "notes": lambda x, **o: na.display.plot_notes(NOTES, NOTES[1:], salience=salience(), **o),
    "hits": lambda x, **o: na.display.plot_notes(HITS, HITS[1:], **o),
    "evaluation": lambda x, **o: evaluation().plot(**o),
    "note scores": lambda x, **o: na.evaluate_transcription(NOTES, NOTES[1:]).plot(**o),
    "pieces": lambda x, **o: pieces().plot(**o),
    "salience": lambda x, **o: salience().plot(**o),
    "tuning": lambda x, **o: tuning(
        *(
            {"threshold": 0.1 * i, "part": part}
            for part in ("kick", "snare", "closed hi-hat", "ride cymbal")
            for i in range(1, 5)
        )
    ).plot(**o),
    "weights": lambda x, **o: weighted().plot(transform=na.Stft(8000, 64), **o),
    "tolerances": lambda x, **o: na.display.plot_tolerance_curve(
        {LONG: na.metrics.tolerance_curve(NOTES, NOTES[1:])}, **o
    ),
    "mosaic": lambda x, **o: mosaic().plot(**o),
    "dictionary": lambda x, **o: dictionary().plot(**o),
}
SEVERAL_PANELS = {
    "beats": lambda x, **o: na.symbolic.Beats(np.arange(9) / 4, per_bar=3).plot(NOTES, **o),
    "factors": lambda x, **o: x["stems"].decomposition.plot(names=[LONG] * 4, **o),
    "grouped": lambda x, **o: na.separators.GroupedDecomposition(
        x["d"], {"a": [0, 2], LONG: [1]}
    ).plot(**o),
    "nmfd": lambda x, **o: nmfd().plot(transform=na.Stft(8000, 64), names=[LONG] * 6, **o),
    "model": lambda x, **o: na.display.plot_model(x["d"], x["V"], **o),
    "stems": lambda x, **o: x["stems"].plot(**o),
    "masks": lambda x, **o: na.display.plot_masks(x["stems"], **o),
    "templates": lambda x, **o: na.display.plot_templates(dictionary(), **o),
    "errors": lambda x, **o: na.metrics.transcription_errors(NOTES, NOTES[1:]).plot(**o),
    "ranks": lambda x, **o: na.display.plot_rank_selection(
        [selection(name) for name in ("cv", "ard", "error", "stability")], true_rank=2, **o
    ),
}


@pytest.fixture(autouse=True)
def _no_figures_before():
    pyplot.close("all")


@pytest.fixture(scope="module")
def results(stems, V, history):
    return {"stems": stems, "V": V, "history": history, "d": na.nmf(V, 3, max_iter=5, rng=0)}


def labels_of(axes, axis):
    ticks = getattr(axes, f"get_{axis}ticklabels")()
    low, high = sorted(getattr(axes, f"get_{axis}lim")())
    place = 0 if axis == "x" else 1
    return [t for t in ticks if t.get_text() and low <= t.get_position()[place] <= high]


def touching(axes, axis):
    """Pairs of tick labels of an axis that overlap."""
    boxes = [t.get_window_extent() for t in labels_of(axes, axis) if t.get_visible()]
    return [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]


def luminance(colour):
    return sum(np.multiply((0.2126, 0.7152, 0.0722), to_rgb(colour)))


def require_legible(figure):
    """Draw a figure; tick labels do not overlap, and text stands out from a dark background."""
    figure.draw_without_rendering()
    for axes in figure.axes:
        if axes.axison and axes.get_visible():
            assert not touching(axes, "x")
            assert not touching(axes, "y")
        legend = axes.get_legend()
        texts = [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]
        texts += [*labels_of(axes, "x"), *labels_of(axes, "y")]
        for text in [*texts, *(legend.get_texts() if legend else [])]:
            assert luminance(text.get_color()) > 0.4, text


@pytest.mark.parametrize("name", [*ONE_PANEL, *SEVERAL_PANELS])
def test_it_is_drawn_small_and_dark_into_what_was_passed(name, results):
    with pyplot.style.context("dark_background"), pyplot.rc_context({"font.size": 8}):
        figure = pyplot.figure(figsize=(3.5, 3.5), layout="constrained")
        settings = dict(rcParams)
        if name in ONE_PANEL:
            axes = figure.add_subplot()
            assert ONE_PANEL[name](results, ax=axes) is axes
        else:
            panels = SEVERAL_PANELS[name](results, fig=figure)
            assert set(panels.values()) <= set(figure.axes)
            assert panels.figure is figure
            assert panels._repr_png_() is None  # pyplot shows it
        assert dict(rcParams) == settings
        assert pyplot.get_fignums() == [figure.number]
        require_legible(figure)


@pytest.mark.parametrize("name", ["divergences", "model"])
def test_a_figure_of_its_own_is_shown_by_a_notebook_and_not_kept(name, results):
    drawn = (ONE_PANEL | SEVERAL_PANELS)[name](results)
    assert drawn._repr_png_().startswith(b"\x89PNG")
    assert pyplot.get_fignums() == []


def test_panels_need_a_figure(results):
    figure = pyplot.figure()
    axes = figure.add_subplot()
    pyplot.close(figure)
    with pytest.raises(na.ParameterError, match="must be a Figure or SubFigure"):
        na.plot_factors(results["d"], fig=axes)


def test_a_subfigure_takes_panels(results):
    figure = pyplot.figure(layout="constrained")
    pyplot.close(figure)
    left, _ = figure.subfigures(1, 2)
    assert na.plot_factors(results["d"], fig=left).figure is left


def test_without_matplotlib_the_extra_is_named(results, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", None)
    for draw in (ONE_PANEL | SEVERAL_PANELS).values():
        with pytest.raises(na.MissingExtraError, match=r"plots need matplotlib.* install"):
            draw(results)
