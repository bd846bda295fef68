"""Figures: contents, scales and errors."""

from dataclasses import replace

import numpy as np
import pytest
from laws.catalogue import STRUCTURES

import nmfaudio as na

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture(scope="module")
def stems():
    y = np.random.default_rng(0).standard_normal((2, 8000))
    return na.separate(y, 8000, n_components=4, max_iter=10)


def test_factors_have_a_row_per_component_in_hz_and_seconds(stems):
    left, right = na.plot_factors(stems.decomposition).axes
    assert (left.get_xlabel(), right.get_xlabel()) == ("Hz", "seconds")
    assert len(left.collections) == len(right.collections) == 4
    few = na.plot_factors(stems.decomposition, components=[2, 0])
    assert [t.get_text() for t in few.axes[0].get_yticklabels()] == ["2", "0"]


def test_factors_of_a_bare_decomposition_are_in_bins_and_frames():
    d = na.nmf(np.random.default_rng(0).random((6, 9)), 2, max_iter=5)
    left, right = na.plot_factors(d).axes
    assert (left.get_xlabel(), right.get_xlabel()) == ("bin", "frame")


@pytest.mark.parametrize("metadata", [na.Mel(8000, n_mels=6).to_dict(), {"sr": 8000, "n_fft": 10}])
def test_any_transform_that_a_saved_model_names_gives_the_axes(metadata):
    d = na.nmf(np.random.default_rng(0).random((6, 9)), 2, max_iter=5)
    left, _ = na.plot_factors(replace(d, metadata={"transform": metadata})).axes
    assert left.get_xlabel() == "Hz"


def test_factors_of_any_structure_are_drawn_or_refused():
    rng = np.random.default_rng(0)
    for name, make in STRUCTURES.items():
        structure, X = make(rng)
        V = rng.random(structure.shape(X))
        d = na.decompose(V, [na.Factor(F) for F in X], structure=structure, max_iter=2)
        if name in ("convolutive", "convolutive-2d", "channels", "attack-decay"):
            with pytest.raises(na.ParameterError, match="plot_factors draws"):
                na.plot_factors(d)
        else:
            assert len(na.plot_factors(d).axes[0].collections) == d.n_components


@pytest.mark.parametrize("lags", [1, 3])
@pytest.mark.parametrize("transform", [na.Stft(8000, 64), na.Erb(8000, n_bands=33)])
def test_a_dictionary_is_drawn_label_by_label(lags, transform):
    templates = np.zeros((lags, 33, 4))
    templates[:, [5, 20, 6, 21], [0, 1, 2, 3]] = [[1.0, 2.0, 3.0, 0.0]] * lags
    known = na.Dictionary(
        templates if lags > 1 else templates[0], ["low", "high", "low", "none"], transform
    )
    axes, _ = na.plot_dictionary(known).axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["low", "high", "none"]
    drawn = axes.collections[0].get_array()
    assert drawn.shape == (33, 4 * lags)
    loudest = np.repeat([5, 6, 20, 0], lags)
    assert drawn.argmax(axis=0).tolist() == loudest.tolist()
    assert drawn.max() == 0


def test_stems_are_drawn_on_one_scale_below_the_mixture(stems):
    figure = na.plot_stems(stems)
    rows = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in rows] == ["mixture", "harmonic", "percussive"]
    assert {axes.images[0].get_clim() for axes in rows} == {(-80.0, 0.0)}


def test_losses_are_drawn_over_iterations(stems):
    line = na.display.plot_losses(stems.decomposition).axes[0].lines[0]
    assert np.array_equal(line.get_ydata(), stems.decomposition.losses)
    assert line.get_xdata()[-1] == stems.decomposition.n_iter


def test_solvers_are_compared_on_one_chart():
    V = np.random.default_rng(0).random((8, 12))
    found = {name: na.nmf(V, 3, solver=name, rng=0, max_iter=20) for name in ("mu", "bmme")}
    axes = na.display.plot_losses(found).axes[0]
    assert [line.get_label() for line in axes.lines] == list(found)
    assert [t.get_text() for t in axes.get_legend().get_texts()] == list(found)
    assert axes.get_yscale() == "log"
    with pytest.raises(na.ParameterError, match="no decomposition"):
        na.display.plot_losses({})


@pytest.mark.parametrize(
    ("losses", "scale"),
    [
        ([3, 1], "log"),
        ([3, 0], "log"),
        ([3, -1e-14], "log"),
        ([3, -1], "linear"),
        ([0, 0], "linear"),
    ],
)
def test_every_loss_can_be_drawn(losses, scale):
    d = na.nmf(np.ones((3, 4)), 1, rng=0, max_iter=10, tol=0)
    figure = na.display.plot_losses(replace(d, losses=np.array(losses, float)))
    figure.canvas.draw()
    axes = figure.axes[0]
    low, high = axes.get_ylim()
    assert axes.get_yscale() == scale
    assert low < min(x for x in losses if x > 0 or scale == "linear")
    assert high > max(losses)


def test_no_figure_stays_open(stems):
    na.display.plot_losses(stems.decomposition)
    assert matplotlib.pyplot.get_fignums() == []


def test_without_matplotlib_the_extra_is_named(stems, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", None)
    with pytest.raises(na.MissingExtraError, match=r"plots need matplotlib.* install"):
        na.display.plot_losses(stems.decomposition)
