"""Losses, histories and films of updates."""

from dataclasses import replace

import numpy as np
import pytest
from laws.catalogue import STRUCTURES

import nmfaudio as na


def test_losses_are_drawn_over_iterations(stems):
    line = na.display.plot_losses(stems.decomposition).lines[0]
    assert np.array_equal(line.get_ydata(), stems.decomposition.losses)
    assert line.get_xdata()[-1] == stems.decomposition.n_iter


def test_solvers_are_compared_on_one_chart(V):
    found = {name: na.nmf(V, 3, solver=name, rng=0, max_iter=20) for name in ("mu", "bmme")}
    axes = na.display.plot_losses(found)
    assert [line.get_label() for line in axes.lines] == list(found)
    assert [t.get_text() for t in axes.get_legend().get_texts()] == list(found)
    assert len({line.get_linestyle() for line in axes.lines}) == 2
    assert axes.get_yscale() == "log"


def test_what_cannot_be_drawn_is_refused(V):
    d = na.nmf(V, 2, max_iter=2, rng=0)
    with pytest.raises(na.ParameterError, match="no decomposition"):
        na.display.plot_losses({})
    with pytest.raises(na.ParameterError, match="'iterations' or 'seconds'"):
        na.display.plot_losses(d, over="hours")
    with pytest.raises(na.ParameterError, match="does not know its seconds"):
        na.display.plot_losses(d, over="seconds")
    with pytest.raises(na.ParameterError, match="history is empty"):
        na.display.plot_losses(na.display.History())


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
    axes = na.display.plot_losses(replace(d, losses=np.array(losses, float)))
    axes.figure.canvas.draw()
    low, high = axes.get_ylim()
    assert axes.get_yscale() == scale
    assert low < min(x for x in losses if x > 0 or scale == "linear")
    assert high > max(losses)


def test_each_start_has_a_curve_and_the_best_is_thick(history):
    axes = na.display.plot_losses(history)
    assert len(axes.lines) == 3
    *thin, thick = sorted(axes.lines, key=lambda line: line.get_linewidth())
    assert thick.get_linewidth() > thin[-1].get_linewidth()
    assert thick.get_ydata()[-1] == min(line.get_ydata()[-1] for line in axes.lines)
    assert thick.get_label() == f"start {history.best}, best"


def test_seconds_grow_with_iterations(history):
    for line in na.display.plot_losses(history, over="seconds").lines:
        assert (np.diff(line.get_xdata()) > 0).all()


@pytest.mark.parametrize("level", [1.0, 1e-9])
def test_a_history_ends_with_the_result_and_does_not_change_it(V, level):
    history, settings = na.display.History(every=2), {"max_iter": 8, "tol": 0, "check_every": 1}
    d = na.nmf(level * V, 3, n_init=2, rng=0, callback=history, **settings)
    assert d == na.nmf(level * V, 3, n_init=2, rng=0, **settings)
    assert [step.iteration for step in history.steps()] == [2, 4, 6, 8]
    last = history.steps()[-1]
    assert last.loss == d.losses[-1]
    for kept, final in zip(last.factors, d.factors, strict=True):
        assert np.array_equal(kept, final)
    with pytest.raises(na.ParameterError, match="no start 2; choose from 0, 1"):
        history.steps(2)


@pytest.mark.parametrize("solver", ["mu", "hals", "pg"])
def test_a_history_keeps_copies(V, solver):
    history = na.display.History()
    settings = {"max_iter": 6, "tol": 0, "check_every": 1, "beta_loss": "frobenius"}
    d = na.nmf(V, 3, solver=solver, rng=0, callback=history, **settings)
    for kept, final in zip(history.steps()[0].factors, d.factors, strict=True):
        assert not np.array_equal(kept, final)


def test_factors_of_a_history_have_the_unit_norms_of_the_result(V):
    history = na.display.History()
    factors = [na.Factor(np.ones((8, 1)), unit="l1"), na.Factor(np.ones((1, 12)))]
    d = na.decompose(V, factors, max_iter=10, callback=history)
    assert np.allclose(history.steps()[-1].factors[0], d.W)


def test_a_film_shows_every_step(history, V):
    film = na.display.plot_updates(history, V, start=1, decibels=False)
    steps = history.steps(1)
    panels = {axes.get_title(): axes for axes in film._fig.axes}
    for step in (steps[0], steps[-1]):
        film._draw_frame(step)
        (W, H) = step.factors
        model = next(a for title, a in panels.items() if title.startswith("model"))
        assert np.allclose(model.collections[0].get_array(), W @ H)
        assert model.get_title() == f"model after {step.iteration} iterations"
        corner = next(a for title, a in panels.items() if title.startswith("objective"))
        shown = float(corner.get_title().removeprefix("objective ").replace(",", ""))
        assert shown == pytest.approx(step.loss, rel=1e-3)
    film._draw_was_started = True  # else matplotlib warns that it was never shown


def test_a_film_can_be_written(V, tmp_path):
    history = na.display.History()
    na.nmf(V, 2, max_iter=2, tol=0, check_every=1, rng=0, callback=history)
    film = na.display.plot_updates(history)
    film.save(tmp_path / "film.gif", writer="pillow", dpi=30)
    image = pytest.importorskip("PIL.Image")
    with image.open(tmp_path / "film.gif") as written:
        assert written.n_frames == 2


def test_a_film_needs_factors(V):
    history = na.display.History(factors=False)
    na.nmf(V, 2, max_iter=10, rng=0, callback=history)
    with pytest.raises(na.ParameterError, match=r"History\(factors=True\)"):
        na.display.plot_updates(history)


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_film_of_any_structure_ends_with_the_picture_of_the_result(name):
    rng, history = np.random.default_rng(0), na.display.History()
    structure, X = STRUCTURES[name](rng)
    V, factors = rng.random(structure.shape(X)), [na.Factor(F) for F in X]
    d = na.decompose(V, factors, structure=structure, max_iter=2, check_every=1, callback=history)
    film = na.display.plot_updates(history, V)
    film._draw_frame(history.steps()[-1])
    film._draw_was_started = True  # else matplotlib warns that it was never shown
    (moving,) = (axes for axes in film._fig.axes if axes.get_title() == "W")
    for found, known in zip(moving.collections, na.plot_factors(d)["W"].collections, strict=True):
        for one, other in zip(found.get_paths(), known.get_paths(), strict=True):
            assert np.allclose(one.vertices, other.vertices)
        if d.W.ndim == 3:
            assert np.allclose(found.get_array(), known.get_array())
