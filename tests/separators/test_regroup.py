"""Stems made anew from a saved model: the same components, put together in another way."""

import dataclasses

import numpy as np
import pytest

import nmfaudio as na

SR = 8000


@pytest.fixture(scope="module")
def first():
    y = np.random.default_rng(0).standard_normal((2, 6000)).astype(np.float32)
    return na.separate(y, SR, n_components=6, max_iter=5, n_fft=256)


def members(stems):
    return {name: list(group.components) for name, group in stems.groups.items()}


def regrouped(first, groups=()):
    again = na.RegroupSeparator(saved=first.decomposition, groups=groups, refine="none")
    return again(first.mixture, SR)


def test_with_nothing_said_the_stems_are_the_same(first):
    again = regrouped(first)
    assert members(again) == members(first)
    for name, stem in first.items():
        np.testing.assert_array_equal(again[name], stem)


def test_any_grouping_adds_up(first):
    split = regrouped(first, {str(k): [k] for k in range(6)})
    assert sorted(split) == ["0", "1", "2", "3", "4", "5"]
    np.testing.assert_allclose(sum(split.values()), first.mixture, atol=1e-5)


@pytest.mark.parametrize("groups", [("new=0,2-3",), {"new": [3, 0, 2]}, ("new=0", "new=2,3")])
def test_those_not_named_stay_where_they_were(first, groups):
    again = members(regrouped(first, groups))
    assert again.pop("new") == [0, 2, 3]
    before = {
        name: [k for k in group if k not in (0, 2, 3)] for name, group in members(first).items()
    }
    assert again == {name: group for name, group in before.items() if group}


def test_a_stem_may_get_more_or_lose_all(first):
    (a, b) = members(first)
    with pytest.warns(na.errors.AudioWarning, match=f"{a} is the only stem"):
        assert members(regrouped(first, {a: members(first)[b]})) == {a: list(range(6))}


def test_a_model_without_stems_gives_rest(first):
    bare = dataclasses.replace(
        first.decomposition, metadata={"transform": first.transform.to_dict()}
    )
    stems = na.RegroupSeparator(saved=bare, groups=("solo=4",))(first.mixture, SR)
    assert members(stems) == {"rest": [0, 1, 2, 3, 5], "solo": [4]}


def test_a_saved_file_does_as_well_and_can_be_regrouped_again(first, tmp_path):
    first.decomposition.save(tmp_path / "m.npz")
    once = na.RegroupSeparator(saved=tmp_path / "m.npz", groups=("solo=4",))(first.mixture, SR)
    once.decomposition.save(tmp_path / "n.npz")
    twice = na.RegroupSeparator(saved=str(tmp_path / "n.npz"))(first.mixture, SR)
    np.testing.assert_array_equal(twice["solo"], once["solo"])


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (("drums",), "is not a group"),
        (("=1",), "is not a group"),
        (("a=",), "is not a component"),
        (("a=1,",), "is not a component"),
        (("a=x",), "'x' is not a component"),
        (("a=3-1",), "'3-1' is not a component"),
        (("a=-1",), "is not a component"),
        (("a=1", "b=0-2"), "component 1 is in a and in b"),
        (("a=1,1",), "component 1 is twice in a"),
        ({"a": [1.5]}, "a component of a must be an integer"),
        ({"a": [0, 0]}, "component 0 is twice in a"),
        ({"a": []}, "a has no components"),
        ({"a": 3}, "the components of a are 3"),
        ({"": [3]}, "a stem is called ''"),
    ],
)
def test_groups_that_make_no_sense_are_refused_before_anything_is_read(groups, message):
    with pytest.raises(na.ParameterError, match=message):
        na.RegroupSeparator(saved="no such file.npz", groups=groups)


def test_groups_come_from_a_file(first, tmp_path):
    path = tmp_path / "groups.json"
    path.write_text('{"low": [3, 0], "high": [5]}')
    settings = {"saved": first.decomposition, "refine": "none", "groups_file": path}
    mapped = regrouped(first, {"low": [0, 3], "high": [5]})
    read = na.RegroupSeparator(**settings)(first.mixture, SR)
    assert members(read) == members(mapped)
    for name, stem in read.items():
        np.testing.assert_array_equal(stem, mapped[name])
    more = na.RegroupSeparator(**settings, groups=("low=1", "new=2"))(first.mixture, SR)
    both = members(more)
    assert (both["low"], both["high"], both["new"]) == ([0, 1, 3], [5], [2])
    with pytest.raises(na.ParameterError, match="component 3 is in low and in new"):
        na.RegroupSeparator(**settings, groups=("new=3",))
    path.write_text('{"low": [6]}')
    with pytest.raises(na.ParameterError, match="no component 6: the model has 6"):
        na.RegroupSeparator(**settings)(first.mixture, SR)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("", na.AudioFileError, "is not JSON"),
        ("{'a': [1]}", na.AudioFileError, "is not JSON"),
        ('{"a": [1], "a": [2]}', na.AudioFileError, "the key 'a' is there twice"),
        ("[" * 100_000, na.AudioFileError, "nested too deeply"),
        ("\xff", na.AudioFileError, "is not JSON"),
        ("[0, 1]", na.ParameterError, r"holds \[0, 1\]; need an object"),
        ('{"a": 1}', na.ParameterError, "the components of a are 1; need a list"),
        ('{"a": "12"}', na.ParameterError, "the components of a are '12'"),
        ('{"a": {"1": 2}}', na.ParameterError, "the components of a are"),
        ('{"a": [true]}', na.ParameterError, "a component of a must be an integer"),
        ('{"a": [1.0]}', na.ParameterError, "a component of a must be an integer"),
        ('{"a": [-1]}', na.ParameterError, "a component of a must be an integer"),
        ('{"a": [1], "b": [1]}', na.ParameterError, "component 1 is in a and in b"),
        ('{"a": []}', na.ParameterError, "a has no components"),
    ],
)
def test_files_that_are_no_groups_are_refused(tmp_path, content, error, message):
    path = tmp_path / "groups.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(error, match=message) as caught:
        na.RegroupSeparator(saved="no such file.npz", groups_file=path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_of_groups_is_an_error(tmp_path):
    with pytest.raises(na.AudioFileError, match=r"none\.json: No such file"):
        na.RegroupSeparator(saved="no such file.npz", groups_file=tmp_path / "none.json")


def test_what_does_not_belong_together_is_refused(first, tmp_path):
    y, found = first.mixture, first.decomposition
    with pytest.raises(na.ParameterError, match="sr is 16000 Hz, but the model was made at 8000"):
        na.RegroupSeparator(saved=found)(y, 16000)
    with pytest.raises(
        na.ParameterError, match=r"is 0\.50 s long, .* was 0\.7 s; .* same --preview"
    ):
        na.RegroupSeparator(saved=found)(y[:, :4000], SR)
    with pytest.raises(na.ParameterError, match="no component 6: the model has 6"):
        na.RegroupSeparator(saved=found, groups=("a=6",))(y, SR)
    with pytest.raises(na.ParameterError, match="which transform"):
        na.RegroupSeparator(saved=dataclasses.replace(found, metadata={}))(y, SR)
    with pytest.raises(na.ParameterError, match="saved is missing"):
        na.RegroupSeparator()
    with pytest.raises(na.AudioFileError, match="No such file"):
        na.RegroupSeparator(saved=tmp_path / "none.npz")(y, SR)
