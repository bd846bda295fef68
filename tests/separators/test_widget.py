"""Laws of the widget of stems, without a browser: what is set changes the stems exactly."""

import base64
import io

import numpy as np
import pytest
import soundfile

import nmfaudio as na
from nmfaudio.separators.widget import regrouped

SR = 8000


@pytest.fixture(scope="module")
def stems():
    y = np.random.default_rng(0).uniform(-0.3, 0.3, (2, SR)).astype(np.float32)
    return na.separate(y, SR, n_components=4, max_iter=5, mask_power=1.5, refine="none")


@pytest.fixture
def shown(stems):
    pytest.importorskip("anywidget", reason="needs the extra widget")
    return na.widget(stems)


def members(stems):
    return {name: list(group.components) for name, group in stems.groups.items()}


def test_the_same_groups_and_power_give_the_same_stems(stems):
    again = regrouped(stems, members(stems), 1.5)
    assert list(again) == list(stems)
    for name in stems:
        np.testing.assert_array_equal(again[name], stems[name])


def test_empty_stems_are_left_out(stems):
    again = regrouped(stems, {"all but one": [0, 1, 2], "empty": [], "one": [3]}, 1.5)
    assert list(again) == ["all but one", "one"]


def test_wrong_arguments_are_refused(stems):
    with pytest.raises(na.ParameterError, match="no component 4"):
        regrouped(stems, {"a": [4]}, 1.5)
    with pytest.raises(na.ParameterError, match="mask_power must be a finite number above 0"):
        regrouped(stems, members(stems), 0)
    with pytest.raises(na.ParameterError, match="stems is a list; it must be Stems"):
        na.widget([])


def test_it_begins_with_the_stems_as_they_are(stems, shown):
    assert shown.groups == members(stems)
    assert shown.mask_power == 1.5
    assert shown.stems is stems
    assert list(shown.sounds) == list(stems)
    assert [k for k, _ in shown.components] == [0, 1, 2, 3]
    for source in (shown.mixture, *shown.sounds.values(), *(s for _, s in shown.components)):
        content = base64.b64decode(source.partition("base64,")[2], validate=True)
        assert soundfile.info(io.BytesIO(content)).duration == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("change", [{"mask_power": 0.5}, {"groups": {"x": [3, 0], "y": [1, 2]}}])
def test_changes_from_the_browser_make_python_compute_the_stems(stems, shown, change):
    sounds = dict(shown.sounds)
    shown.set_state(change)  # as a message from the browser does
    settings = {"groups": members(stems), "mask_power": 1.5} | change
    separator = na.RegroupSeparator(saved=stems.decomposition, refine="none", **settings)
    assert shown.stems.stems.keys() == settings["groups"].keys()
    for name, expected in separator(stems.mixture, SR).items():
        np.testing.assert_array_equal(shown.stems[name], expected)
        assert shown.sounds[name] != sounds.get(name)
    largest = np.abs(shown.stems.residual()).max()
    assert largest < 1e-6
    assert shown.remark == f"The stems sum to the mixture within {largest:.1e}."


def test_a_problem_is_shown_and_the_stems_stay(shown):
    before = shown.stems
    with pytest.raises(na.ParameterError):
        shown.groups = {"a": [99]}
    assert shown.problem.startswith("no component 99")
    assert shown.stems is before
    shown.groups = {"a": [0, 1], "b": [2, 3]}
    assert shown.problem == ""
