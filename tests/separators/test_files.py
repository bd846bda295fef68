"""Separation of files into files."""

import json
from pathlib import Path

import numpy as np
import pytest

import nmfaudio as na

SR = 8000
QUICK = na.BlindSeparator(n_fft=256, n_components=4, max_iter=5)


@pytest.fixture
def song(tmp_path):
    y = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 40_000)).astype(np.float32)
    na.write(tmp_path / "song.wav", y, SR)
    return tmp_path / "song.wav"


def test_stems_are_read_when_requested_and_sum_to_the_file(song, tmp_path):
    stems = na.separate_file(song, tmp_path / "stems", QUICK)
    assert list(stems) == ["harmonic", "percussive"]
    y, _ = na.read(song)
    np.testing.assert_allclose(sum(stems.values()), y, atol=1e-6)
    assert stems.shape == y.shape
    assert 0 < stems.largest_residual < 1e-6
    assert json.loads(json.dumps(stems.summary()))["paths"]["harmonic"].endswith("harmonic.wav")


@pytest.mark.parametrize(
    ("format", "subtype", "limit"),
    [("wav", "PCM_16", 1e-4), ("flac", None, 1e-6), ("wav", "DOUBLE", 1e-6), ("ogg", None, 2.0)],
)
def test_the_residual_is_that_of_the_files(song, tmp_path, format, subtype, limit):
    stems = na.separate_file(song, tmp_path / "stems", QUICK, format=format, subtype=subtype)
    y = na.read(song).samples * stems.gain
    residual = np.abs(y - sum(stem.astype(float) for stem in stems.values())).max()
    assert stems.largest_residual == pytest.approx(residual, abs=1e-9)
    assert residual < limit


def test_a_range_of_the_file(song, tmp_path):
    stems = na.separate_file(song, tmp_path / "stems", QUICK, start=1, stop=3)
    np.testing.assert_allclose(
        sum(stems.values()), na.read(song, start=1, stop=3).samples, atol=1e-6
    )


def test_the_stems_do_not_depend_on_the_format_of_the_file(song, tmp_path):
    y, sr = na.read(song)
    na.write(tmp_path / "song.aiff", y, sr)
    first = na.separate_file(song, tmp_path / "first", QUICK)
    second = na.separate_file(tmp_path / "song.aiff", tmp_path / "second", QUICK)
    for one, other in zip(first.paths.values(), second.paths.values(), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_nothing_remains_of_a_failure(song, tmp_path):
    na.write(song, 3 * na.read(song).samples, SR, overwrite=True)
    with pytest.raises(na.ContentError, match="over the full scale"):
        na.separate_file(song, tmp_path / "stems", QUICK, format="flac", clip="error")
    assert not (tmp_path / "stems").exists()


def test_existing_files_are_kept(song, tmp_path):
    folder = tmp_path / "stems"
    na.separate_file(song, folder, QUICK)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(na.errors.OutputError, match="exists; use"):
        na.separate_file(song, folder, QUICK)
    assert {path: path.read_bytes() for path in Path(folder).iterdir()} == before
    assert na.separate_file(song, folder, QUICK, overwrite=True)


def test_a_model_without_activations_makes_the_same_stems(song, tmp_path):
    stems = na.separate_file(song, tmp_path / "stems", QUICK)
    model = stems.decomposition
    assert model.H.shape[1] == 0
    model.save(tmp_path / "model.npz")
    settings = {"mask": QUICK.mask, "refine": QUICK.refine}
    again = na.separate_file(
        song,
        tmp_path / "again",
        na.RegroupSeparator(saved=tmp_path / "model.npz", **settings),
    )
    for one, other in zip(stems.paths.values(), again.paths.values(), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_a_name_is_no_separator(song, tmp_path):
    with pytest.raises(na.ParameterError, match="it must be a separator"):
        na.separate_file(song, tmp_path / "stems", "hpss")
