"""A model that no separator writes is refused whole, before anything is done with it."""

from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.errors import AudioFileError
from nmfaudio.separators.saved_models import load_model

SR = 8000


@pytest.fixture(scope="module")
def saved():
    y = np.random.default_rng(0).standard_normal((1, 2000))
    return na.separate(y, SR, n_components=2, max_iter=2, n_fft=256).decomposition


@pytest.mark.parametrize("key", ["transform", "sources", "settings", "fit", "notes"])
def test_metadata_of_another_form_are_refused(tmp_path, saved, key):
    for number, value in enumerate([-1, "x", [[]], 10**400, {"x": 10**400}, True]):
        if key == "settings" and isinstance(value, dict):
            continue  # any names will do
        broken = replace(saved, metadata={**saved.metadata, key: value})
        path = broken.save(tmp_path / f"{number}.npz")
        with pytest.raises(AudioFileError, match=key):
            load_model(path)


@pytest.mark.parametrize("components", [None, "0", [-1], [2], [0, 0], [0.5], [10**400], [[]]])
def test_components_are_those_of_the_model(tmp_path, saved, components):
    sources = {"a": {"components": components}}
    path = replace(saved, metadata={**saved.metadata, "sources": sources}).save(tmp_path / "x.npz")
    with pytest.raises(AudioFileError, match="component"):
        load_model(path)


def test_sound_models_are_loaded(tmp_path, saved):
    assert load_model(saved.save(tmp_path / "x.npz")) == saved
