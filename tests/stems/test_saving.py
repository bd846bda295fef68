"""Saved stems still add up, in every format that keeps samples."""

import dataclasses
import inspect
from pathlib import Path

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.audio.io import read
from nmfaudio.cli.results import describe_stems


@pytest.fixture(scope="module")
def stems():
    t = np.arange(12000) / 8000
    clicks = (np.arange(12000) % 1500 < 20) * np.sin(2e4 * t)
    y = np.stack([np.sin(2 * np.pi * 440 * t) + clicks, 0.3 * np.sin(2 * np.pi * 660 * t)])
    return na.separate(0.4 * y.astype(np.float32), 8000, n_components=6, max_iter=20)


@pytest.mark.parametrize(
    ("format", "subtype", "steps"),
    [
        ("wav", None, None),
        ("wav", "DOUBLE", None),
        ("aiff", None, None),
        ("wav", "PCM_16", 2**15),
        ("wav", "PCM_24", 2**23),
        ("flac", None, 2**23),
        ("flac", "PCM_16", 2**15),
    ],
)
def test_saved_stems_sum_to_the_mixture(stems, tmp_path, format, subtype, steps):
    written = stems.save(tmp_path / "out", format=format, subtype=subtype)
    assert [path.name for path in written.paths] == [f"{name}.{format}" for name in stems]
    assert written.gain == 1
    total = sum(read(path).samples.astype(np.float64) for path in written.paths)
    error = np.abs(total - stems.mixture).max()
    allowed = 1e-6 if steps is None else (len(stems) + 1) / 2 / steps
    assert error <= allowed


@pytest.mark.parametrize("format", ["ogg", "mp3"])
def test_lossy_stems_keep_rate_and_channels(stems, tmp_path, format):
    for path in stems.save(tmp_path, format=format).paths:
        recording = read(path)
        assert recording.sr == stems.sr
        assert len(recording.samples) == 2


def test_peaks_over_full_scale_get_one_common_gain(tmp_path):
    y = np.random.default_rng(0).standard_normal((1, 4000)).astype(np.float32) * 3
    loud = na.separate(y, 8000, n_components=4, max_iter=5, n_fft=256)
    written = loud.save(tmp_path / "int", subtype="PCM_16")
    assert written.gain < 1
    total = sum(read(path).samples.astype(np.float64) for path in written.paths)
    assert np.abs(total - written.gain * y).max() <= 1.5 / 2**15
    with pytest.raises(na.ContentError, match=r"harmonic|percussive"):
        loud.save(tmp_path / "error", subtype="PCM_16", clip="error")
    assert not list(tmp_path.glob("error/*"))
    assert loud.save(tmp_path / "float").gain == 1


def test_components_are_saved_beside_their_stems(stems, tmp_path):
    paths = stems.save(tmp_path, components_too=True).paths
    assert len(paths) == len(stems) + 6
    parts = [path for path in paths if path.parent.name == "components"]
    total = sum(read(path).samples.astype(np.float64) for path in parts)
    np.testing.assert_allclose(total, stems.mixture, atol=1e-5)


def test_stems_whose_names_become_one_file_name_are_all_kept(stems, tmp_path):
    first, second = stems
    names = {first: "a/b", second: "A_b"}
    colliding = dataclasses.replace(
        stems,
        stems={names[name]: y for name, y in stems.items()},
        groups={names[name]: group for name, group in stems.groups.items()},
    )
    written = colliding.save(tmp_path, components_too=True)
    assert [path.name for path in written.paths[:2]] == ["a_b.wav", "A_b-2.wav"]
    for path, y in zip(written.paths, stems.values(), strict=False):
        np.testing.assert_array_equal(read(path).samples, y)
    assert len({str(path).lower() for path in written.paths}) == 2 + 6
    sources = describe_stems(stems.mixture, colliding, written, list(colliding))["sources"]
    assert [(source["name"], source["path"].name) for source in sources] == [
        ("a/b", "a_b.wav"),
        ("A_b", "A_b-2.wav"),
    ]


def test_nothing_is_overwritten_unasked(stems, tmp_path):
    stems.save(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(na.errors.OutputError, match="exists"):
        stems.save(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    stems.save(tmp_path, overwrite=True)


SAVED = {  # one path, or an iterable of them
    "stems": lambda stems: stems.save,
    "notes": lambda stems: stems.save_notes,
    "decomposition": lambda stems: stems.decomposition.save,
    "dictionary": lambda stems: na.Dictionary(np.ones((257, 1)), ["a"], na.Stft(8000, 512)).save,
    "transcription": lambda stems: silent().save,
    "salience": lambda stems: silent().save_salience,
    "file of notes": lambda stems: lambda path, **more: na.write_notes(path, [], **more),
}


def silent():
    return na.Transcriber().transcribe(np.zeros(22050), 22050)


@pytest.mark.parametrize("what", SAVED)
def test_every_save_keeps_files_unless_asked_and_returns_their_paths(stems, tmp_path, what):
    save = SAVED[what](stems)
    target = tmp_path / "new" / "x.csv"
    paths = save(target)
    paths = [paths] if isinstance(paths, Path) else list(paths)
    assert paths
    assert {path for path in target.parent.rglob("*") if path.is_file()} == set(paths)
    content = [path.read_bytes() for path in paths]
    with pytest.raises(na.errors.OutputError, match="exists"):
        save(target)
    save(target, overwrite=True)
    assert [path.read_bytes() for path in paths] == content
    if inspect.ismethod(save):
        assert (
            inspect.signature(save).parameters["overwrite"].kind == inspect.Parameter.KEYWORD_ONLY
        )
