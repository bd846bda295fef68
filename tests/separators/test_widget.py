"""Laws of the widget of stems, without a browser: what is set changes the stems exactly."""

import base64
import io

import numpy as np
import pytest
import soundfile

import nmfaudio as na
from nmfaudio.separators import widget as module
from nmfaudio.separators.widget import refitted, regrouped

SR = 8000
SETTINGS = {"n_components": 4, "max_iter": 5, "mask_power": 1.5, "rng": 3}


@pytest.fixture(scope="module")
def y():
    return np.random.default_rng(0).uniform(-0.3, 0.3, (2, SR)).astype(np.float32)


@pytest.fixture(scope="module")
def stems(y):
    return na.separate(y, SR, **SETTINGS)


@pytest.fixture
def shown(stems):
    pytest.importorskip("anywidget", reason="needs the extra widget")
    return na.widget(stems)


def members(stems):
    return {name: list(group.components) for name, group in stems.groups.items()}


def assert_equal(stems, expected):
    assert list(stems) == list(expected)
    for name in stems:
        np.testing.assert_array_equal(stems[name], expected[name])


def assert_shows(widget, stems):
    """The report in the widget is that of some stems."""
    report = widget.report
    assert [stem["name"] for stem in report["stems"]] == list(stems)
    assert {stem["name"]: stem["components"] for stem in report["stems"]} == members(stems)
    assert widget.groups == members(stems)
    names = {"mixture", *(f"stem-{i}" for i in range(len(stems)))}
    assert names | {f"component-{each['index']}" for each in report["components"]} == set(
        report["sounds"]
    )
    for sound in report["sounds"].values():
        content = base64.b64decode(sound, validate=True)
        assert soundfile.info(io.BytesIO(content)).duration == pytest.approx(1, abs=0.06)
    largest = np.abs(stems.residual()).max()
    assert largest < 1e-6
    assert widget.remark == f"The stems sum to the mixture within {largest:.1e}."
    assert widget.problem == ""
    assert not widget.working


def test_the_same_groups_and_power_give_the_same_stems(stems):
    assert_equal(regrouped(stems, members(stems), 1.5), stems)


def test_the_same_model_gives_the_same_stems(stems):
    assert_equal(refitted(stems, beta=1.0, n_components=4, mask_power=1.5), stems)


def test_empty_stems_are_left_out(stems):
    again = regrouped(stems, {"all but one": [0, 1, 2], "empty": [], "one": [3]}, 1.5)
    assert list(again) == ["all but one", "one"]


def test_wrong_arguments_are_refused(stems):
    with pytest.raises(na.ParameterError, match="no component 4"):
        regrouped(stems, {"a": [4]}, 1.5)
    with pytest.raises(na.ParameterError, match="mask_power must be a finite number above 0"):
        regrouped(stems, members(stems), 0)
    other = regrouped(stems, members(stems), 1)
    with pytest.raises(na.ParameterError, match="only stems of separate can be fitted again"):
        refitted(other, beta=1, n_components=4, mask_power=1)
    with pytest.raises(na.ParameterError, match="stems is a list; it must be Stems"):
        na.widget([])


def test_it_begins_with_the_stems_as_they_are(stems, shown):
    assert shown.stems is stems
    assert_shows(shown, stems)
    assert (shown.mask_power, shown.beta, shown.n_components) == (1.5, 1.0, 4)
    assert shown.can_refit


@pytest.mark.parametrize("change", [{"mask_power": 0.5}, {"groups": {"x": [3, 0], "y": [1, 2]}}])
def test_groups_and_masks_from_the_browser_make_python_compute_the_stems(stems, shown, change):
    shown.set_state(change)  # as a message from the browser does
    settings = {"groups": members(stems), "mask_power": 1.5, "refine": "none"} | change
    expected = na.RegroupSeparator(saved=stems.decomposition, **settings)(stems.mixture, SR)
    assert_equal(shown.stems, expected)
    assert_shows(shown, expected)


@pytest.mark.parametrize("change", [{"beta": 0.5}, {"n_components": 3}])
def test_models_from_the_browser_are_fitted_from_the_same_seed(y, shown, change):
    shown.mask_power = 1.0
    shown.set_state(change)
    names = {"beta_loss" if name == "beta" else name: value for name, value in change.items()}
    expected = na.separate(y, SR, **SETTINGS | {"mask_power": 1.0} | names)
    assert_equal(shown.stems, expected)
    assert_shows(shown, expected)


def test_other_separators_are_not_fitted_again(y):
    pytest.importorskip("anywidget", reason="needs the extra widget")
    assert not na.widget(na.HpssSeparator(max_iter=2)(y, SR)).can_refit
    generator = np.random.default_rng(0)  # a seed that stems do not keep
    assert not na.widget(na.separate(y, SR, n_components=4, max_iter=2, rng=generator)).can_refit


def test_long_recordings_are_shown_in_part(stems, monkeypatch):
    pytest.importorskip("anywidget", reason="needs the extra widget")
    monkeypatch.setattr(module, "MOST_SECONDS", 0.5)
    shown = na.widget(stems)
    assert shown.report["seconds"] == 0.5
    assert shown.remark.endswith("Shown are the first 0.5 s.")
    assert shown.stems.mixture.shape == (2, SR)


def test_a_problem_is_shown_and_the_stems_stay(shown):
    before = shown.stems
    with pytest.raises(na.ParameterError):
        shown.groups = {"a": [99]}
    assert shown.problem.startswith("no component 99")
    assert shown.stems is before
    shown.groups = {"a": [0, 1], "b": [2, 3]}
    assert shown.problem == ""
