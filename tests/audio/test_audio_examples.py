"""Sample recordings are located by name, and nothing outside their folder is."""

from pathlib import Path

import pytest

import nmfaudio as na
from nmfaudio.audio import examples

SAMPLES = Path(__file__).parents[2] / "audio_samples"
NAMES = ("band", "drums", "piano", "real", "trio")


@pytest.mark.parametrize("name", NAMES)
def test_the_mixture_is_the_default(name):
    path = na.example(name)
    assert path.parent == SAMPLES / name
    assert path.stem == "mixture"
    assert na.audio.inspect(path).frames > 0


def test_other_files_of_a_recording():
    assert na.example("trio", "score.mid") == SAMPLES / "trio" / "score.mid"
    assert na.example("drums", "sources/kick.flac").is_file()
    assert na.example("drums", "one_shots").is_dir()


@pytest.mark.parametrize("name", ["oboe", "", ".", "..", "../audio_samples/drums", "LICENSES.md"])
def test_an_unknown_recording_is_refused_with_the_known_ones(name):
    with pytest.raises(na.ParameterError, match="band, drums, piano, real, trio"):
        na.example(name)


@pytest.mark.parametrize(
    "file",
    [
        "nothing.wav",
        "",
        "../drums/mixture.wav",
        "sources/../mixture.flac",
        "../../pyproject.toml",
        str(SAMPLES / "trio" / "score.mid"),
        "/etc/hostname",
    ],
)
def test_a_file_outside_the_recording_is_refused_with_the_known_ones(file):
    with pytest.raises(na.ParameterError, match=r"has no file .*; choose from .*score\.mid"):
        na.example("trio", file)


def test_samples_of_an_installed_wheel_are_preferred(tmp_path, monkeypatch):
    (tmp_path / "band").mkdir()
    mixture = tmp_path / "band" / "mixture.wav"
    na.write(mixture, [0.0, 0.5], 8000)
    monkeypatch.setattr(examples, "_FOLDERS", (tmp_path, SAMPLES))
    assert na.example("band") == mixture
    monkeypatch.setattr(examples, "_FOLDERS", (tmp_path / "absent", SAMPLES))
    assert na.example("band").parent == SAMPLES / "band"
