"""`nmfaudio experiment` runs a file, shows its table and goes on where it stopped."""

import json
from pathlib import Path

import numpy as np
import pytest

import nmfaudio as na

TOML = """
pieces.one = { audio = "one.wav", notes = "one.csv" }
pieces.two = { audio = "two.wav", notes = "one.csv" }
systems.shipped.model.max_iter = 2
systems.bold = { model.max_iter = 2, decoding.threshold = 0.01 }
"""


@pytest.fixture
def experiment(nmfaudio):
    t = np.arange(8000) / 8000
    for name, pitch in (("one", 440.0), ("two", 880.0)):
        y = np.exp(-3 * t) * sum(np.sin(2 * np.pi * pitch * k * t) / k**2 for k in range(1, 4))
        na.write(f"{name}.wav", y.astype(np.float32), 8000)
    na.write_notes("one.csv", [na.Note(0.0, 1.0, 69)])
    Path("e.toml").write_text(TOML)
    return nmfaudio


def test_the_table_is_shown_and_the_results_are_written(experiment):
    result = experiment("experiment", "e.toml")
    assert result.out.splitlines()[0].split()[:2] == ["system", "onset_f"]
    assert "p corrected by Holm" in result.out
    assert "at least 6 pieces are needed for p < 0.05" in result.out
    assert "4/4 bold, two, seed 0:" in result.err
    saved = json.loads(Path("e.results.json").read_text())
    assert len(saved["runs"]) == 4
    again = experiment("experiment", "e.toml", "--json", "-q")
    assert again.err == ""
    assert again.json["runs"] == saved["runs"]
    assert again.json["results"] == "e.results.json"
    assert len(list(Path("e.cache").iterdir())) == 2


def test_files_go_where_they_are_wanted(experiment):
    experiment("experiment", "e.toml", "-q", "-o", "out/r.json", "--cache", "kept")
    assert Path("out/r.json").exists()
    assert len(list(Path("kept").iterdir())) == 2
    assert not Path("e.cache").exists()


def test_wrong_files_are_one_line(experiment):
    Path("e.toml").write_text(TOML.replace("shipped.model", "shipped.modle"))
    result = experiment("experiment", "e.toml")
    assert result.code == 2
    assert "e.toml: systems.shipped has no key 'modle'; did you mean model?" in result.err
    assert experiment("experiment", "none.toml").code == 3
    assert experiment("experiment").code == 2
