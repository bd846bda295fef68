"""Dictionaries: what was put together comes apart again, and nothing else is believed."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.files import save_archive
from nmfaudio.errors import AudioFileError, OutputError, ParameterError, ShapeError

STFT = na.Stft(8000, 64, 16)
LABELS = ("guitar", "guitar", "voice", "drums", "voice")
PITCHES = (40, 45.5, None, None, 60)


def a_dictionary(dtype=np.float32, lags=1, **changes):
    shape = (33, 5) if lags == 1 else (lags, 33, 5)
    templates = np.random.default_rng(0).random(shape).astype(dtype)
    kind = "templates" if lags == 1 else "convolutive"
    fields = {"pitches": PITCHES, "beta_loss": 0.5, "kind": kind, "metadata": {"from": ["a.wav"]}}
    fields |= {"transform": STFT} | changes
    return na.Dictionary(templates, LABELS, **fields)


def assert_same(a, b):
    assert a.templates.dtype == b.templates.dtype
    np.testing.assert_array_equal(a.templates, b.templates)
    for name in ("labels", "pitches", "transform", "beta_loss", "kind", "metadata"):
        assert getattr(a, name) == getattr(b, name), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("lags", [1, 3])
@pytest.mark.parametrize(
    "transform", [STFT, na.Mel(8000, n_mels=33, n_fft=512), na.Erb(8000, n_bands=33)]
)
def test_round_trip(tmp_path, dtype, lags, transform):
    known = a_dictionary(dtype, lags, transform=transform)
    known.save(tmp_path / "a.npz")
    assert_same(na.Dictionary.load(tmp_path / "a.npz"), known)
    na.Dictionary.load(tmp_path / "a.npz").save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_an_existing_file_is_kept_unless_asked(tmp_path):
    known = a_dictionary()
    known.save(tmp_path / "a.npz")
    with pytest.raises(OutputError, match="exists"):
        known.save(tmp_path / "a.npz")
    known.select("voice").save(tmp_path / "a.npz", overwrite=True)
    assert na.Dictionary.load(tmp_path / "a.npz").names == ("voice",)


@pytest.mark.parametrize("lags", [1, 3])
def test_what_was_taken_apart_merges_again(lags):
    known = a_dictionary(lags=lags)
    parts = [known.select(name) for name in known.names]
    assert_same(parts[0].merge(*parts[1:]), known.select(known.names))
    assert_same(known.merge().select(known.names), known.select(known.names))
    assert_same(known.select(known.names).select(known.names), known.select(known.names))


def test_labels_keep_their_order():
    known = a_dictionary()
    assert known.names == ("guitar", "voice", "drums")
    assert known.components("voice") == (2, 4)
    assert known.select(["drums", "guitar", "drums"]).labels == ("drums", "guitar", "guitar")
    assert known.select("voice").pitches == (None, 60)
    np.testing.assert_array_equal(known.select("voice").templates, known.templates[:, [2, 4]])


def test_a_merge_keeps_precision_and_says_where_it_comes_from():
    low, high = a_dictionary(np.float32), a_dictionary(np.float64, metadata={"from": ["b.wav"]})
    assert low.merge(low).templates.dtype == np.float32
    assert low.merge(low).metadata == low.metadata
    both = low.merge(high)
    assert both.templates.dtype == np.float64
    assert both.metadata == {"merged": [low.metadata, high.metadata]}
    assert low.merge(replace(low, kind="exemplars")).kind == "templates"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"transform": na.Stft(8000, 64, 8)}, "hop 16, not 8"),
        ({"transform": na.Stft(16000, 64, 8)}, "sr 8000, not 16000 and hop 16, not 8"),
        ({"transform": na.Erb(8000, n_bands=33, n_fft=64)}, "kind stft, not erb"),
        ({"beta_loss": 0.0}, "beta_loss 0.5, not 0.0"),
        ({"templates": np.ones((2, 33, 5))}, "lags 1, not 2"),
    ],
)
def test_what_differs_is_named(change, words):
    known = a_dictionary()
    other = replace(known, **change)
    with pytest.raises(ParameterError, match=words):
        known.merge(known, other)
    if "transform" in change:
        with pytest.raises(ParameterError, match=words):
            known.check(other.transform)
    else:
        known.check(other.transform)


def test_stretches_of_two_kinds_do_not_merge():
    known = a_dictionary(lags=3)
    with pytest.raises(ParameterError, match="kind convolutive, not exemplars"):
        known.merge(replace(known, kind="exemplars"))


def test_a_label_that_is_not_there():
    with pytest.raises(ParameterError, match="'bass'; choose from guitar, voice, drums"):
        a_dictionary().select(["voice", "bass"])
    with pytest.raises(ParameterError, match="labels is empty"):
        a_dictionary().select([])


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"templates": np.ones((33, 5), int)}, ParameterError, "int64"),
        ({"templates": [[1.0]]}, ParameterError, "list"),
        ({"templates": np.ones((32, 5))}, ShapeError, r"\(32, 5\).*33 frequencies"),
        ({"templates": np.ones(33)}, ShapeError, r"\(33,\)"),
        ({"templates": -np.ones((33, 5))}, ParameterError, "from -1 to -1"),
        ({"templates": np.full((33, 5), np.nan)}, ParameterError, "nan"),
        ({"labels": "voice"}, ParameterError, "the string 'voice'"),
        ({"labels": ["voice"]}, ShapeError, "1 labels for 5 components"),
        ({"labels": ["a", "b", "", "d", "e"]}, ParameterError, "a label is ''"),
        ({"labels": ["a", "b", "c\n", "d", "e"]}, ParameterError, r"'c\\n'"),
        ({"labels": ["a", "b", 3, "d", "e"]}, ParameterError, "a label is 3"),
        ({"pitches": [60]}, ShapeError, "1 pitches for 5"),
        ({"pitches": ["C4"] * 5}, ParameterError, "'C4'"),
        ({"beta_loss": float("nan")}, ParameterError, "beta"),
        ({"kind": "frames"}, ParameterError, "templates, exemplars, convolutive"),
    ],
)
def test_what_is_no_dictionary(change, error, words):
    with pytest.raises(error, match=words) as caught:
        replace(a_dictionary(), **change)
    assert len(str(caught.value).splitlines()) == 1


def test_repr_tells_what_is_in_it():
    assert repr(a_dictionary()) == (
        "Dictionary(3 labels: guitar 2, voice 2, drums 1; "
        "templates of 33 frequencies, stft, 8000 Hz, 3 with a pitch)"
    )
    assert "convolutive of 3 frames and 33 frequencies" in repr(a_dictionary(lags=3))


def saved_with(path, **changes):
    """A dictionary's file whose header says something else."""
    a_dictionary().save(path)
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    header = {**json.loads(members["header.json"]), **changes}
    members["header.json"] = json.dumps({k: v for k, v in header.items() if v is not None})
    with zipfile.ZipFile(path, "w") as new:
        for name, content in members.items():
            new.writestr(name, content)


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": ["a"]},
        {"labels": 5},
        {"labels": None},
        {"pitches": [-1] * 5},
        {"transform": {"kind": "stft", "sr": 8000, "n_fft": 2**60}},
        {"transform": {"kind": "erb", "sr": 8000, "n_bands": 10**12}},
        {"transform": {"kind": "os.system"}},
        {"transform": {"kind": ["stft"]}},
        {"transform": []},
        {"templates": "anything"},
        {"beta": "1"},
        {"about": 3},
        {"version": 99},
        {"kind": "decomposition"},
    ],
)
def test_a_file_that_lies_is_refused(tmp_path, changes):
    saved_with(tmp_path / "a.npz", **changes)
    with pytest.raises(AudioFileError, match=r"a\.npz: ") as caught:
        na.Dictionary.load(tmp_path / "a.npz")
    assert len(str(caught.value).splitlines()) == 1


def test_other_files_are_refused(tmp_path):
    np.savez(tmp_path / "numpy.npz", templates=np.ones((33, 5)))
    (tmp_path / "text.npz").write_text("hello")
    save_archive(tmp_path / "other.npz", {"kind": "decomposition"}, {"W": np.ones((3, 2))})
    save_archive(tmp_path / "bare.npz", {"kind": "dictionary"}, {})
    for name in ("numpy", "text", "other", "bare", "missing"):
        with pytest.raises(AudioFileError, match=rf"{name}\.npz: "):
            na.Dictionary.load(tmp_path / f"{name}.npz")
